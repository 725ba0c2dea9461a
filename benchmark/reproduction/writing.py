"""Published tables beside ours as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from benchmark.reproduction.tables import Line, Value
from benchmark.text import NONE, clean, decimal

COLUMNS = (
    "task",
    "upstream",
    "downstream",
    "metric",
    "published",
    "ours",
    "95 % interval",
    "difference",
    "inside",
    "state",
)
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--",
}  # fmt: skip


def rows_of(lines: Sequence[Line]) -> list[list[str]]:
    """A row of text for each published number, under `COLUMNS`; what the source and we round to is the source's."""
    return [
        [
            line.reference.runs_on,
            clean(line.reference.upstream),
            clean(line.reference.downstream),
            value.metric,
            *_numbers(value),
            f"{line.state}: {clean(line.reason)}" if line.reason else line.state,
        ]
        for line in lines
        for value in line.values
    ]


def tables_of(lines: Sequence[Line]) -> dict[tuple[str, str], list[Line]]:
    """The lines of each table, by source and table, in the order in which they come."""
    tables: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        tables.setdefault((line.reference.source, line.reference.table), []).append(line)
    return tables


def differences(lines: Sequence[Line]) -> list[str]:
    """What in the source's protocol is not as here, by task, each once."""
    named = [f"{line.reference.task}: {clean(line.reference.differs)}" for line in lines if line.reference.differs]
    return list(dict.fromkeys(named))


def markdown(lines: Sequence[Line]) -> str:
    """Tables in Markdown, each under its name, with what differs below it."""

    def row(texts: Sequence[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"

    parts = []
    for (source, table), each in tables_of(lines).items():
        rows = [row(COLUMNS), row(["---"] * len(COLUMNS)), *(row(texts) for texts in rows_of(each))]
        parts.append("\n".join([f"### {source}, {table}", "", *rows, "", *(f"- {one}" for one in differences(each))]))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def comma_separated(lines: Sequence[Line]) -> str:
    """All rows as CSV, every number by itself and unrounded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["source", "table", "task", "runs on", *COLUMNS[1:5], "sd", "ours", "low", "high", "difference", "inside"]
    writer.writerow([*names, "state", "reason", "our upstream", "our downstream", "differs"])
    for line in lines:
        one = line.reference
        for value in line.values:
            numbers = [value.published, value.sd, value.ours, value.low, value.high, value.difference, value.inside]
            about = [one.source, one.table, one.task, one.runs_on, one.upstream, one.downstream, value.metric]
            writer.writerow([*about, *numbers, line.state, line.reason, *(one.cell or ("", "")), one.differs])
    return out.getvalue()


def latex(lines: Sequence[Line]) -> str:
    """Tables in LaTeX with the rules of booktabs; their names and what differs are comments."""
    shown = slice(0, 9)  # the state is for those who run it
    head = " & ".join(_escaped(name) for name in COLUMNS[shown]) + r" \\"
    begin = r"\begin{tabular}{llllrrrrl}"
    parts = []
    for (source, table), each in tables_of(lines).items():
        said = [f"% {text}" for text in (f"{source}, {table}", *differences(each))]
        rows = [" & ".join(_escaped(text) for text in texts[shown]) + r" \\" for texts in rows_of(each)]
        ends = [r"\bottomrule", r"\end{tabular}"]
        parts.append("\n".join([*said, begin, r"\toprule", head, r"\midrule", *rows, *ends]))
    return "\n\n".join(parts) + "\n"


def _numbers(value: Value) -> list[str]:
    def text(number: float | None) -> str:
        return NONE if number is None else decimal(number, value.places)

    published = text(value.published) + ("" if value.sd is None else f" ± {text(value.sd)}")
    ends = NONE if value.low is None else f"[{text(value.low)}, {text(value.high)}]"
    difference = value.difference
    signed = NONE if difference is None else f"{'+' if difference > 0 else ''}{text(difference)}"
    inside = NONE if value.inside is None else "yes" if value.inside else "no"
    return [published, text(value.ours), ends, signed, inside]


def _escaped(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)
