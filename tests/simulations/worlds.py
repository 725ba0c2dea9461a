"""Worlds whose true scores are known, and corpora drawn from them.

A world has endless speakers, utterances, systems and seeds. A draw is what a benchmark sees of it: some speakers with
their utterances, and the results of some systems on them. Speakers differ (some are hard for every system), systems
differ from speaker to speaker (interaction), seeds differ, and differ from speaker to speaker; utterances are hard or
easy for all systems and seeds.

True scores need no simulation. A decision of the classification world is right where a normal variable stays below a
threshold that itself is a sum of normal effects, so that the recall is a value of the normal distribution function. In
the regression world the population moments of truth and prediction are known given the seed, and the CCC is integrated
over seeds (Gauss-Hermite). Tests compare both with draws of many speakers and seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from records_factory import record
from scipy import optimize, stats

from benchmark.io.files import digest
from benchmark.records import Record
from benchmark.records.cells import Cell

Array = NDArray[np.float64]

CLASSES = 4
UTTERANCES = 40  # of a speaker, on average
UNALIKE = 0.8  # how much of the variance of an utterance's difficulty is the same for every system and seed

# Standard deviations of the effects on a decision, in units of the normal threshold.
SPEAKER, SPEAKER_CLASS, SYSTEM_SPEAKER, SYSTEM_SPEAKER_CLASS, SEED, SEED_SPEAKER = 0.36, 0.25, 0.17, 0.12, 0.06, 0.12
RECALL = 0.65

# The corners: how many speakers a system fails on, and how far below; how many seeds learn nothing, and what they
# score; how much a model that was trained once is better or worse on everybody than its recipe is on average.
FAILS, FAILURE = 0.1, 1.5
COLLAPSE, CHANCE = 0.1, 1 / CLASSES
ONE_MODEL = 0.12

# Of the effects on a prediction: gain (how strongly it follows the truth) and bias, as (speaker, system x speaker,
# seed, seed x speaker); and of its errors: the same for all, of the system, of the seed.
GAIN, BIAS, ERROR = (0.12, 0.08, 0.02, 0.04), (0.25, 0.15, 0.03, 0.08), (0.5, 0.3, 0.3)
MEAN_GAIN = 0.6


class SimulatedCell(Cell):
    """A complete cell whose statistics are given, without records of units."""

    def __init__(self, pattern: Record, name: str, values: Array, key: str) -> None:
        super().__init__(pattern.task, pattern.upstream, pattern.downstream, {})
        for attribute, value in {"_name": name, "_values": values, "_key": key}.items():
            object.__setattr__(self, attribute, value)

    name = property(lambda self: self._name)
    sha256 = property(lambda self: self._key)
    seeds = property(lambda self: tuple(range(len(self._values))))
    complete = property(lambda self: True)
    cluster = property(lambda self: "speaker")
    speakers = property(lambda self: tuple(range(self._values.shape[2])))

    def statistics(self) -> Array:
        """(seeds, 1, speakers, ...) as given."""
        return self._values


@lru_cache
def pattern(metric: str) -> Record:
    """A record of a task with that primary metric."""
    if metric == "uar":
        return record(task__folds=["one"], task__metrics=["uar"])
    return record(task__folds=["one"], task__kind="regression", task__outputs=["arousal"], task__metrics=["ccc"])


@dataclass(frozen=True)
class World:
    """What corpora are drawn from.

    Attributes:
        metric: "uar" of four classes, or "ccc" of one dimension.
        speakers: Of a corpus.
        seeds: Of each system; 1: the head has none, and systems have no effects of seeds.
        design: "balanced": every speaker has the same number of utterances (of each class). "uneven": some say several
            times what others say, and classes differ. "one class": as in URDU, 85 % of the speakers have utterances of
            a single class, and their numbers differ even more; for the CCC, whose speakers differ in what they say.
            "seeds": balanced, but no system suits one speaker more than another, and seeds differ five times as much.
            Of the UAR alone, all balanced but for what is said: "few": eight utterances a speaker. "fails": every other
            system, the first among them, fails on one speaker in ten, and is as good as the rest. "collapse": a seed in
            ten learns nothing. "one model": all seeds share a training set that makes the system better or worse on
            everybody. "heavy": systems suit most speakers alike and a few very differently (Student's t with three
            degrees of freedom); its scores have no closed form.
        recall: The recall of a system without a shift.
    """

    metric: str
    speakers: int
    seeds: int
    design: str
    recall: float = RECALL

    @property
    def with_seeds(self) -> float:
        """1 where seeds have effects, else 0."""
        return float(self.seeds > 1)

    @property
    def interaction(self) -> float:
        """0 where no system suits one speaker more than another, else 1."""
        return float(self.design != "seeds")

    @property
    def seed_effect(self) -> float:
        """By how much effects of seeds are larger than in other designs; 0 where seeds have none."""
        return self.with_seeds * (5 if self.design == "seeds" else 1)

    @property
    def utterances(self) -> int:
        """Of a speaker, on average."""
        return 8 if self.design == "few" else UTTERANCES

    @cached_property
    def truth_between(self) -> float:
        """Regression: how much of the variance of the truth, which is 1, lies between speakers."""
        return 0.7 if self.design == "one class" else 0.2

    @cached_property
    def _threshold_variance(self) -> float:
        interaction = self.interaction * np.square((SYSTEM_SPEAKER, SYSTEM_SPEAKER_CLASS)).sum()
        of_seeds = (self.seed_effect * SEED) ** 2 + self.with_seeds * self.interaction * SEED_SPEAKER**2
        of_model = ONE_MODEL**2 * (self.design == "one model")
        return float(np.square((SPEAKER, SPEAKER_CLASS)).sum() + interaction + of_seeds + of_model)

    def threshold(self, score: float, *, fails: bool = False) -> float:
        """Classification: the mean threshold with which the true UAR is `score`, also where it fails on some."""
        spread = np.sqrt(1 + self._threshold_variance)
        if self.design == "collapse":
            score = (score - COLLAPSE * CHANCE) / (1 - COLLAPSE)
        if not fails:
            return float(stats.norm.ppf(score) * spread)

        def missing(level: float) -> float:
            good, bad = stats.norm.cdf(level / spread), stats.norm.cdf((level - FAILURE) / spread)
            return float((1 - FAILS) * good + FAILS * bad - score)

        return float(optimize.brentq(missing, -10, 10))

    @cached_property
    def score(self) -> float:
        """The true score of a system without a shift."""
        return self.recall if self.metric == "uar" else self.ccc(MEAN_GAIN)

    def ccc(self, gain: float) -> float:
        """Regression: the true CCC of a system with that mean gain."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(21)
        weights = weights / weights.sum()
        of_seed = gain + self.seed_effect * GAIN[2] * nodes[:, None]
        bias = self.seed_effect * BIAS[2] * nodes[None, :]
        used = np.array([1, self.interaction, 0, self.with_seeds * self.interaction])
        spread = np.square(used * GAIN).sum() + np.square(used * BIAS).sum() + np.square(ERROR).sum()
        values = 2 * of_seed / (1 + of_seed**2 + spread + bias**2)
        return float(weights @ values @ weights)

    def shifted(self, difference: float) -> float:
        """The `shift` of a system whose true score is higher by `difference`."""
        if self.metric == "uar":
            return self.threshold(self.recall + difference) - self.threshold(self.recall)
        wanted = self.score + difference
        return float(optimize.brentq(lambda gain: self.ccc(gain) - wanted, 0.0, 1.1) - MEAN_GAIN)

    def draw(self, rng: np.random.Generator, shifts: Sequence[float] = (0.0,)) -> Draw:
        """A corpus, and the results on it of one system for each shift of its threshold or gain."""
        return _classification(self, rng, shifts) if self.metric == "uar" else _regression(self, rng, shifts)


