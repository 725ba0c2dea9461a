// What the page does beyond being read. Names come from records, which anybody may have written: everything is put into
// the page as text, never as HTML.

const DataTable = globalThis.DataTable;
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
const NONE = "–";
const PAIR_UNIT = 1e5;

function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function definitions(list, facts) {
  list.replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function factsOf(row) {
  const [tested, ...others] = row.facts;
  return [tested, ...others.slice(0, 2), ...data.tasks[row.task].facts, ...others.slice(2)];
}

// -- sorting: DataTables ----------------------------------------------------------------------------------------------

DataTable.ext.errMode = "throw";
const OPTIONS = { paging: false, info: false, autoWidth: false, order: [], layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null } };
const tables = all("table.systems, table.overview").map((table) => {
  const titles = all("thead th", table);
  const unsorted = titles.flatMap((title, index) => (title.classList.contains("drawn") ? [index] : []));
  // A number is most often wanted from the highest, a rank from the first.
  const highest = titles.flatMap((title, index) => (title.matches(".number:not(.ascending)") ? [index] : []));
  return new DataTable(table, {
    ...OPTIONS,
    columnDefs: [{ targets: unsorted, orderable: false }, { targets: highest, orderSequence: ["desc", "asc", ""] }],
  });
});

// -- filters ----------------------------------------------------------------------------------------------------------

const form = one("form.filters");
const chosen = {};
const has = (values, wanted) => !wanted || values.split("|").includes(wanted);

function rowIsWanted(row) {
  if (chosen.family && row.dataset.family !== chosen.family) return false;
  if (!chosen.text) return true;
  const names = row.dataset.row === undefined ? all("td", row).slice(0, 2).map((cell) => cell.textContent) : data.rows[row.dataset.row].names;
  return names.join(" + ").toLowerCase().includes(chosen.text);
}

DataTable.ext.search.push((settings, _, index) => rowIsWanted(settings.aoData[index].nTr));

function applyFilters() {
  for (const input of all("[data-filter]", form)) chosen[input.dataset.filter] = input.value.trim();
  chosen.text = chosen.text.toLowerCase();
  for (const part of all(".part")) part.hidden = Boolean(chosen.track) && part.dataset.track !== chosen.track;
  for (const table of tables) table.draw();
  for (const part of all(".part")) part.hidden ||= !one("tbody tr[data-family]", part);
  const hiddenTasks = new Set();
  for (const section of all("section.task")) {
    const wanted = has(section.dataset.group, chosen.group) && has(section.dataset.language, chosen.language);
    section.hidden = !wanted || !one(".part:not([hidden])", section);
    if (section.hidden) hiddenTasks.add(section.dataset.task);
    one(`[data-of="${section.dataset.task}"]`).hidden = section.hidden;
  }
  for (const kind of all("section.kind")) kind.hidden = !one("section.task:not([hidden])", kind);
  for (const table of tables) {
    if (!table.table().node().matches(".overview")) continue;
    table.columns().every(function () {
      const task = this.header().dataset.task;
      if (task !== undefined) this.visible(!hiddenTasks.has(task), false);
    });
  }
  const sections = all("section.task");
  const rows = all("section.task:not([hidden]) .part:not([hidden]) tr[data-row]").length;
  one(".shown", form).value = `${sections.length - hiddenTasks.size} of ${sections.length} tasks, ${rows} of ${data.rows.length} rows`;
}

form.addEventListener("input", applyFilters);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(applyFilters));

// -- what stands behind a score ---------------------------------------------------------------------------------------

const tip = document.getElementById("tip");
const tipFacts = tip.appendChild(element("dl", "", "facts"));

let told = null; // the score that it is about

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

// -- comparison with every other system -------------------------------------------------------------------------------

const dialog = document.getElementById("pairs");
const place = one(".scrolls", dialog);

// The pairs of a task are a list without names: (0, 1), (0, 2), ... (1, 2), ...
function comparisons(task, system) {
  const count = task.systems.length;
  return task.systems.flatMap((name, other) => {
    if (other === system) return [];
    const [first, second] = system < other ? [system, other] : [other, system];
    const [verdict, delta, low, high, p, adjusted] = task.pairs[first * count - (first * (first + 1)) / 2 + second - first - 1];
    const sign = system < other ? 1 : -1;
    const number = (value) => (value === null ? null : value / PAIR_UNIT);
    const signed = (value) => (value === null ? null : (sign * value) / PAIR_UNIT);
    const [from, to] = sign > 0 ? [low, high] : [high, low];
    return [{ name, verdict: sign * verdict, delta: signed(delta), low: signed(from), high: signed(to), p: number(p), adjusted: number(adjusted) }];
  });
}

