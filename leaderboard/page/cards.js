// -- the card of a row ------------------------------------------------------------------------------------------------

const card = document.getElementById("card");
const cardBody = one(".body", card);
let cardRow = null;
let pairsTable = null;

function showCard(row) {
  hideTip();
  cardRow = row;
  document.getElementById("card-title").textContent = nameOf(row);
  clearPairs();
  cardBody.replaceChildren(...SECTIONS.flatMap((section) => section(row)));
  remember({ card: nameOf(row), task: data.tasks[row.task].name });
  if (!card.open) card.showModal();
  sortPairs();
  for (const scrolls of all(".scrolls", card)) watch(scrolls);
}

function titled(title, ...children) {
  return [element("h3", title), ...children.filter(Boolean)];
}

// What it is, and what makes it again.
function about(row) {
  const models = data.models[row.names[0]];
  const facts = row.size ? [...models, ["size", row.size]] : models;
  const copy = element("button", "Copy", "copy");
  const said = element("span", "", "copied");
  const text = element("pre", row.command);
  copy.type = "button";
  said.setAttribute("role", "status");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(row.command);
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(text); // where a page may not write there, it is chosen to be copied by hand
      said.textContent = "selected";
    }
  });
  return [definitions(element("dl", "", "facts"), facts), element("h4", "The command that makes this row again"), text, element("p", "", "", copy, said)];
}

// Where the same system stands on every task.
function everywhere(row) {
  const rows = data.rows.filter((other) => nameOf(other) === nameOf(row));
  const table = element("table", "", "everywhere");
  const body = head(table, [["task", "sticky"], ["score", "number"], ["95 % interval", "drawn"], ["letters", ""], ["rank", "number"], ["from, to", "number"], ["known speakers", "number"], ["flags", ""]]);
  for (const other of rows) {
    const task = data.tasks[other.task];
    const made = body.insertRow();
    made.classList.toggle("chosen", other === row);
    const button = element("button", task.title, "system");
    button.type = "button";
    if (other === row) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      showCard(other);
      one("tr.chosen button", card).focus();
    });
    const [mean, low, high] = other.mark ?? [null, null, null];
    const drawn = cell("", undefined, other.leads ? "drawn leads" : "drawn");
    drawn.append(strip({ grid: task.grid, chance: task.chance, low, high, mean }));
    made.append(
      element("td", "", "sticky", button), cell(`${other.score} ${other.mark ? task.metric : ""}`), drawn, cell(other.letters, undefined, ""),
      cell(other.rank ? `${other.rank} ${other.group}` : other.group), cell(other.interval), cell(other.known ?? NONE, undefined, other.known ? "number known" : "number"), cell(other.flags.join(", ") || NONE, undefined, ""),
    );
  }
  return titled(rows.length > 1 ? "On every task" : "On its task", frame(table, "On every task"));
}

// What stands behind its score on one task.
function onTask(row) {
  const task = data.tasks[row.task];
  const flags = row.flags.map((flag) => [flag, data.flags[flag]]);
  const numbers = [[task.metric, `${row.score} ${row.interval === NONE ? "" : row.interval}`], ["possible ranks", row.span], ["guessing", task.guessed || "not known"], ...row.numbers.filter(([, value]) => value !== NONE)];
  return titled(
    task.title,
    element("div", "", "columns", definitions(element("dl", "", "facts"), numbers), definitions(element("dl", "", "facts"), [...row.cost, ...factsOf(row)])),
    flags.length ? element("h4", "Flags") : null,
    flags.length ? definitions(element("dl", "", "facts"), flags) : null,
    ...speakers(row, task),
    ...layers(row),
  );
}

const PLOT = { width: 640, height: 150, left: 36, top: 8, low: 130 };

