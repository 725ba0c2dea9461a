// -- comparison: of a system with every other one of a task, and of two systems on every task ---------------------------

const PAIR_UNIT = 1e5;
const VERDICTS = { "1": "better", "-1": "worse", "0": "cannot be told apart" };

function probability(value) {
  if (value === null) return NONE;
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

// The pairs of a task are a list without names: (0, 1), (0, 2), ... (1, 2), ...
function comparison(task, system, other) {
  const count = task.systems.length;
  const [first, second] = system < other ? [system, other] : [other, system];
  const [verdict, delta, low, high, p, adjusted] = task.pairs[first * count - (first * (first + 1)) / 2 + second - first - 1];
  const sign = system < other ? 1 : -1;
  const number = (value) => (value === null ? null : value / PAIR_UNIT);
  const signed = (value) => (value === null ? null : (sign * value) / PAIR_UNIT);
  const [from, to] = sign > 0 ? [low, high] : [high, low];
  return { name: task.systems[other], verdict: sign * verdict, delta: signed(delta), low: signed(from), high: signed(to), p: number(p), adjusted: number(adjusted) };
}

const reachOf = (pairs) => Math.max(1e-9, ...pairs.flatMap((pair) => [pair.delta, pair.low ?? 0, pair.high ?? 0].map(Math.abs)));

// Cells of a table: the difference with its interval, both p-values, and what they say.
function pairCells(pair, task, reach) {
  const at = (value) => (value === null ? null : (50 + (50 * value) / reach).toFixed(2));
  const drawn = cell("", undefined, "drawn leads");
  drawn.append(strip({ grid: "M50 0V10", low: at(pair.low), high: at(pair.high), mean: at(pair.delta) }));
  const range = pair.low === null ? NONE : `[${measured(pair.low, task.percent, true)}, ${measured(pair.high, task.percent, true)}]`;
  return [
    cell(measured(pair.delta, task.percent, true), pair.delta), drawn, cell(range, pair.low),
    cell(probability(pair.p), pair.p), cell(probability(pair.adjusted), pair.adjusted), cell(VERDICTS[pair.verdict], undefined, "verdict"),
  ];
}

const PAIR_TITLES = (level) => [["difference", "number"], [`${level} % interval`, "drawn"], ["from, to", "number"], ["p", "number"], ["corrected p", "number"]];
const CORRECTED = "p is of each pair alone, of the same test as the interval; corrected p is for all pairs of their table, across tables for all pairs of the task, and with a control for such pairs.";

function against(row) {
  const task = data.tasks[row.task];
  const others = row.system === null ? [] : task.systems.flatMap((_, other) => (other === row.system ? [] : [other]));
  const pairs = others.map((other) => comparison(task, row.system, other));
  const better = pairs.filter((pair) => pair.verdict > 0).length;
  const worse = pairs.filter((pair) => pair.verdict < 0).length;
  const said = row.system === null
    ? "It is not complete: it has no score, and is compared with no other system."
    : pairs.length === 0 ? "There is no other complete system on this task."
    : `Better than ${better}, worse than ${worse}, and not to be told apart from ${pairs.length - better - worse} of ${pairs.length} other systems. `
      + `Differences of ${task.metric}${task.higher ? "" : " (an error: below 0 is better)"}, this system minus the other; ${CORRECTED}`;
  if (!pairs.length) return titled(`Against every other system on ${task.title}`, element("p", said, "said"));
  const table = element("table", "", "pairs");
  const body = head(table, [["against", "sticky"], ...PAIR_TITLES(task.level), ["this system is", ""], ["on every task", ""]]);
  const reach = reachOf(pairs);
  for (const pair of pairs) {
    const made = body.insertRow();
    made.dataset.verdict = pair.verdict;
    const button = element("button", "compare", "versus");
    button.type = "button";
    button.setAttribute("aria-label", `Compare with ${pair.name} on every task`);
    button.addEventListener("click", () => {
      card.close();
      showComparison(nameOf(row), pair.name);
    });
    made.append(cell(pair.name, undefined, "sticky"), ...pairCells(pair, task, reach), element("td", "", "", button));
  }
  return titled(`Against every other system on ${task.title}`, element("p", said, "said"), frame(table, "Against every other system"));
}

function sortPairs() {
  const table = one("table.pairs", card);
  if (!table) return;
  const worst = data.tasks[cardRow.task].higher ? "asc" : "desc";
  pairsTable = new DataTable(table, { ...OPTIONS, searching: false, order: [[1, worst]], columnDefs: [{ targets: [2, 7], orderable: false }] });
}

function clearPairs() {
  pairsTable?.destroy();
  pairsTable = null;
}

// -- two systems on every task that both have ----------------------------------------------------------------------------

const compare = document.getElementById("compare");
const compareBody = one(".body", compare);
const pickers = ["a", "b"].map((name) => one(`select.${name}`, compare));
const everySystem = [...new Set(data.tasks.flatMap((task) => task.systems))].sort();
for (const picker of pickers) picker.append(...everySystem.map((name) => element("option", name)));

function showComparison(a, b) {
  pickers[0].value = a;
  pickers[1].value = b;
  compareBody.replaceChildren(...compared(a, b));
  remember({ a, b });
  if (!compare.open) compare.showModal();
  for (const scrolls of all(".scrolls", compare)) watch(scrolls);
}

function compared(a, b) {
  if (a === b) return [element("p", "Choose two different systems.", "said")];
  const common = data.tasks.flatMap((task, number) => {
    const [first, second] = [task.systems.indexOf(a), task.systems.indexOf(b)];
    return first < 0 || second < 0 ? [] : [{ task, number, pair: comparison(task, first, second) }];
  });
  if (!common.length) return [element("p", "No task has a complete row of both.", "said")];
  const table = element("table", "", "pairs");
  const body = head(table, [["task", "sticky"], ["first", "number"], ["second", "number"], ...PAIR_TITLES(common[0].task.level), ["the first is", ""]]);
  // one reach for all tasks that are measured in percent, so that they can be compared by eye
  const reach = reachOf(common.filter(({ task }) => task.percent).map(({ pair }) => pair));
  for (const { task, number, pair } of common) {
    const made = body.insertRow();
    made.dataset.verdict = pair.verdict;
    const scores = [a, b].map((name) => scored(data.rows.find((row) => row.task === number && nameOf(row) === name).score));
    const title = element("td", "", "sticky", link(task.title, `#${task.anchor}`));
    title.firstElementChild.addEventListener("click", () => compare.close());
    made.append(title, ...scores, ...pairCells(pair, task, task.percent ? reach : reachOf([pair])));
  }
  const better = common.filter(({ pair }) => pair.verdict > 0).length;
  const worse = common.filter(({ pair }) => pair.verdict < 0).length;
  const said = `On ${common.length} common ${common.length === 1 ? "task" : "tasks"} the first is better on ${better}, worse on ${worse}, and cannot be told apart from the second on ${common.length - better - worse}; ${CORRECTED}`;
  const command = `bench compare ${quoted(a)} ${quoted(b)} --published`;
  return [element("p", said, "said"), ...over(a, b), frame(table, "Differences on every common task"), element("h4", "The command that tells it from the published rows"), element("pre", command)];
}

// What the tests over corpora say, of the tracks in which both stand.
function over(a, b) {
  return data.tracks.flatMap((track) => {
    const [first, second] = [track.systems.indexOf(a), track.systems.indexOf(b)];
    if (first < 0 || second < 0) return [];
    const found = (list, x, y) => list.find(([i, j]) => i === x && j === y);
    const [wins, losses] = [found(track.wins, first, second), found(track.wins, second, first)];
    const signed = found(track.signed, first, second) ?? found(track.signed, second, first);
    const lines = [];
    if (wins && losses && wins[3] > 1) lines.push(`Over ${wins[3]} corpora of the track "${track.name}": the first is better on at least ${wins[2]}, the second on at least ${losses[2]}; these and all such counts of the track hold together with 95 % confidence.`);
    if (signed) lines.push(`Wilcoxon's signed-rank test over ${signed[3]} corpora, corrected by Holm: p ${signed[2] / PAIR_UNIT < 0.001 ? "" : "= "}${probability(signed[2] / PAIR_UNIT)}.`);
    return lines.map((line) => element("p", line, "said"));
  });
}

// Names as a shell takes them; what `bench compare` wants has no spaces around its plus.
function quoted(name) {
  const text = name.split(" + ").join("+");
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

for (const picker of pickers) picker.addEventListener("input", () => showComparison(pickers[0].value, pickers[1].value));
one("button.compare")?.addEventListener("click", () => showComparison(pickers[0].value, everySystem.find((name) => name !== pickers[0].value) ?? ""));
compare.addEventListener("click", (event) => event.target === compare && compare.close());
compare.addEventListener("close", () => {
  compareBody.replaceChildren();
  remember({ a: "", b: "" });
});
