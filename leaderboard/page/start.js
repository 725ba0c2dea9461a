// -- all is defined: show what needs a script, and what the address asks for --------------------------------------------

for (const hidden of all(".needs-script")) hidden.hidden = false;
one("button.compare")?.toggleAttribute("hidden", everySystem.length < 2);
readFilters();
applyFilters();
for (const scrolls of all(".scrolls")) watch(scrolls);
for (const details of all("details")) details.addEventListener("toggle", () => showEdges());

const askedCard = data.rows?.find((row) => nameOf(row) === asked.get("card") && (!asked.get("task") || data.tasks[row.task].name === asked.get("task")));
if (askedCard) showCard(askedCard);
else if (everySystem.includes(asked.get("a")) && everySystem.includes(asked.get("b"))) showComparison(asked.get("a"), asked.get("b"));
