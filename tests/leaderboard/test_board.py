"""What the board shows of records, and what it refuses to show."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import boards_factory
import numpy as np
import pytest
from records_factory import cell, decisions, failed, record

from benchmark.errors import BenchError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore, pack
from benchmark.records.beside import marked_local
from benchmark.records.grouping import group
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.statistics import cell_interval, cell_scores
from benchmark.sufficient import MOMENTS
from leaderboard.board import board
from leaderboard.render import files
from leaderboard.tables import Table, TaskTable

OTHER = "9" * 64


def accurate(accuracy: float, n: int = 2):
    """Speakers who are all that accurate, whatever the seed: 20 utterances of each class."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        right = round(20 * accuracy)
        counts = right * np.eye(4) + (20 - right) * np.roll(np.eye(4), 1, axis=1)
        return {f"{fold}{index}": counts for index in range(n)}

    return by_speaker


def system(name: str, accuracy: float, **changes):
    return cell(accurate(accuracy), upstream__name=name, upstream__sha256=f"{ord(name[0]):064x}", **changes)


def only(*sources) -> TaskTable:
    (task,) = board(*sources).tasks
    return task


def columns(task: TaskTable, *names: str, group: str = "fixed") -> list[tuple[str, ...]]:
    """Of a group's rows what either of its two tables says."""
    (found,) = (one for one in task.tables if one.name == group)
    header = (*found.ranking.header, *found.details.header)
    rows = [(*row, *more) for row, more in zip(found.ranking.rows, found.details.rows, strict=True)]
    return [tuple(row[header.index(name)] for name in names) for row in rows]


def chosen(table: Table, *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[table.header.index(name)] for name in names) for row in table.rows]


def test_rows_are_ranked_by_the_primary_metric_and_ties_share_a_rank() -> None:
    records = system("low", 0.3) + system("b-twin", 0.6) + system("a-twin", 0.6) + system("high", 0.9)
    found = columns(only(records), "rank", "upstream", "UAR")
    assert found == [
        ("1", "high", "90.0 ± 0.0"),
        ("2", "a-twin", "60.0 ± 0.0"),
        ("2", "b-twin", "60.0 ± 0.0"),
        ("4", "low", "30.0 ± 0.0"),
    ]


def test_an_error_ranks_upwards_and_is_shown_plain() -> None:
    def rated(noise: float, name: str):
        def by_speaker(fold: str, seed: int):
            truth = np.random.default_rng(0).integers(1, 8, (30, 1)).astype(float)
            return {
                f"{fold}{index}": MOMENTS.of(truth, truth + noise * (-1) ** np.arange(30)[:, None])
                for index in range(2)
            }

        return cell(
            by_speaker,
            upstream__name=name,
            upstream__sha256=f"{ord(name[0]):064x}",
            task__kind="regression",
            task__outputs=["arousal"],
            task__metrics=["rmse", "ccc"],
        )

    task = only(rated(2, "far") + rated(0.5, "near"))
    assert columns(task, "rank", "upstream", "RMSE", "95 % interval") == [
        ("1", "near", "0.500 ± 0.000", "[0.444, 0.563]"),
        ("2", "far", "2.000 ± 0.000", "[1.776, 2.252]"),
    ]


def test_numbers_are_those_of_the_statistics() -> None:
    rng = np.random.default_rng(3)
    drawn = {(f, s, i): decisions(rng, 0.5, 10) for f in ("one", "two") for s in range(3) for i in range(4)}
    records = cell(lambda fold, seed: {f"{fold}{i}": drawn[fold, seed, i] for i in range(4)})
    (found,) = group(records).cells
    scores, interval = cell_scores(found, "uar"), cell_interval(found, "uar")
    assert interval is not None
    assert scores.sd is not None
    text = (
        f"{100 * scores.mean:.1f} ± {100 * scores.sd:.1f}",
        f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]",
    )
    assert columns(only(records), "UAR", "95 % interval") == [text]
    value = board(records).values[0]
    assert (value.metric, value.primary, value.mean, value.sd) == ("uar", True, scores.mean, scores.sd)
    assert (value.low, value.high, value.n_clusters) == (interval.low, interval.high, 8)