function measured(value, task, withSign = true) {
  if (value === null) return NONE;
  const text = task.percent ? (100 * value).toFixed(1) : value.toFixed(3);
  if (Number(text) === 0) return text.replace("-", "");
  return withSign && value > 0 ? `+${text}` : text.replace("-", "−");
}

function probability(value) {
  if (value === null) return NONE;
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

const VERDICTS = { "1": "better", "-1": "worse", "0": "cannot be told apart" };

function cell(text, order, className = "number") {
  const made = element("td", text, className);
  if (order !== undefined) made.dataset.order = order ?? "";
  return made;
}

function drawn(pair, reach) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ class: "interval", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(name, value);
  const at = (value) => (50 + (50 * value) / reach).toFixed(2);
  const paths = { tick: "M50 0V10" };
  if (pair.low !== null) paths.span = `M${at(pair.low)} 5H${at(pair.high)}`;
  paths.mean = `M${at(pair.delta)} 1.5V8.5`;
  for (const [name, line] of Object.entries(paths)) {
    const path = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
    path.setAttribute("class", name);
    path.setAttribute("d", line);
  }
  const made = cell("", undefined, "drawn");
  made.append(svg);
  return made;
}

function pairTable(task, pairs) {
  const table = element("table", "", "pairs");
  const titles = [["against", "sticky"], ["difference", "number"], [`${task.level} % interval`, "drawn"], ["from, to", "number"], ["p", "number"], ["corrected p", "number"], ["this system is", ""]];
  const head = table.createTHead().insertRow();
  head.append(...titles.map(([title, className]) => {
    const made = element("th", title, className);
    made.scope = "col";
    return made;
  }));
  const body = table.createTBody();
  const reach = Math.max(1e-9, ...pairs.flatMap((pair) => [pair.delta, pair.low ?? 0, pair.high ?? 0].map(Math.abs)));
  for (const pair of pairs) {
    const range = pair.low === null ? NONE : `[${measured(pair.low, task)}, ${measured(pair.high, task)}]`;
    const row = body.insertRow();
    row.dataset.verdict = pair.verdict;
    row.append(
      cell(pair.name, undefined, "sticky"), cell(measured(pair.delta, task), pair.delta), drawn(pair, reach), cell(range, pair.low),
      cell(probability(pair.p), pair.p), cell(probability(pair.adjusted), pair.adjusted), cell(VERDICTS[pair.verdict], undefined, "verdict"),
    );
  }
  return table;
}

let pairsTable = null;

function showPairs(row) {
  const task = data.tasks[row.task];
  document.getElementById("pairs-title").textContent = row.names.join(" + ");
  one(".of", dialog).textContent = task.title;
  definitions(one(".facts", dialog), factsOf(row));
  const pairs = row.system === null ? [] : comparisons(task, row.system);
  const better = pairs.filter((pair) => pair.verdict > 0).length;
  const worse = pairs.filter((pair) => pair.verdict < 0).length;
  one(".said", dialog).textContent = row.system === null
    ? "It is not complete: it has no score, and is compared with no other system."
    : pairs.length === 0 ? "There is no other complete system on this task."
    : `Better than ${better}, worse than ${worse}, and not to be told apart from ${pairs.length - better - worse} of ${pairs.length} other systems. `
      + `Differences of ${task.metric}${task.higher ? "" : " (an error: below 0 is better)"}, this system minus the other; p of each pair alone, of the same test as the interval; corrected for all pairs of their table, across tables for all pairs of the task, and with a control for such pairs.`;
  hideTip();
  dialog.showModal();
  if (pairs.length) {
    const table = place.appendChild(pairTable(task, pairs));
    pairsTable = new DataTable(table, { ...OPTIONS, searching: false, order: [[1, task.higher ? "asc" : "desc"]], columnDefs: [{ targets: 2, orderable: false }] });
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.system");
  if (button) showPairs(data.rows[button.closest("tr").dataset.row]);
  else if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  pairsTable?.destroy();
  pairsTable = null;
  place.replaceChildren();
});

// -- languages by their names, where the browser knows them -----------------------------------------------------------

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
function languageName(code) {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // "unknown" is no code
  }
}
for (const option of all("[data-filter=language] option")) {
  const code = option.value;
  if (code) Object.assign(option, { value: code, textContent: languageName(code) });
}
for (const tag of all(".tag.language")) tag.textContent = languageName(tag.textContent);

for (const hidden of all(".needs-script")) hidden.hidden = false;
applyFilters();
