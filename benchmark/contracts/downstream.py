"""The contract of a downstream, on easy examples and on noise."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from benchmark.base import Downstream
from benchmark.base.identity import identity_of
from benchmark.contracts.common import Check, attempt, difference, require, require_plain
from benchmark.contracts.fitted_toys import FittedToys
from benchmark.contracts.toys import LAYERS, content, layers_of, select
from benchmark.io.kept import homes, read_kept, write_kept
from benchmark.metrics import score
from benchmark.sufficient import ROUNDING_OF_PROBABILITIES
from benchmark.types import Examples, Probabilities, Selection

INNER_FOLDS = 3
# What every head reaches on the easy examples, and none on 300 utterances of noise: UAR (chance is 0.33, its deviation
# 0.027) and CCC (0 and 0.06).
LEARNT = {"classification": 0.8, "regression": 0.6}
NOT_LEARNT = {"classification": 0.47, "regression": 0.3}
METRIC = {"classification": "uar", "regression": "ccc"}
TOLERANCE = 1e-5  # of a score, relative where it is above one: rounding in products of other sizes
# Two threads add in another order, and training makes more of a rounding; a run fits every head in one thread.
THREADS_TOLERANCE = 1e-3


def check_downstream(make: Callable[[], Downstream], brief: Callable[[], Downstream] | None = None) -> Iterator[Check]:
    """List the checks of a downstream.

    A head is fitted five times in all, four of them on noise; once more where it takes both kinds, and once more where
    it selects on inner folds.

    Args:
        make: Makes a new head. Nothing is fitted before the first check runs.
        brief: Makes the same head with a shorter training, for those checks in which one training is compared with
            another; where not given, they are as long as any.

    Raises:
        BenchError: `make` fails.
    """
    kinds = attempt(make, "making the downstream").kinds
    toys, *others = (FittedToys(make, kind, brief) for kind in kinds)
    yield Check("identity is plain, stable and free of paths", lambda: _identity(toys))
    yield Check("scores have the right shape and are finite", lambda: _finite(toys))
    yield Check(f"{_WHAT[toys.kind]} are learnt", lambda: _learns(toys))
    if toys.head.probabilities is not None and "classification" in kinds:
        of_classes = next(one for one in (toys, *others) if one.kind == "classification")
        yield Check("probabilities are what they are said to be", lambda: _probabilities(of_classes))
    for other in others:
        yield Check(f"{_WHAT[other.kind]} are learnt", lambda other=other: _learns(other))  # type: ignore[misc]
    yield Check("noise is not learnt", lambda: _does_not_learn_noise(toys))
    yield Check("the selection is well formed", lambda: _selection(toys))
    yield Check("the examples are not changed", lambda: _inputs_unchanged(toys))
    yield Check("the same seed gives the same bytes", lambda: _reproducible(toys))
    yield Check("one thread or two give the same", lambda: _threads(toys))
    yield Check("the seed matters exactly where it is said to", lambda: _seed(toys))
    yield Check("the order of the utterances does not matter", lambda: _order(toys))
    if toys.head.uses_dev == "select" and toys.head.inner_selection == "all":
        yield Check("inner folds of train take the place of a dev set", lambda: _inner(toys))
    if not toys.head.transductive:
        yield Check("a score does not depend on the other utterances", lambda: _independent(toys))
        if toys.head.needs.startswith("frames") or toys.head.needs == "waveform":
            yield Check("a short utterance scores alike beside a long one", lambda: _unpadded(toys))
    yield Check("a head that was saved and loaded predicts the same", lambda: _saved(toys))


_WHAT = {"classification": "separable classes", "regression": "dimensions"}


def _identity(toys: FittedToys) -> None:
    first = require_plain(identity_of(toys.head), "the identity")
    second = require_plain(identity_of(toys.make()), "the identity of a second head")
    require(first == second, "two heads have different identities", "no random or local value belongs in params")
    fitted = require_plain(identity_of(toys.fitted()[0]), "the identity after fitting")
    require(first == fitted, "the identity changes with fitting", "it is what the recipe says, not what was learnt")


def _finite(toys: FittedToys) -> None:
    scores = toys.scores()
    broken = np.argwhere(~np.isfinite(scores))
    if len(broken):
        row, column = broken[0]
        require(
            False,
            f"{len(broken)} of {scores.size} scores are not finite, the first {scores[row, column]} "
            f"for utterance {toys.test.ids[row]!r} and {toys.train.outputs[column]!r}",
            "does the training diverge?",
        )
    count = toys.fitted()[0].parameters()
    require(isinstance(count, int) and count >= 0, f"parameters() returns {count!r}", "it is a number of values")


def _probabilities(toys: FittedToys) -> None:
    scores, form = toys.scores(), toys.head.probabilities
    require(
        form in get_args(Probabilities),
        f"`probabilities` is {form!r}",
        f"one of {', '.join(get_args(Probabilities))}, or None",
    )
    hint = '`probabilities` is "plain", "log" for their natural logarithms, or None for other scores'
    likely = np.exp(scores) if form == "log" else scores
    lowest = np.unravel_index(likely.argmin(), likely.shape)
    require(
        bool(likely[lowest] >= 0),
        f"utterance {toys.test.ids[int(lowest[0])]!r} has a probability of {likely[lowest]:.6g}",
        hint,
    )
    sums = likely.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    require(
        bool(abs(sums[worst] - 1) <= ROUNDING_OF_PROBABILITIES),
        f"the probabilities of utterance {toys.test.ids[worst]!r} sum to {sums[worst]:.6g}",
        hint,
    )


def _learns(toys: FittedToys) -> None:
    reached, expected = _reached(toys, toys.scores(), toys.labelled_test), LEARNT[toys.kind]
    easy = (
        "three classes that hardly overlap" if toys.kind == "classification" else "two dimensions that features sum to"
    )
    require(
        reached >= expected,
        f"the head reaches {METRIC[toys.kind].upper()} {reached:.2f} on {easy}",
        f"{expected} is expected: are targets and utterances still aligned, are scores in the order of outputs?",
    )


def _does_not_learn_noise(toys: FittedToys) -> None:
    """Whoever gains where features say nothing has the targets from elsewhere: from the order, or from ids."""
    reached = _reached(toys, toys.noisy(0, brief=False)[1], toys.labelled_noise)
    limit = NOT_LEARNT[toys.kind]
    require(
        not reached > limit,
        f"the head reaches {METRIC[toys.kind].upper()} {reached:.2f} on features that say nothing of the targets",
        f"at most {limit} can be chance: it must not use ids, speakers or the order of utterances",
    )


def _reached(toys: FittedToys, scores: NDArray[np.float64], labelled: Examples) -> float:
    return float(score(METRIC[toys.kind], np.asarray(labelled.y), scores))


def _selection(toys: FittedToys) -> None:
    selection = toys.fitted()[1]
    require(
        isinstance(selection, Selection),
        f"fit returns {type(selection).__name__}",
        "fit returns benchmark.Selection",
    )
    score, epoch, weights = selection.score, selection.epoch, selection.layer_weights
    require(
        (selection.on is None) == (score is None) and (score is None or math.isfinite(score)),
        f"the selection has on={selection.on!r} and score={score!r}",
        "both say what was selected on and what it reached, or both are None",
    )
    require(epoch is None or epoch >= 1, f"the selection has epoch {epoch!r}", "epochs count from 1")
    if weights is not None:
        layers = LAYERS if toys.head.needs == "waveform" else layers_of(toys.train, toys.head.needs)
        require(
            len(weights) == layers and min(weights) >= 0 and abs(sum(weights) - 1) <= 1e-4,
            f"the layer weights of {layers} layers are {weights!r}",
            "one weight a layer, none negative, summing to one",
        )
    require_plain({"on": selection.on, "chosen": dict(selection.chosen)}, "the selection")


def _inputs_unchanged(toys: FittedToys) -> None:
    sets = {"train": toys.train, "dev": toys.dev, "test": toys.test}
    pristine = {
        "train": toys.toy(60, speakers=6, seed=0),
        "dev": toys.toy(30, speakers=3, seed=1),
        "test": replace(toys.toy(30, speakers=3, seed=2), y=None),
    }
    toys.scores()
    for name, examples in sets.items():
        require(
            content(examples) == content(pristine[name]),
            f"fit or predict changes the {name} examples it is given",
            "the run shares them between heads: work on a copy",
        )


def _same_bytes(first: NDArray[np.float64], second: NDArray[np.float64], message: str, hint: str) -> None:
    if first.tobytes() != second.tobytes():
        require(False, f"{message}: {difference(first, second, 'utterance')}", hint)


def _reproducible(toys: FittedToys) -> None:
    """On noise: no score is saturated there, and a head that selects soon ends; its curve tells of every epoch."""
    hint = "initialisation and order come from a generator seeded with `seed`, and threads must not add in any order"
    message = "the same head predicts the same utterances in two ways"
    _same_bytes(toys.scores(), toys.scores(), message, "predict draws nothing")
    first, again = toys.noisy(0), toys.noisy_again(0)
    _same_bytes(first[1], again[1], "two heads fitted with seed 0 give different scores", hint)
    # By their texts, in which every digit stands and two numbers that are none are alike.
    require(repr(first[0]) == repr(again[0]), "two heads fitted with seed 0 give different selections", hint)


def _threads(toys: FittedToys) -> None:
    """On noise, as above."""
    hint = "threads must not share random numbers: each head draws from a generator of its own"
    message = "one thread and two give other scores"
    found = toys.noisy_again(0, threads=2)[1]
    _require_close(toys.noisy(0)[1], found, message, hint, THREADS_TOLERANCE)


def _seed(toys: FittedToys) -> None:
    """On noise: on easy examples heads that decide alike may score alike."""
    first, other = (toys.noisy(seed)[1] for seed in (0, 1))
    if toys.head.stochastic:
        require(
            first.tobytes() != other.tobytes(),
            "seeds 0 and 1 give the same scores",
            "`stochastic` says that the seed matters: use it, or return False, so that one seed is run",
        )
    else:
        hint = "`stochastic` says that the seed does not matter: return True, so that every seed is run"
        _same_bytes(first, other, "seeds 0 and 1 give different scores", hint)


def _require_close(
    expected: NDArray[np.float64], found: NDArray[np.float64], message: str, hint: str, tolerance: float = TOLERANCE
) -> None:
    if not np.allclose(expected, found, rtol=tolerance, atol=tolerance):
        require(False, f"{message}: {difference(expected, found, 'utterance')}", hint)


def _inner(toys: FittedToys) -> None:
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
    held_out = head.held_out()
    require(
        held_out is None or held_out.scores.shape == (len(toys.train), len(toys.train.outputs)),
        f"held_out() has scores of shape {None if held_out is None else held_out.scores.shape}",
        "what all inner folds hold out together is train, each utterance once",
    )
    toys.predict(head, toys.test)


def _order(toys: FittedToys) -> None:
    rows = [int(row) for row in np.random.Generator(np.random.PCG64(3)).permutation(len(toys.test))]
    shuffled = toys.predict(toys.fitted()[0], select(toys.test, rows))
    message = "utterances predicted in another order get other scores"
    _require_close(toys.scores()[rows], shuffled, message, "scores are returned in the order of the utterances")


def _independent(toys: FittedToys) -> None:
    head, together = toys.fitted()[0], toys.scores()
    hint = "statistics of the test set make a head transductive: say so with `transductive`, or fit them on train"
    for rows in ([0], [7], list(range(5, 15))):
        alone = toys.predict(head, select(toys.test, rows))
        message = f"{len(rows)} of {len(toys.test)} utterances, from {toys.test.ids[rows[0]]!r}, predicted apart"
        _require_close(together[rows], alone, f"{message} get other scores", hint)


def _unpadded(toys: FittedToys) -> None:
    head, long = toys.fitted()[0], toys.toy(1, speakers=1, seed=4, frames=(200, 200))
    for row in (0, 7):
        short = select(toys.test, [row])
        x = (*short.x, *long.x)
        turns = None if short.turns is None or long.turns is None else (*short.turns, *long.turns)
        beside = replace(short, ids=short.ids + long.ids, x=x, speakers=short.speakers + long.speakers, turns=turns)
        message = f"a short utterance beside one of 200 frames ({short.ids[0]!r})"
        hint = "padding must not reach an output: mask it wherever frames are summed, normalised or attended to"
        _require_close(toys.predict(head, short), toys.predict(head, beside)[:1], f"{message} get other scores", hint)


def _saved(toys: FittedToys) -> None:
    head = toys.fitted()[0]
    hint = "all that was learnt belongs in the head itself, or in what its `to_keep` gives and `from_kept` takes"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.safetensors"
        attempt(lambda: write_kept(path, head.to_keep(), {}, homes(head)), "keeping the fitted head")
        learnt, _ = attempt(lambda: read_kept(path, homes(head)), "reading the head again")
    loaded = attempt(toys.make, "making the downstream")
    attempt(lambda: loaded.from_kept(learnt), "giving a new head what was learnt")
    _same_bytes(toys.scores(), toys.predict(loaded, toys.test), "a head that was saved and loaded differs", hint)