def test_published_statistics_that_were_changed_stop_the_board(tmp_path: Path) -> None:
    path = tmp_path / "toy" / "x--superb.json"
    path.parent.mkdir()
    path.write_bytes(pack(system("x", 0.5)))
    assert columns(only(RecordStore(tmp_path)), "UAR") == [("50.0 ± 0.0",)]
    perfect = (20 * np.eye(4)).tolist()
    boasting = [
        one.model_copy(update={"by_speaker": dict.fromkeys(one.by_speaker, perfect)}) for one in system("x", 0.5)
    ]
    path.write_bytes(pack(boasting))
    with pytest.raises(
        BenchError, match=r"x--superb\.json is not a valid record: .* metrics\.uar is 0\.5, .* give 1\.0"
    ):
        board(RecordStore(tmp_path))


def test_the_score_is_not_read_from_the_recorded_metrics() -> None:
    honest = system("x", 0.5)
    boasting = [one.model_copy(update={"metrics": {"uar": 1.0, "wa": 1.0}}) for one in honest]
    assert files(board(boasting)) == files(board(honest))


def test_an_incomplete_cell_has_progress_and_never_a_score() -> None:
    records = system("whole", 0.3) + [
        r for r in system("part", 0.9) if (r.fold, r.seed) not in {("two", 1), ("two", 2)}
    ]
    task = only(records)
    header = ("rank", "upstream", "UAR", "95 % interval", "WA", "macro F1")
    assert columns(task, *header)[1] == ("–", "part", "4/6 units (1/2 folds)", "–", "–", "–")
    assert columns(task, "upstream")[0] == ("whole",)
    values = [value for value in board(records).values if value.upstream == "part"]
    assert {(v.mean, v.sd, v.low, v.high, v.n_clusters) for v in values} == {(None,) * 5}
    assert {(v.units_completed, v.units_failed, v.units_expected, v.complete) for v in values} == {(4, 0, 6, False)}
    assert [v.metric for v in values] == ["uar", "wa", "macro_f1"]


def test_failed_units_are_counted_with_their_reasons() -> None:
    plan = {"task__folds": ["one", "two"], "task__seeds": [0, 1, 2]}
    records = [r for r in cell() if r.seed == 0]
    records += [failed("out of\nmemory", fold=fold, seed=1, **plan) for fold in ("one", "two")]
    records += [failed("diverged", fold="one", seed=2, **plan)]
    task = only(records)
    assert columns(task, "UAR") == [("2/6 units (0/2 folds)",)]
    assert task.notes == ("Failed: ears + superb, 3 units: diverged (1x); out of memory (2x).",)


def test_one_seed_shows_no_deviation_and_one_speaker_no_interval() -> None:
    task = only(cell(accurate(0.5, n=1), folds=["one"], seeds=[3]))
    assert columns(task, "UAR", "95 % interval") == [("50.0", "–")]
    assert "1 test speaker, 1 fold, 1 seed;" in task.caption


def test_warnings_are_marked_where_they_hold() -> None:
    changes = {"task__name": "leaky", "task__speaker_independent": False, "task__dev": "test"}
    made = board(
        system("fair", 0.4) + system("peeking", 0.4, downstream__transductive=True) + system("fair", 0.9, **changes)
    )
    toy, leaky = made.tasks
    assert (leaky.heading, toy.heading) == ("leaky ⚠", "toy")
    assert columns(leaky, "flags") == [("⚠ speaker-dependent, ⚠ dev = test",)]
    assert columns(toy, "upstream", "flags") == [("fair", "–"), ("peeking", "⚠ transductive")]
    (track,) = made.overviews
    assert track.overview.header == (
        "upstream",
        "downstream",
        "mean rank",
        "possible",
        "tasks",
        "toy: UAR",
        "leaky ⚠: UAR",
    )
    assert track.overview.rows == (
        ("fair", "superb", "1.5", "1.0–2.0", "1/1", "40.0 ± 0.0 a", "90.0 ± 0.0 a ⚠"),
        ("peeking", "superb", "1.5", "1.0–2.0", "1/1", "40.0 ± 0.0 a ⚠", "–"),
    )
    explained = [line.split(":")[0] for line in made.legend if line.startswith("⚠")]
    assert explained == ["⚠ speaker-dependent", "⚠ dev = test", "⚠ transductive"]


