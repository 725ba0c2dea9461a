// What the page does beyond being read. Names come from records, which anybody may have written: everything is put into
// the page as text, never as HTML. Every number was computed where the page was made; here they are chosen and drawn.

const DataTable = globalThis.DataTable;
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);
const NONE = "–";
const nameOf = (row) => row.names.join(" + ");

function element(tag, text = "", className = "", ...children) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function definitions(list, facts) {
  list.replaceChildren(...facts.flatMap(([name, value, address]) => {
    const said = element("dd", address ? "" : value);
    if (address) said.append(link(value, address));
    return [element("dt", name), said];
  }));
  return list;
}

function link(text, address) {
  const made = element("a", text);
  made.href = address;
  made.rel = "noreferrer";
  return made;
}

function frame(table, name) {
  const made = element("div", "", "scrolls", table);
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", name);
  return made;
}

function cell(text, order, className = "number") {
  const made = element("td", text, className);
  if (order !== undefined) made.dataset.order = order ?? "";
  return made;
}

// A score whose spread over seeds goes where there is little room.
function scored(text) {
  const [score, spread] = text.split(" ± ");
  const made = cell(score);
  if (spread) made.append(element("span", ` ± ${spread}`, "spread"));
  return made;
}

function head(table, titles) {
  table.createTHead().insertRow().append(...titles.map(([title, className]) => {
    const made = element("th", title, className);
    made.scope = "col";
    return made;
  }));
  return table.createTBody();
}

function measured(value, percent, withSign = false) {
  if (value === null) return NONE;
  const text = percent ? (100 * value).toFixed(1) : value.toFixed(3);
  if (Number(text) === 0) return text.replace("-", "");
  return withSign && value > 0 ? `+${text}` : text.replace("-", "−");
}

function strip({ grid, chance, low = null, high = null, mean = null }) {
  const made = drawing("svg", { class: "interval", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const paths = { tick: grid };
  if (chance !== null && chance !== undefined) paths.chance = `M${chance} 0V10`;
  if (low !== null) paths.span = `M${low} 5H${high}`;
  if (mean !== null) paths.mean = `M${mean} 5h.01`;
  for (const [name, line] of Object.entries(paths)) if (line) made.append(drawing("path", { class: name, d: line }));
  return made;
}

// -- the address: filters, a card and a comparison can be shared as a link ---------------------------------------------

const asked = new URLSearchParams(location.search);

function remember(choices) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(choices)) value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
  try {
    history.replaceState(null, "", address);
  } catch {
    // a page without an address of its own, such as one in a frame, cannot have one that says more
  }
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
for (const within of all("thead a")) within.addEventListener("click", (event) => event.stopPropagation());

// -- long tables begin with their first rows ---------------------------------------------------------------------------

const SHORT = 12;

function showMore() {
  for (const button of all("button.more")) {
    const table = one("table.long", button.parentElement);
    button.hidden = table.classList.contains("open") || all("tbody tr[data-row]", table).length <= SHORT;
    button.textContent = `Show all ${all("tbody tr[data-row]", table).length} rows`;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.more");
  if (!button) return;
  const table = one("table.long", button.parentElement);
  table.classList.add("open");
  button.hidden = true;
  one(`tbody tr:nth-child(${SHORT + 1}) button.system`, table)?.focus({ preventScroll: true });
  showEdges();
});

// -- wide tables say that they go on -----------------------------------------------------------------------------------

// All is measured before anything changes, so that the page is laid out once.
function showEdges(some = all(".scrolls")) {
  const found = some.map((scrolls) => [scrolls, scrolls.scrollWidth - scrolls.clientWidth, scrolls.scrollLeft]);
  for (const [scrolls, most, left] of found) {
    scrolls.classList.toggle("goes-on", most - left > 4);
    let hint = scrolls.nextElementSibling;
    if (!hint?.matches(".goes-on-hint")) {
      if (most <= 4) continue;
      hint = element("span", "goes on at the right →", "goes-on-hint");
      hint.setAttribute("aria-hidden", "true");
      scrolls.after(hint);
    }
    hint.hidden = most - left <= 4;
  }
}

const sizes = new ResizeObserver((entries) => showEdges(entries.map((entry) => entry.target)));

function watch(scrolls) {
  sizes.observe(scrolls);
  scrolls.addEventListener("scroll", () => showEdges([scrolls]), { passive: true });
}
