"""Rows of other benchmarks' protocols: beside the corpus's own task, and in no table or rank of the board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from boards_factory import system, task
from typer.testing import CliRunner

from benchmark.cli.app import app
from benchmark.errors import UsageError
from benchmark.records import Record, RecordStore
from benchmark.statistics import cell_scores
from leaderboard.board import board
from leaderboard.bridge import bridges, differences, overview
from leaderboard.render import bridge_tables, csv_text, markdown


def fields(name: str, **changes: Any) -> dict[str, Any]:
    return task(name, "urdu", **changes)


def records() -> list[Record]:
    """One upstream on the corpus's own task with two heads, and on four other protocols."""
    first = {"metrics": ["wa", "uar"]}
    return [
        *system("egemaps", 0.5, **fields("urdu")),
        *system("egemaps", 0.45, "xares-mlp", **fields("urdu")),
        *system("mfcc", 0.4, **fields("urdu")),
        *system("egemaps", 0.9, **fields("urdu-random", speaker_independent=False)),
        *system("egemaps", 0.9, "knn", **fields("urdu-random", speaker_independent=False)),
        *system("egemaps", 0.7, "maeb", **fields("urdu-maeb", bridge="MAEB", speaker_independent=False, **first)),
        *system("egemaps", 0.6, "xares-mlp", **fields("urdu-xares", bridge="X-ARES", dev="test", **first)),
        *system("egemaps", 0.6, "xares-knn", **fields("urdu-xares", bridge="X-ARES", dev="test", **first)),
        *system("egemaps", 0.8, "emobox", **fields("urdu-emobox", bridge="EmoBox", speaker_independent=False)),
        *system("chance", 0.25, "emobox", **fields("urdu-emobox", bridge="EmoBox", speaker_independent=False)),
    ]


def test_each_row_stands_beside_the_own_task_in_the_same_metric() -> None:
    found = {(one.whose, one.downstream): one for one in bridges(records())}
    assert list(found) == [
        ("EmoBox", "emobox"), ("MAEB", "maeb"), ("X-ARES", "xares-knn"), ("X-ARES", "xares-mlp"), ("papers", "superb"),
    ]  # fmt: skip
    probe = found["X-ARES", "xares-mlp"]
    own = next(one for one in board(records()).sections if one.task.name == "urdu").analysis.cells
    (same,) = [one for one in own if one.downstream.name == "xares-mlp"]
    assert probe.own is not None
    assert (probe.own.metric, probe.own.score) == ("wa", cell_scores(same, "wa").mean)
    assert probe.own.interval is not None
    assert probe.difference == probe.theirs.score - probe.own.score
    assert probe.ranked is not None
    assert probe.ranked.metric == "uar"
    assert found["MAEB", "maeb"].own is None
    assert found["MAEB", "maeb"].difference is None


def test_it_says_what_each_protocol_gives_away() -> None:
    told = {(one.whose, one.downstream): one.gives_away for one in bridges(records())}
    assert told["MAEB", "maeb"] == ("speakers of test are in train", "8 utterances of each class to fit on")
    assert told["EmoBox", "emobox"] == ("speakers of test are in train", "dev has speakers of train")
    assert told["X-ARES", "xares-knn"] == ("the test fold is dev, which selects nothing here",)
    assert told["papers", "superb"] == ("speakers of test are in train",)


def test_no_interval_is_given_where_voices_are_known() -> None:
    found = bridges(records())
    assert [one.theirs.interval is None for one in found] == [True, True, False, False, True]


def test_one_row_shows_all_that_is_reported_of_an_upstream() -> None:
    table = overview(bridges(records()))
    assert table.header == (
        "corpus", "upstream", "its own task", "EmoBox, emobox: UAR", "MAEB, maeb: WA", "X-ARES, xares-knn: WA",
        "X-ARES, xares-mlp: WA", "papers, superb: UAR",
    )  # fmt: skip
    ((corpus, upstream, own, *_),) = table.rows
    assert (corpus, upstream) == ("urdu", "egemaps")
    assert own.startswith("UAR 4")
    assert "[" in own
    signed = [row[-1] for row in differences(bridges(records())).rows]
    assert [text[0] for text in signed] == ["–", "–", "–", "+", "+"]


def test_bridges_are_in_no_table_and_no_rank_of_the_board() -> None:
    made = board(records())
    assert [one.name for one in made.tasks] == ["urdu", "urdu-random"]
    assert "urdu-maeb" not in csv_text(made)
    text = markdown(made)
    assert "urdu-emobox" not in text
    assert "5 rows of the protocols of EmoBox, MAEB, X-ARES: they are ranked nowhere" in text
    without = board([one for one in records() if one.task.bridge is None])
    assert made.overviews == without.overviews


def test_without_bridges_there_is_nothing_to_say() -> None:
    assert bridges([]) == []
    assert "protocols of" not in markdown(board(system("egemaps", 0.5, **fields("urdu"))))


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["bridge", *map(str, arguments)])


def test_the_command_prints_tables_markdown_and_json(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for one in records():
        store.write(one)
    done = run("--results", tmp_path)
    assert done.exit_code == 0, done.output
    assert "row by row" in done.stdout
    assert run("--results", tmp_path, "--markdown").stdout == bridge_tables(bridges(records()))
    rows = json.loads(run("--results", tmp_path, "--json").stdout)
    assert {row["whose"] for row in rows} == {"EmoBox", "MAEB", "X-ARES", "papers"}
    assert isinstance(run("--results", tmp_path, "--json", "--markdown").exception, UsageError)


def test_the_command_says_where_nothing_is(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for one in system("egemaps", 0.5):
        store.write(one)
    assert "there is no row of another benchmark's protocol" in run("--results", tmp_path).stdout


def test_a_piece_of_a_wide_table_has_no_row_without_a_value() -> None:
    heads = [f"a-head-with-a-long-name-{letter}" for letter in "abcdef"]
    many = [one for head in heads for one in system("egemaps", 0.5, head, **fields("urdu-xares", bridge="X-ARES"))]
    few = system("mfcc", 0.5, heads[0], **fields("urdu-xares", bridge="X-ARES"))
    seen = bridge_tables(bridges([*records(), *many, *few])).partition("<details>")[0]
    pieces = [piece for piece in seen.split("\n\n") if piece.startswith("|")]
    assert len(pieces) > 2
    rows = [[text.strip() for text in line.split("|")[4:-1]] for piece in pieces for line in piece.splitlines()[2:]]
    assert all(set(row) != {"–"} for row in rows)
    assert sum(piece.count("| mfcc ") for piece in pieces) == 1
    assert all(piece.count("| egemaps ") == 1 for piece in pieces)


def test_names_are_no_markup() -> None:
    hostile = "<script>|`x`"
    found = bridges(system(hostile, 0.5, "maeb", **fields("urdu-maeb", bridge="MA|EB")))
    text = bridge_tables(found)
    assert "<script>" not in text
    assert "MA|EB" not in text


@pytest.mark.parametrize("bridge", [None, "MAEB"])
def test_a_record_says_whose_protocol_it_is_or_nothing(bridge: str | None) -> None:
    one = system("egemaps", 0.5, **fields("urdu-maeb", bridge=bridge))[0]
    assert one.model_dump(mode="json")["task"].get("bridge", None) == bridge
    assert ("bridge" in one.model_dump(mode="json")["task"]) == (bridge is not None)
