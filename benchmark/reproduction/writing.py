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
            line.reference.task,
            clean(line.reference.upstream),
            clean(line.reference.downstream),
            value.metric,
            *_numbers(value),
            f"{line.state}: {clean(line.reason)}" if line.reason else line.state,
        ]
        for line in lines
        for value in line.values
    ]


def markdown(lines: Sequence[Line]) -> str:
    """A table in Markdown."""

    def row(texts: Sequence[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"

    rows = [row(texts) for texts in rows_of(lines)]
    return "\n".join([row(COLUMNS), row(["---"] * len(COLUMNS)), *rows]) + "\n"


def comma_separated(lines: Sequence[Line]) -> str:
    """A table as CSV, every number by itself and unrounded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["source", "table", *COLUMNS[:5], "sd", "ours", "low", "high", "difference", "inside", "state", "reason"]
    writer.writerow([*names, "our upstream", "our downstream", "differs"])
    for line in lines:
        one = line.reference
        for value in line.values:
            numbers = [value.published, value.sd, value.ours, value.low, value.high, value.difference, value.inside]
            about = [one.source, one.table, one.task, one.upstream, one.downstream, value.metric]
            writer.writerow([*about, *numbers, line.state, line.reason, *(one.cell or ("", "")), one.differs])
    return out.getvalue()


def latex(lines: Sequence[Line]) -> str:
    """A table in LaTeX with the rules of booktabs."""
    shown = slice(0, 9)  # the state is for those who run it
    rows = [" & ".join(_escaped(text) for text in texts[shown]) + r" \\" for texts in rows_of(lines)]
    head = " & ".join(_escaped(name) for name in COLUMNS[shown]) + r" \\"
    begin = r"\begin{tabular}{llllrrrrl}"
    return "\n".join([begin, r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]) + "\n"


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