@pytest.mark.parametrize(
    ("corpus", "trained_on", "known"),
    [
        ("toys", ["toys"], "toys"),
        ("toys", ["dolls", "toys"], "toys"),
        ("toys -> dolls", ["toys"], "toys"),
        ("toys -> dolls", ["dolls"], "dolls"),
        ("toys -> dolls", ["dolls", "toys"], "toys and dolls"),
        ("toys", [], None),
        ("toys", ["dolls"], None),
        ("toys", ["toy"], None),
        ("toys -> dolls", ["toys -> dolls"], None),  # no name of a corpus
    ],
)
def test_weights_that_know_a_corpus_of_the_task_are_marked(corpus: str, trained_on: list[str], known: str) -> None:
    made = board(
        system("knowing", 0.9, task__corpus__name=corpus, upstream__trained_on=trained_on),
        system("fair", 0.5, task__corpus__name=corpus),
    )
    (task,) = made.tasks
    mark = "⚠ contaminated" if known else "–"
    if known:  # ranked apart, and not in the mean rank
        assert columns(task, "rank", "upstream", "flags", group="contaminated") == [("1", "knowing", mark)]
        assert columns(task, "rank", "upstream", "flags") == [("1", "fair", "–")]
    else:
        assert columns(task, "rank", "upstream", "flags") == [("1", "knowing", mark), ("2", "fair", "–")]
    overview = made.overviews[0].overview
    scores = {row[0]: (row[2], row[-1]) for row in overview.rows}
    text = ("–", "90.0 ± 0.0 ⚠") if known else ("1.0", "90.0 ± 0.0 a")
    assert scores == {"fair": ("1.0", "50.0 ± 0.0 a") if known else ("2.0", "50.0 ± 0.0 b"), "knowing": text}
    note = f"Contaminated: the weights of knowing were trained on recordings of {known}."
    assert [line for line in task.notes if "ontaminated" in line] == ([note] if known else [])
    explained = [line for line in made.legend if line.startswith("⚠ contaminated: ")]
    assert len(explained) == bool(known)
    assert all("trained on recordings of this corpus" in line for line in explained)
    flags = {value.upstream: value.flags for value in made.values}
    assert flags == {"knowing": "contaminated" if known else "", "fair": ""}


