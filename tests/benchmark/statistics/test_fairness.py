"""The gap between genders and the worst speaker."""

from __future__ import annotations

import numpy as np
import pytest
from small_cells import REGRESSION, counts, only, rated

from benchmark.errors import BenchError
from benchmark.metrics import METRICS
from benchmark.statistics.fairness import fairness

GENDERS = {"anna": "female", "bela": "male", "cleo": "female"}


def of(hits: dict[str, int], gender: dict[str, str], sizes: dict[str, int] | None = None, **changes):
    """One fold; speakers right so often of 10 (or their own size) in each class."""

    def by_speaker(fold: str, seed: int):
        return {name: counts(hits[name], (sizes or {}).get(name, 10)) for name in hits}

    changes = {"folds": ["one"], "seeds": [0], **changes}
    return only(by_speaker, clusters__gender=gender, **changes)


def test_the_gap_is_between_the_scores_of_all_speakers_of_a_gender() -> None:
    found = fairness(of({"anna": 9, "bela": 5, "cleo": 7}, GENDERS), "uar")
    assert found.by_gender == pytest.approx({"female": 0.8, "male": 0.5})
    assert found.gap == pytest.approx(0.3)
    assert (found.worst, found.median) == pytest.approx((0.5, 0.7))


def test_speakers_of_unknown_gender_are_in_no_group() -> None:
    known = {"anna": "female", "bela": "male"}
    found = fairness(of({"anna": 9, "bela": 5, "cleo": 1}, known), "uar")
    assert found.by_gender == pytest.approx({"female": 0.9, "male": 0.5})
    assert found.worst == pytest.approx(0.1)


@pytest.mark.parametrize("known", [{}, {"anna": "female"}, {"anna": "female", "cleo": "female"}])
def test_without_two_genders_there_is_no_gap(known: dict[str, str]) -> None:
    found = fairness(of({"anna": 9, "bela": 5, "cleo": 7}, known), "uar")
    assert (found.by_gender, found.gap) == ({}, None)


def test_seeds_are_averaged_before_the_worst_is_looked_for() -> None:
    """With seed 0 the one is at 0.2, with seed 1 the other: each is at 0.5 on average."""

    def by_speaker(fold: str, seed: int):
        return {"anna": counts(2 if seed else 8, 10), "bela": counts(8 if seed else 2, 10)}

    found = fairness(only(by_speaker, folds=["one"], seeds=[0, 1]), "uar")
    assert (found.worst, found.median) == pytest.approx((0.5, 0.5))


def test_a_speaker_of_few_utterances_is_not_the_worst() -> None:
    hits, sizes = {"anna": 9, "bela": 5, "cleo": 0}, {"anna": 10, "bela": 10, "cleo": 2}
    found = fairness(of(hits, GENDERS, sizes), "uar")
    assert found.worst == pytest.approx(0.5)
    few = fairness(of({"anna": 2, "bela": 1}, {}, {"anna": 2, "bela": 1}), "uar")
    assert few.worst == pytest.approx(1.0)  # of two who both have few, the one with the most counts


def test_a_fold_without_a_gender_drops_out_of_its_mean() -> None:
    """Folds are averaged; women are in the first one only."""
    people = {"one": {"anna": 8, "bela": 6}, "two": {"dan": 2}}

    def by_speaker(fold: str, seed: int):
        return {name: counts(hits, 10) for name, hits in people[fold].items()}

    gender = {"anna": "female", "bela": "male", "dan": "male"}
    found = only(by_speaker, seeds=[0], task__pool="folds", clusters__gender={})
    records = {
        unit: record.model_copy(
            update={
                "clusters": record.clusters.model_copy(
                    update={"gender": {k: v for k, v in gender.items() if k in people[record.fold]}}
                )
            }
        )
        for unit, record in found.records.items()
    }
    cell = type(found)(found.task, found.upstream, found.downstream, records)
    assert fairness(cell, "uar").by_gender["female"] == pytest.approx(0.8)
    assert 0.2 < fairness(cell, "uar").by_gender["male"] < 0.6


def test_for_errors_the_worst_is_the_largest() -> None:
    found = only(rated(4), folds=["one"], seeds=[0], **REGRESSION)
    each = METRICS["rmse"].compute(found.statistics()[0].sum(axis=0))
    assert fairness(found, "rmse").worst == pytest.approx(each.max())
    assert fairness(found, "rmse").median == pytest.approx(np.median(each))
    assert fairness(found, "ccc").worst == pytest.approx(
        METRICS["ccc"].compute(found.statistics()[0].sum(axis=0)).min()
    )


def test_groups_of_utterances_are_no_speakers() -> None:
    found = fairness(of({"x": 9, "y": 5}, {}, clusters__unit="utterance", counts__test_speakers=0), "uar")
    assert (found.by_gender, found.gap, found.worst, found.median) == ({}, None, None, None)


def test_metrics_of_another_kind_are_refused() -> None:
    with pytest.raises(BenchError, match="'ccc' is for regression"):
        fairness(only(), "ccc")


def test_utterances_without_a_speaker_are_not_one_person() -> None:
    found = fairness(of({"anna": 9, "bela": 5, "unknown": 0}, {}), "uar")
    assert (found.worst, found.median) == pytest.approx((0.5, 0.7))
    nobody = fairness(of({"unknown": 5}, {}), "uar")
    assert (nobody.worst, nobody.median) == (None, None)