@dataclass(frozen=True, eq=False)
class Draw:
    """A corpus of a world with the results of m systems.

    Attributes:
        world: Where it is from.
        speaker: (N,) whose utterance each is.
        truth: (N,) class indices, or values.
        outcome: (m, R, N) whether each decision is right; or predictions.
        key: Different for every draw.
    """

    world: World
    speaker: NDArray[np.int64]
    truth: NDArray
    outcome: NDArray
    key: int
    _cells: dict[int, SimulatedCell] = field(default_factory=dict)

    @property
    def systems(self) -> int:
        """How many."""
        return len(self.outcome)

    def features(self, system: int) -> Array:
        """(R, N, D) what adds up over utterances: hits and sizes of the classes; or moments."""
        outcome = self.outcome[system].astype(float)
        if self.world.metric == "uar":
            of_class = np.eye(CLASSES)[self.truth]
            hits = outcome[..., None] * of_class
            return np.concatenate([hits, np.broadcast_to(of_class, hits.shape)], axis=-1)
        truth = np.broadcast_to(self.truth, outcome.shape)
        return np.stack(
            [np.ones_like(outcome), truth, outcome, truth**2, outcome**2, truth * outcome],
            axis=-1,
        )

    def by_speaker(self, system: int) -> Array:
        """(R, S, D): `features` added up."""
        features = self.features(system)
        order = np.argsort(self.speaker, kind="stable")
        starts = np.searchsorted(self.speaker[order], np.arange(self.world.speakers))
        return np.add.reduceat(features[:, order], starts, axis=1)

    def cell(self, system: int) -> SimulatedCell:
        """The system as the product sees it."""
        if system not in self._cells:
            sums = self.by_speaker(system)
            if self.world.metric == "uar":
                hits, sizes = sums[..., :CLASSES], sums[..., CLASSES:]
                # which class is decided where the decision is wrong does not matter to the UAR: the next one
                counts = hits[..., None] * np.eye(CLASSES)
                counts = counts + (sizes - hits)[..., None] * np.roll(np.eye(CLASSES), 1, axis=1)
            else:
                counts = sums[:, :, None, :]
            key = digest(["simulated", self.key, system])
            self._cells[system] = SimulatedCell(pattern(self.world.metric), f"system {system}", counts[:, None], key)
        return self._cells[system]


