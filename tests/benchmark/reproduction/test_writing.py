"""Tables as files."""

from __future__ import annotations

import csv
from dataclasses import replace

from benchmark.protocol.references import Reference
from benchmark.reproduction import Line, Value
from benchmark.reproduction.writing import comma_separated, latex, markdown

ROW = Reference("toy", "ears_1", "a|b & 50 %", (), "Someone 2020", "Table 1", "", "", "no dev", ("ears", "svm"), "")
LINES = [
    Line(ROW, "done", "", (Value("UAR", 57.0, 2.4, 1, 58.234, 50.0, 66.0),)),
    Line(ROW, "not run", "no records", (Value("CCC", 0.5, None, 2, None, None, None),)),
]


def test_markdown_has_a_row_for_each_number() -> None:
    lines = markdown(LINES).splitlines()
    expected = "| toy | ears_1 | a\\|b & 50 % | UAR | 57.0 ± 2.4 | 58.2 | [50.0, 66.0] | +1.2 | yes | done |"
    assert lines[:2] == ["### Someone 2020, Table 1", ""]
    assert lines[4] == expected
    assert lines[5].endswith("| CCC | 0.50 | – | – | – | – | not run: no records |")
    assert lines[6:] == ["", "- toy: no dev"]


def test_each_table_is_one_of_its_own() -> None:
    other = [*LINES, replace(LINES[0], reference=replace(ROW, table="Table 2", differs=""))]
    assert [line for line in markdown(other).splitlines() if line.startswith("#")] == [
        "### Someone 2020, Table 1",
        "### Someone 2020, Table 2",
    ]
    text = latex(other)
    assert text.count(r"\begin{tabular}") == 2
    assert [line for line in text.splitlines() if line.startswith("%")] == [
        "% Someone 2020, Table 1",
        "% toy: no dev",
        "% Someone 2020, Table 2",
    ]
    rows = csv.DictReader(comma_separated(other).splitlines())
    assert [row["table"] for row in rows] == ["Table 1", "Table 1", "Table 2"]


def test_csv_is_unrounded_and_says_what_differs() -> None:
    first, second = csv.DictReader(comma_separated(LINES).splitlines())
    assert (first["published"], first["sd"], first["ours"], first["inside"]) == ("57.0", "2.4", "58.234", "True")
    assert (first["our upstream"], first["our downstream"], first["differs"]) == ("ears", "svm", "no dev")
    assert (second["ours"], second["reason"]) == ("", "no records")


def test_latex_is_escaped_and_ruled() -> None:
    text = latex(LINES)
    assert r"ears\_1 & a|b \& 50 \% & UAR & 57.0 $\pm$ 2.4 & 58.2 & [50.0, 66.0] & +1.2 & yes \\" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    columns = text.split("{llllrrrrl}")[1].split(r"\toprule")[1].strip().splitlines()[0]
    assert columns.count("&") == 8