function plot(...children) {
  return drawing("svg", { class: "plot", viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img" }, ...children);
}

function note(text, x, y, anchor = "end") {
  const made = drawing("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

function hinted(mark, text) {
  const title = drawing("title", {});
  title.textContent = text;
  mark.append(title);
  return mark;
}

function speakers(row, task) {
  const people = task.people;
  if (!people || !row.speakers) return [];
  const at = (value) => PLOT.low - ((PLOT.low - PLOT.top) * (value - people.low)) / (people.high - people.low);
  const share = (percent) => PLOT.low - ((PLOT.low - PLOT.top) * percent) / 100;
  const step = (PLOT.width - PLOT.left - 8) / row.speakers.length;
  const line = (name, y) => drawing("path", { class: name, d: `M${PLOT.left} ${y.toFixed(1)}H${PLOT.width}` });
  const marks = row.speakers.map((value, index) => {
    const gender = people.genders[index] ?? "";
    const known = ["male", "female"].includes(gender) ? gender : "unknown";
    const dot = drawing("circle", { class: `dot ${known}`, cx: (PLOT.left + step * (index + 0.5)).toFixed(1), cy: at(value / 1000).toFixed(1), r: Math.min(4.5, Math.max(2, step / 2.5)).toFixed(1) });
    const name = people.labels[index] ? `${people.labels[index]}${gender ? `, ${gender}` : ""}: ` : "";
    return hinted(dot, `${name}${measured(value / 1000, people.percent)}`);
  });
  const found = plot(
    ...people.ticks.flatMap(([place, text]) => [line("line", share(Number(place))), note(text, PLOT.left - 6, share(Number(place)) + 3.5)]),
    ...(people.chance === null ? [] : [line("chance", at(people.chance))]),
    ...(row.mean !== null && people.metric === task.metric ? [line("level", at(row.mean / PAIR_UNIT))] : []),
    ...marks,
    note(people.labels.length ? "speakers, from the hardest to the easiest over all systems" : `${row.speakers.length} of ${people.total} speakers at even distances, from the lowest score`, PLOT.width / 2, PLOT.height - 4, "middle"),
  );
  const several = new Set(people.genders.filter(Boolean)).size > 1;
  const words = `${people.metric} of each speaker alone, mean over seeds; line: of the system; dashed: guessing${several ? "; orange: female, blue: male" : ""}`;
  found.setAttribute("aria-label", `${people.metric} of each of ${people.total} speakers`);
  return [element("h4", `${people.total} speakers`), found, element("p", words, "hint")];
}

function layers(row) {
  if (!row.layers) return [];
  const most = Math.max(...row.layers, 1);
  const step = (PLOT.width - PLOT.left - 8) / row.layers.length;
  const at = (value) => PLOT.low - ((PLOT.low - PLOT.top - 10) * value) / most;
  const every = Math.ceil(row.layers.length / 26);
  const bars = row.layers.flatMap((value, index) => {
    const middle = PLOT.left + step * (index + 0.5);
    const bar = drawing("rect", { class: "bar", x: (middle - step * 0.35).toFixed(1), y: at(value).toFixed(1), width: (step * 0.7).toFixed(1), height: (PLOT.low - at(value)).toFixed(1) });
    const words = [hinted(bar, `layer ${index}: ${(value / 1000).toFixed(3)}`)];
    if (index % every === 0) words.push(note(String(index), middle, PLOT.height - 6, "middle"));
    if (row.layers.length <= 26) words.push(note((value / 1000).toFixed(2), middle, at(value) - 3, "middle"));
    return words;
  });
  const alike = 1000 / row.layers.length;
  const found = plot(drawing("path", { class: "chance", d: `M${PLOT.left} ${at(alike).toFixed(1)}H${PLOT.width}` }), ...bars);
  found.setAttribute("aria-label", `Weights of ${row.layers.length} layers`);
  return [element("h4", "Weights of its layers"), found, element("p", "After softmax, mean over folds and seeds; dashed: all alike. Layer 0 is the first that the upstream returns.", "hint")];
}

// What a card shows, one after the other; a further section is a function from a row to elements, here.
const SECTIONS = [about, everywhere, onTask, believed, against];

document.addEventListener("click", (event) => {
  const button = event.target.closest("main button.system");
  const score = event.target.closest("table.overview td.strip");
  const row = (button ?? score)?.closest("tr").dataset.row;
  if (button) showCard(data.rows[row]);
  else if (score && !score.matches(".none")) showCard(data.rows[score.dataset.row]);
  else if (event.target === card) card.close();
});
card.addEventListener("close", () => {
  clearPairs();
  cardBody.replaceChildren();
  remember({ card: "", task: "" });
});
