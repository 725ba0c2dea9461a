// -- what stands behind a score ---------------------------------------------------------------------------------------

const tip = document.getElementById("tip");
const tipFacts = tip.appendChild(element("dl", "", "facts"));

let told = null; // the score that it is about

function factsOf(row) {
  const [tested, ...others] = row.facts;
  return [tested, ...others.slice(0, 2), ...data.tasks[row.task].facts, ...others.slice(2)];
}

function showTip(score) {
  hideTip();
  told = score;
  definitions(tipFacts, factsOf(data.rows[score.closest("tr").dataset.row]));
  score.setAttribute("aria-describedby", "tip");
  tip.hidden = false;
  placeTip();
}

function placeTip() {
  if (!told) return;
  const at = told.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const below = at.bottom + 6 + size.height <= innerHeight;
  tip.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8))}px`;
  tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - size.height - 6)}px`;
}

function hideTip() {
  told?.removeAttribute("aria-describedby");
  told = null;
  tip.hidden = true;
}

const scoreOf = (event) => event.target.closest?.("td.score")?.firstElementChild;
for (const name of ["mouseover", "focusin"]) {
  document.addEventListener(name, (event) => (scoreOf(event) ? showTip(scoreOf(event)) : hideTip()));
}
document.addEventListener("focusout", hideTip);
document.addEventListener("scroll", placeTip, { capture: true, passive: true });
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