def test_a_run_writes_what_the_weights_know_and_nothing_else_changes(
    toy_task: Path, plugin: Path, settings: Settings, progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry([str(plugin)])
    request = Request(["spectrum"], [str(toy_task)], ["nearest"])
    run(request, registry, settings, progress, "cpu")
    before = {one.id: one for one in RecordStore(settings.results)}
    monkeypatch.setattr(type(registry.upstream("spectrum")), "trained_on", ("csv",))  # what the toy corpus is read with
    (outcome,) = run(dataclasses.replace(request, rerun="all"), registry, settings, progress, "cpu")
    assert (outcome.completed, outcome.newly_encoded) == (8, 0)
    after = {one.id: one for one in RecordStore(settings.results)}
    assert {one.upstream.trained_on[0] for one in after.values()} == {"csv"}
    assert {name: one.upstream.model_copy(update={"trained_on": []}) for name, one in after.items()} == {
        name: one.upstream for name, one in before.items()
    }
    assert columns(only(before.values()), "flags", group="open head") == [("⚠ few seeds",)]
    assert columns(only(after.values()), "flags", group="contaminated") == [("⚠ contaminated, ⚠ few seeds",)]


def test_one_record_that_knows_of_the_training_marks_the_cell() -> None:
    """Records of one identity may be older than what is known of the weights, which is no part of the identity."""
    *older, last = system("knowing", 0.9)
    told = last.model_copy(update={"upstream": last.upstream.model_copy(update={"trained_on": ["toys"]})})
    for records in ([told, *older], [*older, told]):
        assert columns(only(records), "flags", group="contaminated") == [("⚠ contaminated",)]


def test_flags_that_do_not_occur_are_not_explained() -> None:
    assert not [line for line in board(cell()).legend if "⚠" in line or "synthetic" in line]


def test_synthetic_speech_is_called_so_wherever_it_is_shown() -> None:
    made = board(cell(task__corpus__synthetic=True))
    (task,) = made.tasks
    assert task.heading == "toy (synthetic)"
    assert "(synthetic speech)" in task.caption
    assert columns(task, "flags") == [("synthetic",)]
    assert made.overviews[0].overview.header[-1] == "toy (synthetic): UAR"
    assert any(line.startswith("synthetic: ") for line in made.legend)
    assert made.values[0].flags == "synthetic"


def test_the_caption_tells_the_protocol() -> None:
    assert only(cell()).caption == (
        "Protocol: Toy, four emotions; corpus toys: 48 utterances, 4 test speakers, 2 folds, 3 seeds; "
        "utterances of all folds pooled before the metric; dev: random; sha256 aaaaaaaaaaaa."
    )
    assert "metric averaged over folds" in only(cell(task__pool="folds")).caption
    assert "test speakers unknown" in only([failed()]).caption


def test_what_the_upstream_is() -> None:
    assert columns(only(cell()), "layers", "dim", "parameters") == [("5", "384", "8.2 M")]
    unknown = cell(upstream__layers=None, upstream__dim=None, upstream__parameters=None)
    assert columns(only(unknown), "layers", "dim", "parameters") == [("–", "–", "–")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task__sha256": OTHER}, "another version of the protocol"),
        ({"task__corpus__audio_sha256": OTHER}, "other recordings"),
        ({"task__folds_sha256": OTHER}, "other folds"),
        ({"upstream__sha256": OTHER, "upstream__weights_sha256": OTHER}, "other weights"),
        ({"downstream__sha256": OTHER}, "another version of the head"),
    ],
)
def test_what_is_superseded_is_told_in_words(changes: dict, words: str) -> None:
    new = cell(accurate(0.8), provenance__created="2027-01-01T00:00:00+00:00")
    assert (
        only(cell(accurate(0.2), **changes) + new).notes[0]
        == f"Not shown: 1 superseded row: ears + superb (2026-01-02: {words})."
    )


def test_a_newer_row_that_is_not_complete_hides_no_complete_one() -> None:
    new = cell(accurate(0.8), upstream__sha256=OTHER, provenance__created="2027-01-01T00:00:00+00:00")[:2]
    task = only(system("ears", 0.2) + new)
    assert columns(task, "UAR") == [("20.0 ± 0.0",)]
    assert task.notes[0].startswith("Not shown: 1 superseded row: ears + superb (2027-01-01, 2 of ")


def test_superseded_modified_and_outside_records_are_counted_not_shown() -> None:
    old = system("ears", 0.2)
    new = cell(accurate(0.8), upstream__sha256=OTHER, provenance__created="2027-01-01T00:00:00+00:00")
    extra = [record(protocol="modified"), record(seed=77, upstream__sha256=OTHER, task__seeds=[0, 1, 2])]
    task = only(old + new + extra)
    assert columns(task, "upstream", "UAR") == [("ears", "80.0 ± 0.0")]
    assert task.notes == (
        "Not shown: 1 superseded row: ears + superb (2026-01-02: another version of the upstream).",
        "Not shown: 1 record of a modified protocol.",
        "Not shown: 1 record of a fold or seed that the protocol does not have.",
    )


def test_a_task_of_modified_records_only_is_named() -> None:
    made = board([record(protocol="modified")])
    assert made.tasks == ()
    assert made.notes == ("Task toy: Not shown: 1 record of a modified protocol.",)


def test_one_name_for_two_systems_on_two_tasks_is_said() -> None:
    same = system("ears", 0.5) + system("ears", 0.5, task__name="other")
    assert board(same).notes == ()
    changed = cell(accurate(0.5), task__name="third", upstream__sha256=OTHER)
    assert board(same + changed).notes == (
        "Not one system on all tasks (version, weights or parameters differ): ears + superb.",
    )


def versions(table: TaskTable) -> tuple[str, ...]:
    return tuple(note for note in table.notes if "different versions" in note)