def _sizes(world: World, rng: np.random.Generator) -> NDArray[np.int64]:
    """(S, K) utterances of each speaker and class; every speaker has some, and every class has some."""
    speakers = world.speakers
    while True:
        if world.design not in ("uneven", "one class"):
            sizes = np.full((speakers, CLASSES), world.utterances // CLASSES)
        elif world.design == "uneven":
            talkative = np.exp(rng.normal(0, 0.6, (speakers, 1)))
            sizes = rng.poisson(UTTERANCES / CLASSES * talkative * np.array([0.5, 1, 1.5, 1]))
        else:
            sizes = rng.poisson(6, (speakers, CLASSES))
            single = rng.random(speakers) < 0.85
            number = np.maximum(1, 8 * np.exp(rng.normal(0, 0.8, speakers))).astype(int)
            only = np.eye(CLASSES, dtype=int)[np.arange(speakers) % CLASSES]
            sizes = np.where(single[:, None], number[:, None] * only, sizes)
        if sizes.sum(axis=0).all() and sizes.sum(axis=1).all():
            return sizes


def _classification(world: World, rng: np.random.Generator, shifts: Sequence[float]) -> Draw:
    sizes, systems, seeds, speakers = _sizes(world, rng), len(shifts), world.seeds, world.speakers
    speaker = np.repeat(np.arange(speakers), sizes.sum(axis=1))
    truth = np.concatenate([np.repeat(np.arange(CLASSES), of_speaker) for of_speaker in sizes])
    cell = (speakers, CLASSES)
    shared = rng.normal(0, SPEAKER, (speakers, 1)) + rng.normal(0, SPEAKER_CLASS, cell)
    interaction = rng.normal(0, SYSTEM_SPEAKER, (systems, 1, speakers, 1))
    if world.design == "heavy":
        interaction = SYSTEM_SPEAKER * rng.standard_t(3, (systems, 1, speakers, 1))
    if world.design == "one model":
        interaction = interaction + rng.normal(0, ONE_MODEL, (systems, 1, 1, 1))
    interaction = interaction + rng.normal(0, SYSTEM_SPEAKER_CLASS, (systems, 1, *cell))
    of_seeds = world.seed_effect * rng.normal(0, SEED, (systems, seeds, 1, 1))
    of_both = world.with_seeds * rng.normal(0, SEED_SPEAKER, (systems, seeds, speakers, 1))
    level = world.threshold(world.recall) + np.reshape(shifts, (-1, 1, 1, 1))
    if world.design == "fails":
        failing = np.arange(systems)[:, None, None, None] % 2 == 0
        level = np.where(
            failing, level + world.threshold(world.recall, fails=True) - world.threshold(world.recall), level
        )
        interaction = interaction - FAILURE * (failing & (rng.random((systems, 1, speakers, 1)) < FAILS))
    threshold = level + shared + of_seeds + world.interaction * (interaction + of_both)
    hard = np.sqrt(UNALIKE) * rng.normal(size=len(truth))
    own = np.sqrt(1 - UNALIKE) * rng.normal(size=(systems, seeds, len(truth)))
    outcome = hard + own < threshold[:, :, speaker, truth]
    if world.design == "collapse":
        lost = rng.random((systems, seeds, 1)) < COLLAPSE
        outcome = np.where(lost, rng.random(outcome.shape) < CHANCE, outcome)
    return Draw(world, speaker, truth, outcome, int(rng.integers(2**62)))


def _regression(world: World, rng: np.random.Generator, shifts: Sequence[float]) -> Draw:
    sizes, systems, seeds, speakers = _sizes(world, rng).sum(axis=1), len(shifts), world.seeds, world.speakers
    speaker = np.repeat(np.arange(speakers), sizes)
    between = world.truth_between
    truth = rng.normal(0, np.sqrt(between), speakers)[speaker] + rng.normal(0, np.sqrt(1 - between), len(speaker))

    def effect(of_speaker: float, of_system: float, of_seed: float, of_both: float) -> Array:
        shared, interaction = rng.normal(0, of_speaker, speakers), rng.normal(0, of_system, (systems, 1, speakers))
        seed = world.seed_effect * rng.normal(0, of_seed, (systems, seeds, 1))
        both = world.with_seeds * rng.normal(0, of_both, (systems, seeds, speakers))
        return shared + seed + world.interaction * (interaction + both)

    gain, bias = MEAN_GAIN + np.reshape(shifts, (-1, 1, 1)) + effect(*GAIN), effect(*BIAS)
    count = len(truth)
    noise = ERROR[0] * rng.normal(size=count) + ERROR[1] * rng.normal(size=(systems, 1, count))
    noise = noise + ERROR[2] * rng.normal(size=(systems, seeds, count))
    prediction = gain[:, :, speaker] * truth + bias[:, :, speaker] + noise
    return Draw(world, speaker, truth, prediction, int(rng.integers(2**62)))
