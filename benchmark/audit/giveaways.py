"""How well a class can be told without listening: from the speaker, the sentence or the duration alone.

Speaker and sentence: the majority vote of the other utterances of the same speaker or sentence, and normalised mutual
information. Duration: the class whose other utterances are of the nearest mean duration. Every utterance is guessed
from all others (leave one utterance out). A vote of few utterances, or of classes of unequal size, is not right by
chance once in K times, so each figure stands beside its own chance level: the mean over shuffles of the classes.
A sentence that is said equally often in every class votes for any but the left-out one: UAR 0, below chance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmark.audit.report import Giveaway
from benchmark.metrics import uar

Codes = NDArray[np.int64]
Contingency = NDArray[np.int64]

SHUFFLES = 20
# Durations that differ by less are the same: what is left of rounding, far below one sample.
RESOLUTION = 12


def from_groups(groups: Codes, classes: Codes, n_classes: int) -> Giveaway | None:
    """What a group (speaker or sentence) tells of the class.

    Args:
        groups: (n,) group of each utterance, from 0; -1 for none, which is left out.
        classes: (n,) class of each utterance, in [0, n_classes).
        n_classes: K.

    Returns:
        None where no group is known, or there are fewer than two classes to tell apart.
    """
    known = groups >= 0
    names, own = np.unique(groups[known], return_inverse=True)
    truth = classes[known]
    if len(np.unique(truth)) < 2:
        return None

    def table(classes: Codes) -> Contingency:
        return contingency(own, classes, len(names), n_classes)

    return Giveaway(
        utterances=len(truth),
        groups=len(names),
        uar=vote_uar(table(truth)),
        chance_uar=_by_chance(lambda shuffled: vote_uar(table(shuffled)), truth),
        nmi=normalised_mutual_information(table(truth)),
        chance_nmi=_by_chance(lambda shuffled: normalised_mutual_information(table(shuffled)), truth),
    )


def from_durations(durations: NDArray[np.float64], classes: Codes, n_classes: int) -> Giveaway | None:
    """What the duration tells of the class.

    Args:
        durations: (n,) duration of each utterance [s], more than 0; nan where it is not known, which is left out.
        classes: (n,) class of each utterance, in [0, n_classes).
        n_classes: K.

    Returns:
        None where no duration is known, or there are fewer than two classes to tell apart.
    """
    known = np.isfinite(durations)
    truth, logs = classes[known], np.log(durations[known])
    if len(np.unique(truth)) < 2:
        return None
    chance = _by_chance(lambda shuffled: nearest_mean_uar(logs, shuffled, n_classes), truth)
    return Giveaway(len(truth), None, nearest_mean_uar(logs, truth, n_classes), chance, None, None)


def contingency(groups: Codes, classes: Codes, n_groups: int, n_classes: int) -> Contingency:
    """Utterances of each class in each group.

    Args:
        groups: (n,) in [0, n_groups).
        classes: (n,) in [0, n_classes).
        n_groups: G.
        n_classes: K.

    Returns:
        (G, K) int64.
    """
    pairs = np.bincount(groups * n_classes + classes, minlength=n_groups * n_classes)
    return pairs.reshape(n_groups, n_classes).astype(np.int64)


def vote_uar(table: Contingency) -> float:
    """UAR of the majority vote of the other utterances of a group.

    The first of equally frequent classes is guessed, so also for the only utterance of a group.

    Args:
        table: (G, K) utterances of each class in each group.

    Returns:
        In [0, 1].
    """
    n_classes = table.shape[1]
    counts = np.zeros((n_classes, n_classes))
    for truth in range(n_classes):
        others = table.copy()
        others[:, truth] -= 1
        counts[truth] = np.bincount(others.argmax(axis=1), weights=table[:, truth], minlength=n_classes)
    return float(uar(counts))


def normalised_mutual_information(table: Contingency) -> float:
    """I(group; class) / ((H(group) + H(class)) / 2): 0 where a group tells nothing, 1 where each tells the other.

    As scikit-learn's `normalized_mutual_info_score` with its default, the arithmetic mean. Source: Vinh, Epps, Bailey,
    "Information Theoretic Measures for Clusterings Comparison", JMLR 11 (2010), table 2, NMI_sum.

    Args:
        table: (G, K) utterances of each class in each group.

    Returns:
        In [0, 1]; 1 where there is one group and one class.
    """
    of_group, of_class, joint = _entropy(table.sum(axis=1)), _entropy(table.sum(axis=0)), _entropy(table)
    if of_group + of_class == 0:
        return 1.0
    return float(np.clip(2 * (of_group + of_class - joint) / (of_group + of_class), 0, 1))


def nearest_mean_uar(values: NDArray[np.float64], classes: Codes, n_classes: int) -> float:
    """UAR of guessing the class whose other values have the nearest mean; the first of equally near ones.

    Args:
        values: (n,) finite values.
        classes: (n,) in [0, n_classes).
        n_classes: K.

    Returns:
        In [0, 1].
    """
    size = np.bincount(classes, minlength=n_classes)
    total = np.bincount(classes, weights=values, minlength=n_classes)
    every = np.arange(len(values))
    means = np.broadcast_to(np.where(size > 0, total / np.maximum(size, 1), np.inf), (len(values), n_classes)).copy()
    others = size[classes] - 1
    without = (total[classes] - values) / np.maximum(others, 1)
    means[every, classes] = np.where(others > 0, without, np.inf)
    decision = np.round(np.abs(values[:, None] - means), RESOLUTION).argmin(axis=1)
    return float(uar(contingency(classes, decision, n_classes, n_classes)))


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def _by_chance(measure: Callable[[Codes], float], classes: Codes) -> float:
    """The mean of a measure over shuffles of the classes, always the same ones."""
    generator = np.random.default_rng(0)
    return float(np.mean([measure(generator.permutation(classes)) for _ in range(SHUFFLES)]))
