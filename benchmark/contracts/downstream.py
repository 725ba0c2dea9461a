"""The contract of a downstream, on a toy of three classes that hardly overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream
from benchmark.base.identity import identity_of
from benchmark.contracts.common import Check, attempt, difference, require, require_plain
from benchmark.metrics import uar
from benchmark.types import Examples, Needs, Selection

CLASSES = ("angry", "happy", "sad")
LAYERS, DIM, TURNS = 3, 8, 4
INNER_FOLDS = 3
LEARNT = 0.8  # UAR that every head reaches on the toy; chance is 0.33
TOLERANCE = 1e-5  # of a score, relative where it is above one: rounding in products of other sizes


def toy(needs: Needs, *, utterances: int, speakers: int, seed: int, sequences: bool = False) -> Examples:
    """Make examples of three classes: in every layer a centre each, with noise of speaker, utterance and frame.

    Args:
        needs: "mean" for x as (n, 3, 8) float32, "statistics" for (n, 3, 16), "frames" in 32 or 16 bits for n arrays
            (3, T, 8), T from 5 to 20.
        utterances: n.
        speakers: How many speakers they are spread over; each has every class.
        seed: Decides all but the centres, which are the same for every seed.
        sequences: Make x n arrays (S, 3, 8) of what was said before, in `TURNS` turns.
    """
    centres = np.random.Generator(np.random.PCG64(0)).standard_normal((len(CLASSES), LAYERS, DIM))
    generator = np.random.Generator(np.random.PCG64([1, seed]))
    speaker = np.arange(utterances) % speakers
    y = (np.arange(utterances) // speakers) % len(CLASSES)
    voices = 0.2 * generator.standard_normal((speakers, LAYERS, DIM))
    means = centres[y] + voices[speaker] + 0.4 * generator.standard_normal((utterances, LAYERS, DIM))
    x: NDArray[np.float32] | tuple[NDArray[np.float32], ...] = means.astype(np.float32)
    if needs == "statistics":
        deviations = 0.3 * generator.uniform(0.5, 1.5, means.shape)
        x = np.concatenate([means, deviations], axis=-1).astype(np.float32)
    elif needs != "mean":
        lengths = generator.integers(5, 21, utterances)
        x = tuple(
            (mean[:, np.newaxis] + 0.3 * generator.standard_normal((LAYERS, length, DIM))).astype(np.float32)
            for mean, length in zip(means, lengths, strict=True)
        )
    turns = None
    if sequences:
        turns = tuple(np.sort(np.append(np.arange(TURNS), generator.integers(0, TURNS, 2))) for _ in range(utterances))
        x = tuple(
            (mean + 0.3 * generator.standard_normal((len(spoken), LAYERS, DIM))).astype(np.float32)
            for mean, spoken in zip(means, turns, strict=True)
        )
    return Examples(
        ids=tuple(f"toy{seed}-{index:03d}" for index in range(utterances)),
        x=x,
        turns=turns,
        y=y.astype(np.int64),
        speakers=tuple(f"speaker{seed}-{index}" for index in speaker),
        outputs=CLASSES,
        kind="classification",
        metric="uar",
    )


def select(examples: Examples, rows: list[int]) -> Examples:
    """Some of the examples, in the order of `rows`, without their targets."""
    x = examples.x[rows] if isinstance(examples.x, np.ndarray) else tuple(examples.x[row] for row in rows)
    ids, speakers = (tuple(values[row] for row in rows) for values in (examples.ids, examples.speakers))
    turns = None if examples.turns is None else tuple(examples.turns[row] for row in rows)
    return replace(examples, ids=ids, x=x, y=None, speakers=speakers, turns=turns)


def _content(examples: Examples) -> bytes:
    x = [examples.x] if isinstance(examples.x, np.ndarray) else list(examples.x)
    y = [] if examples.y is None else [examples.y]
    return b"".join(array.tobytes() for array in (*x, *y, *(examples.turns or ())))


class _Toys:
    """A downstream, the examples it is checked with, and what it makes of them with each seed."""

    def __init__(self, make: Callable[[], Downstream]) -> None:
        self.make = make
        self.head = attempt(make, "making the downstream")
        self.train = self.toy(60, speakers=6, seed=0)
        self.dev = self.toy(30, speakers=3, seed=1)
        self.labelled_test = self.toy(30, speakers=3, seed=2)
        self.test = select(self.labelled_test, list(range(30)))
        self._fitted: tuple[Downstream, Selection] | None = None

    def toy(self, utterances: int, speakers: int, seed: int) -> Examples:
        """Examples of the kind that the head takes."""
        return toy(self.head.needs, utterances=utterances, speakers=speakers, seed=seed, sequences=self.head.sequences)

    def fit(self, seed: int) -> tuple[Downstream, Selection]:
        """Fit a new head."""
        head = attempt(self.make, "making the downstream")
        more = {"adapt": self.test} if head.adapts else {}
        selection = attempt(
            lambda: head.fit(self.train, self.dev, seed=seed, **more), f"fitting on the toy with seed {seed}"
        )
        return head, selection

    def fitted(self) -> tuple[Downstream, Selection]:
        """The head fitted with seed 0, once."""
        if self._fitted is None:
            self._fitted = self.fit(0)
        return self._fitted

    def predict(self, head: Downstream, examples: Examples) -> NDArray[np.float64]:
        """Scores of a fitted head, of the right shape and type."""
        count = len(examples)
        scores = attempt(lambda: head.predict(examples), f"predicting {count} utterances")
        shape, dtype = getattr(scores, "shape", None), getattr(scores, "dtype", type(scores).__name__)
        require(
            shape == (count, len(CLASSES)) and dtype == np.float64,
            f"predict returns shape {shape} and dtype {dtype} for {count} utterances of {len(CLASSES)} classes",
            f"it returns a float64 array of shape {(count, len(CLASSES))}",
        )
        return scores

    def scores(self) -> NDArray[np.float64]:
        """Scores of the test utterances by the head fitted with seed 0."""
        return self.predict(self.fitted()[0], self.test)


def check_downstream(make: Callable[[], Downstream]) -> Iterator[Check]:
    """List the checks of a downstream; a head is fitted three times in all, one that selects on inner folds four times.

    Args:
        make: Makes a new head. Nothing is fitted before the first check runs.

    Raises:
        BenchError: `make` fails.
    """
    toys = _Toys(make)
    yield Check("identity is plain, stable and free of paths", lambda: _identity(toys))
    yield Check("scores have the right shape and are finite", lambda: _finite(toys))
    yield Check("separable classes are learnt", lambda: _learns(toys))
    yield Check("the selection is well formed", lambda: _selection(toys))
    yield Check("the examples are not changed", lambda: _inputs_unchanged(toys))
    yield Check("the same seed gives the same bytes", lambda: _reproducible(toys))
    yield Check("the seed matters exactly where it is said to", lambda: _seed(toys))
    yield Check("the order of the utterances does not matter", lambda: _order(toys))
    if toys.head.uses_dev == "select" and toys.head.inner_selection == "all":
        yield Check("inner folds of train take the place of a dev set", lambda: _inner(toys))
    if not toys.head.transductive:
        yield Check("a score does not depend on the other utterances", lambda: _independent(toys))


def _identity(toys: _Toys) -> None:
    first = require_plain(identity_of(toys.head), "the identity")
    second = require_plain(identity_of(toys.make()), "the identity of a second head")
    require(first == second, "two heads have different identities", "no random or local value belongs in params")
    fitted = require_plain(identity_of(toys.fitted()[0]), "the identity after fitting")
    require(first == fitted, "the identity changes with fitting", "it is what the recipe says, not what was learnt")


def _finite(toys: _Toys) -> None:
    scores = toys.scores()
    broken = np.argwhere(~np.isfinite(scores))
    if len(broken):
        row, column = broken[0]
        require(
            False,
            f"{len(broken)} of {scores.size} scores are not finite, the first {scores[row, column]} "
            f"for utterance {toys.test.ids[row]!r} and class {CLASSES[column]!r}",
            "does the training diverge?",
        )
    count = toys.fitted()[0].parameters()
    require(isinstance(count, int) and count >= 0, f"parameters() returns {count!r}", "it is a number of values")


def _learns(toys: _Toys) -> None:
    truth, decision = np.asarray(toys.labelled_test.y), toys.scores().argmax(axis=1)
    counts = np.zeros((len(CLASSES), len(CLASSES)))
    np.add.at(counts, (truth, decision), 1)
    reached = float(uar(counts))
    require(
        reached >= LEARNT,
        f"the head reaches a UAR of {reached:.2f} on three classes that hardly overlap",
        f"{LEARNT} is expected: are labels and utterances still aligned, and are the scores in the order of outputs?",
    )


def _selection(toys: _Toys) -> None:
    selection = toys.fitted()[1]
    require(
        isinstance(selection, Selection),
        f"fit returns {type(selection).__name__}",
        "fit returns benchmark.types.Selection",
    )
    score, epoch, weights = selection.score, selection.epoch, selection.layer_weights
    require(
        (selection.on is None) == (score is None) and (score is None or math.isfinite(score)),
        f"the selection has on={selection.on!r} and score={score!r}",
        "both say what was selected on and what it reached, or both are None",
    )
    require(epoch is None or epoch >= 1, f"the selection has epoch {epoch!r}", "epochs count from 1")
    if weights is not None:
        require(
            len(weights) == LAYERS and min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-4,
            f"the layer weights of {LAYERS} layers are {weights!r}",
            "one weight a layer, none negative, summing to one",
        )
    require_plain({"on": selection.on, "chosen": dict(selection.chosen)}, "the selection")


def _inputs_unchanged(toys: _Toys) -> None:
    sets = {"train": toys.train, "dev": toys.dev, "test": toys.test}
    pristine = {
        "train": toys.toy(60, speakers=6, seed=0),
        "dev": toys.toy(30, speakers=3, seed=1),
        "test": replace(toys.toy(30, speakers=3, seed=2), y=None),
    }
    toys.scores()
    for name, examples in sets.items():
        require(
            _content(examples) == _content(pristine[name]),
            f"fit or predict changes the {name} examples it is given",
            "the run shares them between heads: work on a copy",
        )


def _same_bytes(first: NDArray[np.float64], second: NDArray[np.float64], message: str, hint: str) -> None:
    if first.tobytes() != second.tobytes():
        require(False, f"{message}: {difference(first, second, 'utterance')}", hint)


def _reproducible(toys: _Toys) -> None:
    first = toys.scores()
    hint = "initialisation and order come from a generator seeded with `seed`, and threads must not add in any order"
    _same_bytes(first, toys.scores(), "the same head predicts the same utterances in two ways", "predict draws nothing")
    again = toys.predict(toys.fit(0)[0], toys.test)
    _same_bytes(first, again, "two heads fitted with seed 0 give different scores", hint)


def _seed(toys: _Toys) -> None:
    other = toys.predict(toys.fit(1)[0], toys.test)
    if toys.head.stochastic:
        require(
            other.tobytes() != toys.scores().tobytes(),
            "seeds 0 and 1 give the same scores",
            "`stochastic` says that the seed matters: use it, or return False, so that one seed is run",
        )
    else:
        hint = "`stochastic` says that the seed does not matter: return True, so that every seed is run"
        _same_bytes(toys.scores(), other, "seeds 0 and 1 give different scores", hint)


def _require_close(expected: NDArray[np.float64], found: NDArray[np.float64], message: str, hint: str) -> None:
    if not np.allclose(expected, found, rtol=TOLERANCE, atol=TOLERANCE):
        require(False, f"{message}: {difference(expected, found, 'utterance')}", hint)


def _inner(toys: _Toys) -> None:
    names = sorted(set(toys.train.speakers))
    inner = np.array([names.index(name) % INNER_FOLDS for name in toys.train.speakers], dtype=np.int64)
    head = attempt(toys.make, "making the downstream")
    train, nobody = replace(toys.train, inner=inner), toys.dev.part([])
    selection = attempt(lambda: head.fit(train, nobody, seed=0), "fitting on inner folds, without a dev set")
    found = getattr(selection, "inner_folds", None)
    require(
        found == INNER_FOLDS,
        f"the selection says inner_folds={found!r}",
        f"a head that selects on all {INNER_FOLDS} inner folds says so; one that does not leaves inner_selection alone",
    )
    toys.predict(head, toys.test)


def _order(toys: _Toys) -> None:
    rows = [int(row) for row in np.random.Generator(np.random.PCG64(3)).permutation(len(toys.test))]
    shuffled = toys.predict(toys.fitted()[0], select(toys.test, rows))
    message = "utterances predicted in another order get other scores"
    _require_close(toys.scores()[rows], shuffled, message, "scores are returned in the order of the utterances")


def _independent(toys: _Toys) -> None:
    head, together = toys.fitted()[0], toys.scores()
    hint = "statistics of the test set make a head transductive: say so with `transductive`, or fit them on train"
    for rows in ([0], [7], list(range(5, 15))):
        alone = toys.predict(head, select(toys.test, rows))
        message = f"{len(rows)} of {len(toys.test)} utterances, from {toys.test.ids[rows[0]]!r}, predicted apart"
        _require_close(together[rows], alone, f"{message} get other scores", hint)
