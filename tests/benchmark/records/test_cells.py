"""Records become cells: what is complete, what is shown, and what is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest
from records_factory import cell, failed, record

from benchmark.errors import BenchError
from benchmark.records import Record
from benchmark.records.cells import same_protocol
from benchmark.records.grouping import find_cell, group
from benchmark.records.hiding import salted
from benchmark.registry.known import known_trained_on
from benchmark.sufficient import MOMENTS

LATER = "2026-02-01T00:00:00+00:00"
OTHER = "9" * 64
SALT = "5a17" * 16


def only(*sources: list[Record]):
    grouping = group(*sources)
    assert len(grouping.cells) == 1
    return grouping.cells[0]


def test_a_complete_cell() -> None:
    found = only(cell())
    assert found.name == "ears + superb"
    assert found.units == (("one", 0), ("one", 1), ("one", 2), ("two", 0), ("two", 1), ("two", 2))
    assert found.complete
    assert (found.completed, found.failed, found.missing) == (found.units, (), ())
    assert found.complete_folds == 2
    assert found.flags() == []


def test_missing_and_failed_units_leave_a_cell_incomplete() -> None:
    records = [r for r in cell() if (r.fold, r.seed) not in {("one", 1), ("two", 2)}]
    found = only([*records, failed(fold="two", seed=2, task__seeds=[0, 1, 2])])
    assert not found.complete
    assert found.missing == (("one", 1),)
    assert found.failed == (("two", 2),)
    assert len(found.completed) == 4
    assert found.complete_folds == 0
    with pytest.raises(BenchError, match=r"ears \+ superb on toy is incomplete: 4 of 6 units"):
        found.statistics()


def test_a_fold_is_complete_when_all_its_seeds_are() -> None:
    assert only([r for r in cell() if (r.fold, r.seed) != ("one", 1)]).complete_folds == 1


def test_a_cell_of_failures_only_is_shown() -> None:
    found = only([failed()])
    assert (len(found.failed), len(found.missing), found.complete) == (1, 5, False)


def test_a_protocol_without_seeds_is_never_complete() -> None:
    assert group(cell(seeds=[]), [record(task__seeds=[])]).cells == ()


def test_a_head_that_ignores_the_seed_needs_the_first_only() -> None:
    records = [r for r in cell(seeds=[7, 8], downstream__stochastic=False) if r.seed == 7]
    assert only(records).complete
    assert only(records).seeds == (7,)


def test_statistics_are_by_seed_fold_and_sorted_speaker() -> None:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        mine = {"zoe": np.eye(4) * (2 if fold == "one" else 1)}
        return mine | ({"adam": np.roll(np.eye(4), seed, axis=1)} if fold == "two" else {})

    found = only(cell(by_speaker))
    statistics = found.statistics()
    assert found.speakers == ("adam", "zoe")
    assert statistics.shape == (3, 2, 2, 4, 4)
    assert statistics[0, 0, 0].sum() == 0  # adam is not tested in fold one
    assert (statistics[1, 0, 1] == 2 * np.eye(4)).all()
    assert (statistics[2, 1, 0] == np.roll(np.eye(4), 2, axis=1)).all()


def test_the_order_of_records_does_not_matter() -> None:
    records = cell() + cell(upstream__name="nose", upstream__sha256=OTHER)
    expected = group(records)
    random.Random(0).shuffle(records)
    shuffled = group(records)
    assert [c.sha256 for c in shuffled.cells] == [c.sha256 for c in expected.cells]
    for one, other in zip(shuffled.cells, expected.cells, strict=True):
        assert (one.statistics() == other.statistics()).all()
        assert (one.task, one.upstream, one.downstream) == (other.task, other.upstream, other.downstream)


def test_flags_in_a_fixed_order() -> None:
    records = cell(
        task__speaker_independent=False, task__dev="test", downstream__transductive=True, task__corpus__synthetic=True
    )
    records[0] = records[0].model_copy(
        update={"provenance": records[0].provenance.model_copy(update={"code_sha256": OTHER})}
    )
    assert only(records).flags() == ["speaker-dependent", "dev = test", "transductive", "mixed code", "synthetic"]


def salty(records: list[Record], salt: str = SALT, folds: bool = False) -> list[Record]:
    """The records as they are in the local store: with what hides their speakers."""
    changes = {"salt": salt, "folds": folds}
    return [one.model_copy(update={"clusters": one.clusters.model_copy(update=changes)}) for one in records]


def published(records: list[Record]) -> list[Record]:
    return [salted(one) for one in salty(records)]


def nose(**changes) -> list[Record]:
    return cell(upstream__name="nose", upstream__sha256=OTHER, **changes)


def test_local_and_published_records_of_a_task_match() -> None:
    """Whichever way they come, speakers go by the names of the published ones."""
    both = group(salty(cell()), published(nose()))
    alone = group(published(cell()), published(nose()))
    assert [one.speakers for one in both.cells] == [one.speakers for one in alone.cells]
    assert both.cells[0].speakers == both.cells[1].speakers
    for one, other in zip(both.cells, alone.cells, strict=True):
        assert (one.statistics() == other.statistics()).all()
    assert only(salty(cell())).speakers == only(published(cell())).speakers
    assert only(salty(cell())[:2], published(cell())).complete


def test_folds_that_are_named_after_speakers_match_too() -> None:
    def alone(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {fold: 3 * np.eye(4)}

    local = salty(cell(alone), folds=True)
    shared = [salted(one) for one in salty(nose(by_speaker=alone), folds=True)]
    assert "one" not in {one.fold for one in shared}
    grouping = group(local, shared)
    assert [found.complete for found in grouping.cells] == [True, True]
    assert grouping.cells[0].units == grouping.cells[1].units
    older = cell(alone, upstream__name="mouth", upstream__sha256="8" * 64)
    assert group([*older, *local], shared).cells[1].units == grouping.cells[0].units


def test_older_records_match_where_one_of_their_protocol_has_the_salt() -> None:
    mixed = group([*cell(), *salty(nose())], published(cell(upstream__name="mouth", upstream__sha256="8" * 64)))
    assert len({one.speakers for one in mixed.cells}) == 1
    assert all(len(name) == 16 for name in mixed.cells[0].speakers)


def test_open_and_hidden_names_cannot_be_compared_without_a_salt() -> None:
    with pytest.raises(BenchError, match=r"has the open names of its speakers.*cannot be compared.*--rerun all"):
        group(cell(), published(nose()))
    assert len(group(cell(task__sha256=OTHER), published(nose())).cells) == 1  # of another protocol: superseded
    assert group([record(protocol="modified")], published(nose())).modified == {"toy": 1}


def test_records_of_other_salts_do_not_match() -> None:
    other = [salted(one) for one in salty(nose(), salt="f" * 64)]
    with pytest.raises(BenchError, match="were not tested on the same utterances"):
        group(published(cell()), other)


@pytest.mark.parametrize(
    ("default", "head", "needs", "track"),
    [
        ("superb", "superb", "mean", "fixed"),
        ("superb", "svm", "mean", "open head"),
        ("svm", "svm", "mean", "fixed"),
        ("superb", "superb", "waveform", "fine-tuned"),
        ("superb", "mine", "waveform", "fine-tuned"),
        (None, "superb", None, "fixed"),
        (None, "svm", None, "open head"),
    ],
)
def test_tracks(default: str | None, head: str, needs: str | None, track: str) -> None:
    changes = {"task__downstream": default, "downstream__name": head, "downstream__needs": needs}
    assert only(cell(**changes)).track == track


@pytest.mark.parametrize(
    "name", ["audeering-dim", "hf:Audeering/wav2vec2-large-robust-12-ft-emotion-MSP-dim", "logmel+audeering-dim@last"]
)
def test_a_record_that_denies_what_the_registry_knows_is_not_believed(name: str) -> None:
    denies = {"upstream__name": name, "upstream__trained_on": []}
    found = only(cell(**denies, task__corpus__name="msp-podcast"))
    assert found.contaminated == ("msp-podcast",)
    assert "contaminated" in found.flags()
    assert only(cell(**denies)).contaminated == ()


@pytest.mark.parametrize("name", ["", "hf:~nobody/x", "hf:" + "x" * 5000, "../x", "a\0b", "+", "hf:\ud800", "@"])
def test_of_a_name_that_nobody_knows_nothing_is_known(name: str) -> None:
    assert only([one.model_copy(update={"upstream": one.upstream.model_copy(update={"name": name})}) for one in cell()])
    assert known_trained_on(name) == frozenset()


def test_groups_of_utterances_are_marked() -> None:
    found = only(cell(clusters__unit="utterance"))
    assert (found.cluster, found.flags(), found.gender) == ("utterance", ["no speakers"], {})
    assert only(cell()).cluster == "speaker"


def test_known_speakers_are_counted() -> None:
    def some(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {"anna": np.eye(4), "unknown": np.eye(4)}

    assert (only(cell()).n_speakers, len(only(cell()).speakers)) == (4, 4)
    assert (only(cell(some)).n_speakers, len(only(cell(some)).speakers)) == (1, 2)
    assert only(cell(clusters__unit="utterance")).n_speakers == 0


def test_gender_is_united_over_records() -> None:
    def told(one: Record) -> Record:
        gender = {f"{one.fold}-anna": "female"}
        return one.model_copy(update={"clusters": one.clusters.model_copy(update={"gender": gender})})

    assert only([told(one) for one in cell()]).gender == {"one-anna": "female", "two-anna": "female"}


def test_statistics_larger_than_of_any_cell_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.records.cells.LARGEST_STATISTICS", 6 * 4 * 16 - 1)
    with pytest.raises(BenchError, match="has statistics of 384 values"):
        only(cell()).statistics()


def test_a_modified_protocol_never_enters_a_cell_and_is_counted() -> None:
    grouping = group(cell(), [record(protocol="modified"), record(protocol="modified", seed=1)])
    assert grouping.modified == {"toy": 2}
    assert grouping.cells[0].records[("one", 0)].protocol == "official"


def test_units_that_the_protocol_does_not_have_are_counted_and_left_out() -> None:
    grouping = group([*cell(), record(seed=99, task__seeds=[0, 1, 2]), record(fold="three", task__seeds=[0, 1, 2])])
    assert grouping.outside == {"toy": 2}
    assert grouping.cells[0].complete
    assert len(grouping.cells[0].records) == 6


@pytest.mark.parametrize("part", ["upstream__sha256", "downstream__sha256"])
def test_a_changed_upstream_or_head_supersedes_and_is_never_averaged(part: str) -> None:
    new = cell(**{part: OTHER}, provenance__created=LATER)
    for order in ([*cell(), *new], [*new, *cell()]):
        grouping = group(order)
        assert [c.created for c in grouping.cells] == [LATER]
        assert len(grouping.cells[0].records) == 6
        assert [c.created for c in grouping.superseded] == ["2026-01-02T03:04:05+00:00"]


def test_the_newest_complete_data_count() -> None:
    new = cell(task__sha256=OTHER, provenance__created=LATER)
    grouping = group([*cell(), *new[:-1]])
    assert [(c.complete, c.created) for c in grouping.cells] == [(True, "2026-01-02T03:04:05+00:00")]
    assert [c.created for c in grouping.superseded] == [LATER]
    assert [c.created for c in group([*cell(), *new]).cells] == [LATER]
    assert [c.created for c in group([*cell()[:-1], *new[:-1]]).cells] == [LATER]


@pytest.mark.parametrize(
    "part", ["task__sha256", "task__folds_sha256", "task__corpus__index_sha256", "task__corpus__audio_sha256"]
)
def test_a_changed_protocol_supersedes_every_cell_of_the_task(part: str) -> None:
    old = cell() + cell(upstream__name="nose", upstream__sha256="7" * 64)
    new = cell(**{part: OTHER}, provenance__created=LATER)
    other_task = cell(task__name="another")
    grouping = group(old + new + other_task)
    assert [(c.task.name, c.name) for c in grouping.cells] == [("another", "ears + superb"), ("toy", "ears + superb")]
    assert grouping.cells[1].created == LATER
    assert [c.name for c in grouping.superseded] == ["ears + superb", "nose + superb"]
    assert not same_protocol(grouping.cells[1].task, grouping.superseded[0].task)


def test_of_two_sources_the_first_counts() -> None:
    local = [record({"s": np.eye(4)}, task__folds=["one"], task__seeds=[0])]
    published = [record({"s": np.roll(np.eye(4), 1, axis=1)}, task__folds=["one"], task__seeds=[0])]
    assert only(local, published).statistics()[0, 0, 0].trace() == 4
    assert only(published, local).statistics()[0, 0, 0].trace() == 0


def test_two_sources_complete_each_other() -> None:
    records = cell()
    assert only(records[:3], records[2:]).complete


def test_the_same_record_twice_in_a_source_is_one() -> None:
    assert only(cell() + cell()).complete


def test_a_contradiction_inside_a_source_is_refused() -> None:
    with pytest.raises(BenchError, match=r"two different records of one unit: 'x' and 'y' \(toy, fold 'one', seed 0\)"):
        group([record(id="x"), record(id="y")])


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (np.eye(3), "statistics that are not 4 x 4"),
        (np.zeros((4, 5)), "statistics that are not 4 x 4"),
        (np.zeros((0, 0)), "statistics that are not 4 x 4"),
        (-np.eye(4), "impossible numbers"),
        (np.eye(4) / 2, "impossible numbers"),
        (np.zeros((4, 4)), "impossible numbers"),
    ],
)
def test_impossible_statistics_are_refused(statistics: np.ndarray, message: str) -> None:
    with pytest.raises(BenchError, match=message) as caught:
        group(cell(lambda fold, seed: {"mallory": statistics}))
    assert "'mallory'" in str(caught.value)
    assert "fold 'one'" in str(caught.value)


def test_ragged_statistics_are_refused() -> None:
    records = cell()
    records[0] = records[0].model_copy(update={"by_speaker": {"mallory": [[1.0], [1.0, 2.0], [], [3.0]]}})
    with pytest.raises(BenchError, match="statistics that are not 4 x 4"):
        group(records)


def test_a_completed_record_without_a_speaker_is_refused() -> None:
    with pytest.raises(BenchError, match="has no test speaker"):
        group(cell(lambda fold, seed: {}))


def moved(fold: str, seed: int) -> dict[str, np.ndarray]:
    """The truth of the records made up otherwise, with one utterance moved from a class to another."""
    one = 3 * np.eye(4)
    other = one + np.diag([1, -1, 0, 0]) if fold == "two" else one
    return {f"{fold}-anna": one, f"{fold}-bela": other}


def renamed(fold: str, seed: int) -> dict[str, np.ndarray]:
    return {f"{fold}-{name}": 3 * np.eye(4) for name in ("anna", "carl")}


def test_the_seeds_of_a_cell_were_tested_on_the_same_utterances() -> None:
    def longer(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {"s": np.eye(4) * (3 + (seed == 2))}

    with pytest.raises(BenchError, match=r"ears \+ superb, seed 0.* and .*ears \+ superb, seed 2") as caught:
        group(cell(longer))
    assert "were not tested on the same utterances of toy, fold 'one': they differ in speaker 's'" in str(caught.value)


@pytest.mark.parametrize(
    ("by_speaker", "speaker"), [(moved, "fold 'two': .*'two-bela'"), (renamed, "fold 'one': .*'one-bela'")]
)
def test_the_systems_of_a_protocol_were_tested_on_the_same_utterances(by_speaker, speaker: str) -> None:
    odd = cell(by_speaker, upstream__name="nose", upstream__sha256=OTHER)
    with pytest.raises(
        BenchError, match=rf"record '.*' \(ears.* and record '.*' \(nose.*{speaker}.*remove it, or both"
    ):
        group(cell(), odd)
    assert group(cell(), cell(by_speaker, task__sha256=OTHER)).cells  # of another protocol


def test_speakers_who_were_swapped_in_a_whole_cell_are_found() -> None:
    def uneven(fold: str, seed: int) -> dict[str, np.ndarray]:
        return {"anna": 3 * np.eye(4), "bela": 2 * np.eye(4)}

    def swapped(fold: str, seed: int) -> dict[str, np.ndarray]:
        return dict(zip(("bela", "anna"), uneven(fold, seed).values(), strict=True))

    honest = cell(uneven)
    group(honest, cell(lambda f, s: dict(reversed(uneven(f, s).items())), upstream__name="nose"))
    with pytest.raises(BenchError, match="differ in speaker 'anna'"):
        group(honest, cell(swapped, upstream__name="nose"))


def test_sums_of_values_may_differ_by_rounding_and_no_more() -> None:
    def rated(off: float):
        truth = np.array([[3.1], [2.7], [5.2]])
        values = MOMENTS.of(truth, truth + 1)
        values[0, 1] += off
        return lambda fold, seed: {"s": values}

    changes = {"task__kind": "regression", "task__outputs": ["arousal"], "task__metrics": ["ccc"]}
    honest = cell(rated(0), **changes)
    assert len(group(honest, cell(rated(1e-12), upstream__name="nose", **changes)).cells) == 2
    with pytest.raises(BenchError, match="differ in speaker 's'"):
        group(honest, cell(rated(1e-3), upstream__name="nose", **changes))


def test_only_units_that_enter_a_cell_are_compared() -> None:
    odd = [one for one in cell(renamed, seeds=[0, 1, 2, 9]) if one.seed == 9]
    outside = [one.model_copy(update={"task": cell()[0].task}) for one in odd]
    assert group(cell(), outside).outside == {"toy": 2}
    assert group(cell(), [one.model_copy(update={"protocol": "modified"}) for one in odd]).modified == {"toy": 2}


def test_a_cell_is_found_by_its_identity_and_not_by_its_names() -> None:
    old = cell()
    new = cell(upstream__sha256=OTHER, provenance__created=LATER)
    twin = cell(upstream__name="twin")  # another name for the same identity
    tuned = cell(downstream__sha256=OTHER)
    elsewhere = cell(task__sha256=OTHER, provenance__created=LATER)
    everything = old + new + twin + tuned + elsewhere + [record(protocol="modified", seed=5)]
    for records in (old, new, twin, tuned, elsewhere):
        (upstream, downstream), task = (records[0].upstream, records[0].downstream), records[0].task
        found = find_cell(
            everything,
            task=task,
            upstream=(upstream.name, upstream.sha256),
            downstream=(downstream.name, downstream.sha256),
            code=(records[0].provenance.upstream, records[0].provenance.downstream),
        )
        assert found is not None
        assert found.complete
        assert list(found.records.values()) == records


def test_a_cell_is_found_incomplete_and_beside_records_that_are_wrong() -> None:
    one = cell()[0]
    identity = {"task": one.task, "upstream": ("ears", "e" * 64), "downstream": ("superb", "f" * 64)}
    identity["code"] = (one.provenance.upstream, one.provenance.downstream)
    wrong = cell(lambda fold, seed: {"s": -np.eye(4)}, upstream__sha256=OTHER)
    found = find_cell([one, *wrong], **identity)
    assert found is not None
    assert (found.completed, found.complete) == ((("one", 0),), False)
    assert find_cell(wrong, **identity) is None
    assert find_cell([], **identity) is None


@pytest.mark.parametrize("metrics", [[], ["ccc"], ["uar", "ccc"]])
def test_metrics_must_suit_the_task(metrics: list[str]) -> None:
    with pytest.raises(BenchError, match="all of them for classification"):
        group([record(task__metrics=metrics)])


def test_the_digest_of_a_cell_tells_systems_apart() -> None:
    digests = {
        only(cell(**change)).sha256
        for change in ({}, {"upstream__sha256": OTHER}, {"downstream__sha256": OTHER}, {"task__sha256": OTHER})
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("seeds", "stochastic", "few"), [(1, True, True), (2, True, True), (3, True, False), (1, False, False)]
)
def test_few_seeds_of_a_head_that_has_them_are_marked(seeds: int, stochastic: bool, few: bool) -> None:
    found = only(cell(seeds=range(seeds), downstream__stochastic=stochastic))
    assert ("few seeds" in found.flags()) == few


def test_what_knows_nothing_of_the_speech_is_a_control() -> None:
    assert only(cell(upstream__name="chance")).control
    assert "control" in only(cell(upstream__name="chance")).flags()
    assert not any(only(cell(upstream__name=name)).control for name in ("mfcc", "chance-of-mine", "chance+mfcc"))


def test_the_table_is_the_track_or_apart() -> None:
    assert only(cell()).table == "fixed"
    assert only(cell(downstream__name="mlp")).table == "open head"
    assert only(cell(upstream__trained_on=["toys"])).table == "contaminated"


def test_a_cell_without_records_knows_what_it_knew_and_fails_where_asked_for_more() -> None:
    records = [*cell(provenance__code_sha256="1" * 64)[:4], failed(fold="two", seed=1, reason="nothing learnt")]
    found, same = only(records), only(records)
    found.forget_records()
    known = ("units", "completed", "failed", "missing", "reasons", "codes", "libraries", "made", "created", "audio_s")
    for name in (*known, "complete", "complete_folds", "contaminated", "table", "cluster", "speakers", "n_speakers"):
        assert getattr(found, name) == getattr(same, name), name
    assert found.flags() == same.flags()
    assert found.reasons == ("nothing learnt",)
    for ask in (
        lambda: found.records["one", 0],
        lambda: len(found.records),
        lambda: found.gender,
        lambda: found.of_units,
    ):
        with pytest.raises(RuntimeError, match="forgotten"):
            ask()
