// -- how far the probabilities of a row can be believed: measures, and a reliability diagram ------------------------------

const SQUARE = { width: 300, height: 300, left: 40, top: 10, right: 290, low: 262 };
const STATES = [["before", "as the head gives them"], ["after", "after the temperature"]]; // in the order of the bins

const JOINED = 0.01; // share of all decisions: bins with fewer tell little, and no line goes through them

function believed(row) {
  const found = row.believed;
  const task = data.tasks[row.task];
  if (!found) return [];
  const title = `How far its probabilities can be believed on ${task.title}`;
  if (found.without) return titled(title, element("p", found.without, "said"));
  const table = element("table", "", "believed");
  const scaled = found.bins.length > 1;
  const body = head(table, [["", "sticky"], ["before", "number"], ["from, to", "number"], ...(scaled ? [["after", "number"], ["from, to", "number"]] : [])]);
  for (const [name, ...texts] of found.said) {
    const made = body.insertRow();
    made.append(element("th", name, "sticky"), ...texts.slice(0, scaled ? 4 : 2).map((text) => cell(text)));
    made.firstElementChild.scope = "row";
  }
  const words = "The lower the better; ECE in %, from 15 bins. By chance: the ECE of probabilities that are right, on so many utterances. "
    + "The temperature divides log-probabilities, one for each fold and seed, shown is the median; it changes no decision.";
  return titled(
    title,
    element("div", "", "columns halves", element("div", "", "", frame(table, title), definitions(element("dl", "", "facts"), found.facts), element("p", words, "hint")), element("div", "", "", ...reliability(found.bins, task))),
  );
}

// The share of right decisions among those of each bin of confidence; what is believed rightly lies on the diagonal.
function reliability(bins, task) {
  const x = (share) => SQUARE.left + (SQUARE.right - SQUARE.left) * share;
  const y = (share) => SQUARE.low - (SQUARE.low - SQUARE.top) * share;
  const path = (name, d) => drawing("path", { class: name, d });
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const grid = ticks.flatMap((at) => [
    path("line", `M${x(0)} ${y(at)}H${x(1)}`), path("line", `M${x(at)} ${y(0)}V${y(1)}`),
    note(String(100 * at), SQUARE.left - 6, y(at) + 3.5), note(String(100 * at), x(at), SQUARE.low + 14, "middle"),
  ]);
  const series = bins.map((points, state) => {
    const [name, words] = STATES[state];
    const most = Math.max(...points.map(([, , n]) => n));
    const total = points.reduce((sum, [, , n]) => sum + n, 0);
    const places = points.filter(([, , n]) => n >= JOINED * total).map(([sure, right]) => `${x(sure / 1000).toFixed(1)} ${y(right / 1000).toFixed(1)}`);
    const marks = points.map(([sure, right, n]) => {
      const size = 2 + 4.5 * Math.sqrt(n / most);
      const mark = drawing("circle", { class: "mark", cx: x(sure / 1000).toFixed(1), cy: y(right / 1000).toFixed(1), r: size.toFixed(1) });
      return hinted(mark, `${words}: ${(sure / 10).toFixed(1)} % sure, ${(right / 10).toFixed(1)} % right, ${n} ${n === 1 ? "decision" : "decisions"}`);
    });
    return drawing("g", { class: `state ${name}` }, path("joined", `M${places.join("L")}`), ...marks);
  });
  const guess = task.share === null ? [] : [path("chance", `M${x(0)} ${y(task.share)}H${x(1)}`)];
  const side = drawing("text", { x: 10, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 10 ${y(0.5)})` });
  side.textContent = "right, %";
  const found = drawing(
    "svg", { class: "plot square", viewBox: `0 0 ${SQUARE.width} ${SQUARE.height}`, role: "img", "aria-label": "Share of right decisions by confidence" },
    ...grid, path("ideal", `M${x(0)} ${y(0)}L${x(1)} ${y(1)}`), ...guess, ...series, side, note("confidence, %", x(0.5), SQUARE.low + 30, "middle"),
  );
  const keys = STATES.slice(0, bins.length).map(([name, words]) => element("span", words, `state-key ${name}`));
  const words = `On the diagonal a head can be believed, below it is too sure. Area: decisions of all folds and seeds; no line goes through bins that have less than 1 % of them${guess.length ? "; dashed: guessing" : ""}.`;
  return [found, element("p", "", "hint", ...keys), element("p", words, "hint")];
}
