// -- filters: of tables, of the best systems, and of figures ------------------------------------------------------------

const form = one("form.filters");
const inputs = all("[data-filter]", form);
const chosen = {};
const has = (values, wanted) => !wanted || values.split("|").includes(wanted);

// Whether a row of the data passes what is said of systems.
function passes(row) {
  if (chosen.family && row.family !== chosen.family) return false;
  return !chosen.text || nameOf(row).toLowerCase().includes(chosen.text);
}

DataTable.ext.search.push((settings, _, index) => passes(data.rows[settings.aoData[index].nTr.dataset.row]));

function applyFilters() {
  for (const input of inputs) chosen[input.dataset.filter] = input.value.trim();
  remember(chosen);
  chosen.text = chosen.text.toLowerCase();
  for (const part of all(".part")) part.hidden = Boolean(chosen.track) && part.dataset.track !== chosen.track;
  for (const table of tables) table.draw();
  for (const part of all(".part")) part.hidden ||= !one("tbody tr[data-row]", part);
  const hiddenTasks = hideTasks();
  hideColumns(hiddenTasks);
  chooseColumns();
  for (const row of all("table.winners tbody tr")) {
    row.hidden = hiddenTasks.has(row.dataset.task) || (Boolean(chosen.track) && row.dataset.track !== chosen.track) || !passes(data.rows[row.dataset.row]);
  }
  filterFigures(hiddenTasks);
  const kept = ":scope > .part, :scope > .shelf, .winners tbody tr, :scope > .drawings > figure, .undrawn";
  for (const block of all("section.block")) block.hidden = all(kept, block).every((inside) => inside.hidden);
  const sections = all("section.task");
  const rows = all("section.task:not([hidden]) .part:not([hidden]) tr[data-row]").length;
  one(".shown", form).value = `${sections.length - hiddenTasks.size} of ${sections.length} tasks, ${rows} of ${data.rows.length} rows`;
  const nothing = one(".nothing");
  if (nothing) nothing.hidden = rows > 0;
  showMore();
  showEdges();
}

function hideTasks() {
  const hidden = new Set();
  for (const section of all("section.task")) {
    const wanted = has(section.dataset.group, chosen.group) && has(section.dataset.language, chosen.language);
    section.hidden = !wanted || !one(".part:not([hidden])", section);
    if (section.hidden) hidden.add(section.dataset.task);
  }
  for (const shelf of all("section.shelf")) shelf.hidden = !one("section.task:not([hidden])", shelf);
  return hidden;
}

function hideColumns(hiddenTasks) {
  for (const table of tables) {
    const node = table.table().node();
    if (!node.matches(".overview")) continue;
    let shown = 0;
    table.columns().every(function () {
      const task = this.header().dataset.task;
      if (task === undefined) return;
      this.visible(!hiddenTasks.has(task), false);
      shown += !hiddenTasks.has(task);
    });
    if (!shown) node.closest(".part").hidden = true;
  }
}

// Numbers beside those that rank: all, or those of one kind.
function chooseColumns() {
  for (const table of tables) {
    table.columns().every(function () {
      const kind = this.header().dataset.columns;
      if (kind) this.visible(!chosen.columns || kind === chosen.columns, false);
    });
  }
}

// Figures of other tasks go; in those that stay, the marks of other systems are dimmed, for what they are compared with
// is all of them.
function filterFigures(hiddenTasks) {
  const some = Boolean(chosen.family || chosen.text || chosen.track);
  const wanted = new Set(data.rows.filter((row) => passes(row) && (!chosen.track || row.group === chosen.track)).map(nameOf));
  const isNothingLeft = hiddenTasks.size === data.tasks.length;
  for (const figure of all(".block > .drawings > figure")) figure.hidden = isNothingLeft || hiddenTasks.has(figure.dataset.task);
  for (const mark of all("figure [data-system]")) mark.classList.toggle("dim", some && !wanted.has(mark.dataset.system));
}

one(".fold", form).addEventListener("click", (event) => {
  event.target.setAttribute("aria-expanded", String(form.classList.toggle("open")));
});
form.addEventListener("input", applyFilters);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(applyFilters));
one(".nothing .all")?.addEventListener("click", () => {
  form.reset();
  one("select", form).focus();
});

function readFilters() {
  for (const input of inputs) {
    const value = asked.get(input.dataset.filter);
    if (value && (input.tagName !== "SELECT" || [...input.options].some((option) => option.value === value))) input.value = value;
  }
}