def test_rows_of_different_code_are_named_below_their_table() -> None:
    def coded(name: str, code: str, **changes):
        return system(name, 0.5, provenance__code_sha256=code * 64, **changes)

    assert versions(only(coded("a", "1") + coded("b", "1"))) == ()
    made = board(coded("a", "1") + coded("b", "2") + coded("c", "2") + coded("a", "3", task__name="other"))
    other, toy = made.tasks
    assert versions(toy) == (
        "Rows were run with different versions of the code: 11111111 (a + superb); 22222222 (b + superb, c + superb).",
    )
    assert versions(other) == ()
    assert columns(toy, "flags") == [("–",)] * 3
    mixed = coded("a", "1")[:3] + coded("a", "2")[3:]
    assert versions(only(mixed)) == ()  # a flag of its only row
    assert versions(only(mixed + coded("b", "2"))) == (
        "Rows were run with different versions of the code: 11111111 (a + superb); 22222222 (a + superb, b + superb).",
    )


def test_rows_of_different_library_versions_are_named_below_their_table() -> None:
    def made(name: str, torch: str, **changes):
        libraries = {"numpy": "2.4.0", "torch": torch}
        return system(name, 0.5, provenance__downstream__libraries=libraries, **changes)

    assert versions(only(made("a", "2.13.0") + made("b", "2.13.0"))) == ()
    assert versions(only(made("a", "2.13.0") + made("b", "2.12.1") + made("c", "2.13.0"))) == (
        "Rows were computed with different versions of torch: 2.12.1 (b + superb); 2.13.0 (a + superb, c + superb).",
    )
    # What one row used and another did not is no difference, nor is another table.
    other = system("b", 0.5, provenance__downstream__libraries={"numpy": "2.4.0"})
    assert versions(only(made("a", "2.13.0") + other)) == ()
    assert [versions(table) for table in board(made("a", "1") + made("a", "2", task__name="other")).tasks] == [(), ()]


def test_groups_of_utterances_stand_in_for_speakers_and_are_counted_as_such() -> None:
    task = only(
        *(
            boards_factory.system(name, right, clusters__unit="utterance")
            for name, right in (("low", 0.4), ("high", 0.8))
        )
    )
    assert "(16 groups of utterances, worth 16.0 of equal weight)" in task.notes[0]


def test_names_are_one_line_each() -> None:
    made = board(cell(upstream__name="two\nlines\x1b[2J", task__title="a\ttitle"))
    assert made.overviews[0].overview.rows[0][0] == "two lines\ufffd[2J"
    assert "a title" in made.tasks[0].caption


def test_contradictory_records_stop_the_board() -> None:
    with pytest.raises(BenchError, match="impossible numbers"):
        board(cell(lambda fold, seed: {"s": -np.eye(4)}))


def test_no_records_make_an_empty_board() -> None:
    made = board([])
    assert (made.tasks, made.notes, made.legend, made.values, made.overviews) == ((), (), (), (), ())


def test_published_rows_stay_beside_local_ones_which_are_marked() -> None:
    theirs = cell(accurate(0.2), upstream__sha256=OTHER)
    mine = marked_local(cell(accurate(0.8), provenance__created="2027-01-01T00:00:00+00:00"), theirs, every=True)
    own_task = marked_local(cell(accurate(0.8), task__name="my-own"), theirs, every=True)
    made = board(mine + own_task, theirs, published=theirs)
    by_name = {task.name: task for task in made.tasks}
    assert columns(by_name["toy"], "upstream", "UAR") == [("ears (local)", "80.0 ± 0.0"), ("ears", "20.0 ± 0.0")]
    (track,) = made.overviews
    ranks = {row[0]: row[2] for row in track.overview.rows}
    assert ranks == {"ears (local)": "1.0", "ears": "2.0"}  # of the published task alone
    assert [row[4] for row in track.overview.rows] == ["1/1", "1/1"]


def test_a_newer_local_protocol_hides_no_published_row() -> None:
    theirs = cell(accurate(0.2))
    newer = cell(accurate(0.8), task__folds_sha256=OTHER, provenance__created="2027-01-01T00:00:00+00:00")
    made = board(marked_local(newer, theirs, every=True), theirs, published=theirs)
    (task,) = made.tasks
    assert columns(task, "upstream") == [("ears",)]
    assert task.notes[0] == "Not shown: 1 superseded row: ears (local) + superb (2027-01-01: other folds)."
