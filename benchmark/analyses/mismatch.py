"""How often two systems decide differently, beside how often two seeds of one system do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from benchmark.analyses.decisions import Decisions, check_alike, check_classes
from benchmark.analyses.ratios import Ratio, by_speaker, share

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mismatch:
    """Where the decisions of two systems part.

    Purohit and Magimai-Doss, "Emotion information recovery potential of wav2vec2 network fine-tuned for speech
    recognition task", table II, has `between` alone, of one run each.

    Attributes:
        a: The first system.
        b: The second one.
        task: The task's name.
        outputs: Names of the K classes.
        tests: How many decisions each seed made.
        seeds: Of a and of b.
        between: Share of the tests that a and b decide differently, the mean over all pairs of their seeds.
        within_a: What two seeds of a give, the mean over all pairs; None for a single seed.
        within_b: Likewise of b.
        beyond: `between` less the mean of what seeds give (of those systems that have several); None where none has.
        agreement: (K, K) tests by the decision of a (rows) and of b, the mean over all pairs of their seeds.
        kappa: Cohen's (1960) of that matrix: agreement beyond what the shares of decisions give by chance; NaN where
            all decisions are of one class.
    """

    a: str
    b: str
    task: str
    outputs: tuple[str, ...]
    tests: int
    seeds: tuple[int, int]
    between: Ratio
    within_a: Ratio | None
    within_b: Ratio | None
    beyond: Ratio | None
    agreement: Array
    kappa: float


def mismatch(a: Decisions, b: Decisions) -> Mismatch:
    """Compare the decisions of two systems on one task of classes.

    Raises:
        UsageError: The task has no classes.
        BenchError: They were not tested on the same utterances.
    """
    check_alike(a, b)
    check_classes(a)
    sizes = by_speaker(np.ones(len(a.tests)), a.speakers)
    between = _differing(a, product(a.decided, b.decided))
    within = [_differing(one, combinations(one.decided, 2)) if len(one.decided) > 1 else None for one in (a, b)]
    known = [one for one in within if one is not None]
    k = len(a.outputs)
    agreement = np.zeros((k, k))
    for one, other in product(a.decided, b.decided):
        np.add.at(agreement, (one, other), 1 / (len(a.decided) * len(b.decided)))
    return Mismatch(
        a=a.system,
        b=b.system,
        task=a.task,
        outputs=a.outputs,
        tests=len(a.tests),
        seeds=(len(a.decided), len(b.decided)),
        between=share(between, sizes),
        within_a=None if within[0] is None else share(within[0], sizes),
        within_b=None if within[1] is None else share(within[1], sizes),
        beyond=share(between - np.mean(known, axis=0), sizes, least=-1.0) if known else None,
        agreement=agreement,
        kappa=cohens_kappa(agreement),
    )


def cohens_kappa(agreement: Array) -> float:
    """Cohen's kappa of a matrix (K, K) of counts; NaN where chance alone agrees always."""
    shares = agreement / agreement.sum()
    chance = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return (float(np.trace(shares)) - chance) / (1 - chance) if chance < 1 else float("nan")


def _differing(one: Decisions, pairs: Iterable[tuple[Array, Array]]) -> Array:
    """How many tests of each speaker are decided differently, the mean over pairs of seeds: (S,)."""
    return by_speaker(np.mean([first != second for first, second in pairs], axis=0), one.speakers)
