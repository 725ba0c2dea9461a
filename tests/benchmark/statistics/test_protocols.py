"""One system under two protocols that test the same utterances: what the protocol alone adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
import scipy.stats
from records_factory import cell
from small_cells import accuracies, made_up

from benchmark.errors import BenchError
from benchmark.records import Record
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import cell_scores, compare_protocols
from benchmark.statistics.scores import effective_speakers

RANDOM = {"task__name": "toy-random", "task__sha256": "7" * 64, "task__speaker_independent": False}


def one(records: Iterable[Record]) -> Cell:
    (found,) = group(records).cells
    return found


def held_out(n: int = 10, **changes: object) -> Cell:
    return one(cell(made_up(n, 0.6, tag=1), seeds=(0,), **changes))


def known(n: int = 10, **changes: object) -> Cell:
    """The same utterances in other folds: half of each speaker's in either."""
    honest = {speaker: counts for fold in ("one", "two") for speaker, counts in made_up(n, 0.8, tag=2)(fold, 0).items()}

    def half(fold: str, seed: int) -> dict[str, np.ndarray]:
        part = {speaker: np.asarray(counts) // 2 for speaker, counts in honest.items()}
        return part if fold == "one" else {name: np.asarray(honest[name]) - part[name] for name in part}

    return one(cell(half, seeds=(0,), **{**RANDOM, **changes}))


def test_what_a_protocol_adds_is_a_paired_t_test_over_speakers() -> None:
    a, b = known(), held_out()
    assert len(a.speakers) == len(b.speakers) == 20
    golden = scipy.stats.ttest_rel(accuracies(a), accuracies(b))
    found = compare_protocols(a, b, "wa")
    assert found.delta == pytest.approx(cell_scores(a, "wa").mean - cell_scores(b, "wa").mean)
    assert (found.low, found.high) == pytest.approx(tuple(golden.confidence_interval()))
    assert found.p == pytest.approx(golden.pvalue)
    assert (found.a, found.b, found.task) == ("toy-random", "toy", a.name)
    assert (found.n_clusters, found.family) == (20, "alone")
    assert compare_protocols(b, a, "wa").delta == pytest.approx(-found.delta)


def test_with_folds_pooled_the_order_of_protocols_only_turns_the_sign() -> None:
    """Each divides the speakers into folds of its own, in which they weigh otherwise: the fewer of both count."""

    def divided(folds: dict[str, str], tag: int) -> Callable[[str, int], dict[str, np.ndarray]]:
        made = {name: counts for fold in ("one", "two") for name, counts in made_up(5, 0.7, tag=tag)(fold, 0).items()}
        return lambda fold, seed: {name: made[name] for name in made if folds.get(name, "two") == fold}

    names = sorted(name for fold in ("one", "two") for name in made_up(5, 0.7, tag=1)(fold, 0))
    a = one(cell(divided(dict.fromkeys(names[:5], "one"), 1), seeds=(0,), task__pool="folds", **RANDOM))
    b = one(cell(divided(dict.fromkeys(names[:1], "one"), 2), seeds=(0,), task__pool="folds"))
    found, turned = compare_protocols(a, b, "wa"), compare_protocols(b, a, "wa")
    worth = [effective_speakers(one.statistics(), one.task) for one in (a, b)]
    assert worth[0] != worth[1]
    assert found.effective_clusters == min(worth)
    assert found.df == turned.df
    assert found.p == turned.p
    assert (found.low, found.high) == (-turned.high, -turned.low)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: held_out(downstream__sha256="9" * 64), "are not one system"),
        (lambda: held_out(upstream__sha256="9" * 64), "are not one system"),
        (lambda: held_out(9), "do not test the same utterances"),
        (lambda: held_out(task__pool="folds"), "do not test the same utterances"),
        (lambda: one(cell(lambda fold, seed: {f"{fold}-{n}": np.eye(4) for n in range(10)}, seeds=(0,))), "the same"),
    ],
)
def test_other_systems_and_other_utterances_are_refused(other, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        compare_protocols(known(), other(), "wa")
