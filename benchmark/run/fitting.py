"""One unit: fit on train, select on dev, predict test once, and count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.alignments import COMMON_VOWELS, Alignments
from benchmark.base import Downstream
from benchmark.errors import BenchError
from benchmark.features.store import Encoded
from benchmark.io.keyed_names import keyed_order
from benchmark.lazy import LazyMapping, LazySequence
from benchmark.protocol.dataset import Dataset
from benchmark.records import CalibrationPart, SelectionPart
from benchmark.run.asking import scores_of
from benchmark.run.calibrating import calibration_of
from benchmark.sufficient import STATISTICS
from benchmark.types import Examples, Fold, HeldOut, Needs, Selection, Taught

# Raised whenever a head is fed or its decisions are counted otherwise: part of what a published head is.
VERSION = 1


@dataclass(frozen=True)
class Scored:
    """A unit that went well.

    Attributes:
        test: The test examples with their targets.
        scores: (n, K) class scores, or (n, k) values.
        by_speaker: Sufficient statistics of each test speaker, or other cluster.
        calibration: How far probabilities can be believed; None of a head that gives none.
        selection: How the head was selected.
        parameters: Trained values of the head.
        fit_s: Time for fitting and predicting [s].
    """

    test: Examples
    scores: NDArray[np.float64]
    by_speaker: Mapping[str, NDArray[Any]]
    calibration: CalibrationPart | None
    selection: SelectionPart
    parameters: int
    fit_s: float


def fit_and_score(
    dataset: Dataset,
    encoded: Encoded,
    make_head: Callable[[], Downstream],
    fold_name: str,
    seed: int,
    teach: Callable[[], Taught] | None = None,
    alignments: Alignments | None = None,
) -> Scored | str:
    """Fit a new head on train, let it select on dev, and score it on test once.

    Args:
        dataset: Utterances and folds.
        encoded: Their features.
        make_head: Builds the head.
        fold_name: Which fold.
        seed: Of the head.
        teach: Gives what a trained teacher says of train, for a head that has one.
        alignments: Phones of train and adapt, for a head that reads them.

    Returns:
        What came out; or the reason, where the head fails.
    """
    started = time.perf_counter()
    try:
        fold, head = next(fold for fold in dataset.folds if fold.name == fold_name), make_head()
        selection = fit_head(head, dataset, encoded, fold, seed, teach, alignments)
        test = examples_of(dataset, encoded, fold.test, head.needs)
        # A head sees of the test set everything but its targets.
        scores = scores_of(head, unlabelled(test))
        rows = _rows_by_speaker([dataset.cluster(dataset.by_id[name]) for name in test.ids])
        by_speaker = _statistics_by_speaker(test, scores, rows)
        calibration = None
        if test.kind == "classification":
            # After test, so that what a head says of it does not depend on whether it was asked of dev.
            dev = _used(fold, head).dev
            ask = partial(_held_out, head, dataset, encoded, dev) if dev else None
            is_test = dataset.task.dev.is_test
            calibration = calibration_of(
                head, ask, dev_is_test=is_test, truth=np.asarray(test.y), scores=scores, rows=rows
            )
        selected, parameters = _selection_part(selection), head.parameters()
    except Exception as error:  # a head is other people's code: whatever it raises is a failed unit, and is recorded
        return str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return Scored(test, scores, by_speaker, calibration, selected, parameters, time.perf_counter() - started)


def fit_head(
    head: Downstream,
    dataset: Dataset,
    encoded: Encoded,
    fold: Fold,
    seed: int,
    teach: Callable[[], Taught] | None = None,
    alignments: Alignments | None = None,
) -> Selection:
    """Fit a head on the train set of a fold, and let it select on dev, or on inner folds of train.

    Args:
        head: New.
        dataset: Utterances and folds.
        encoded: Their features.
        fold: One of them.
        seed: Of the head.
        teach: Gives what a trained teacher says of train, for a head that has one.
        alignments: Phones of train and adapt, for a head that reads them.

    Raises:
        BenchError: The data do not suit the head; whatever else a head raises.
    """
    used = _used(fold, head)
    train, dev = (examples_of(dataset, encoded, ids, head.needs) for ids in (used.train, used.dev))
    train = replace(train, inner=_inner_folds(used))
    if teach is not None:
        train = replace(train, taught=teach())
    if head.phones:
        train = _with_phones(train, alignments, encoded)
    more = {"adapt": _of_target(dataset, encoded, fold.adapt, head, alignments)} if head.adapts else {}
    selection = head.fit(train, dev, seed=seed, **more)
    is_first = used is not fold
    return replace(selection, inner_folds=1) if is_first and isinstance(selection, Selection) else selection


def _used(fold: Fold, head: Downstream) -> Fold:
    """The fold as the head selects in it: with its first inner fold as dev, for one to which all would be too dear."""
    is_first = bool(fold.inner) and head.uses_dev == "select" and head.inner_selection == "first"
    return fold.with_first_inner_as_dev() if is_first else fold


def _inner_folds(fold: Fold) -> NDArray[np.int64] | None:
    """Which inner fold holds each utterance of train out, -1 for one that is always fitted on; None without folds."""
    held_out_in = {name: number for number, names in enumerate(fold.inner) for name in names}
    return np.array([held_out_in.get(name, -1) for name in fold.train], dtype=np.int64) if fold.inner else None


def _of_target(
    dataset: Dataset, encoded: Encoded, ids: Sequence[str], head: Downstream, alignments: Alignments | None
) -> Examples:
    """What a head that adapts sees of the target: everything but targets, and names and an order that tell them.

    The ids of many corpora say the label.
    """
    known = examples_of(dataset, encoded, keyed_order(dataset.salt, list(ids)), head.needs)
    if head.phones:
        known = _with_phones(known, alignments, encoded)
    names = [f"adapt-{number:06d}" for number in range(len(ids))]
    x = known.x
    if not isinstance(x, np.ndarray):
        x = LazySequence(LazyMapping(names, lambda name: known.x[int(name.removeprefix("adapt-"))]), names)
    return replace(unlabelled(known), ids=tuple(names), x=x)


def _with_phones(examples: Examples, alignments: Alignments | None, encoded: Encoded) -> Examples:
    """Examples, with the common vowel that is spoken in each frame.

    Raises:
        BenchError: There are no alignments, or the features are no frames.
    """
    if alignments is None:
        raise BenchError("the head reads phones, and there are no alignments", "--phones FOLDER")
    rate = encoded.frame_rate
    if rate is None:
        raise BenchError(
            f"the upstream {encoded.upstream!r} gives one vector an utterance, and the head reads phones",
            "choose one that gives frames",
        )
    phones = tuple(alignments.vowels(name, rate) for name in examples.ids)
    return replace(examples, phones=phones, phone_names=COMMON_VOWELS)


def unlabelled(examples: Examples) -> Examples:
    """Examples without what a head is not to know of them."""
    return replace(examples, y=None, auxiliary=None)


def examples_of(dataset: Dataset, encoded: Encoded, ids: Sequence[str], needs: Needs) -> Examples:
    """Utterances as heads are given them, with their targets.

    Args:
        dataset: Has them.
        encoded: Their features.
        ids: Which, in order.
        needs: What the head needs of each.
    """
    utterances = [dataset.by_id[name] for name in ids]
    x: Any
    turns = None
    if dataset.task.context is not None:
        said = [[(number, name) for number, turn in enumerate(dataset.context[i]) for name in turn] for i in ids]
        if needs == "mean":
            x = tuple(np.stack([encoded.features[name] for _, name in before]) for before in said)
        else:
            before_of = dict(zip(ids, said, strict=True))
            x = LazySequence(LazyMapping(ids, lambda i: tuple(encoded.features[name] for _, name in before_of[i])), ids)
        turns = tuple(np.array([number for number, _ in before], dtype=np.int64) for before in said)
    else:
        x = LazySequence(encoded.features, ids)
        if needs in ("mean", "statistics"):
            x = np.stack(list(x)) if ids else np.empty((0, *encoded.shape), np.float32)
    return Examples(
        ids=tuple(ids),
        x=x,
        y=dataset.targets(utterances),
        speakers=tuple(dataset.speaker(utterance) for utterance in utterances),
        outputs=dataset.task.outputs,
        kind=dataset.task.kind,
        metric=dataset.task.primary,
        turns=turns,
        auxiliary=dataset.auxiliary_targets(utterances),
        auxiliary_outputs=tuple(dataset.task.auxiliary.labels) if dataset.task.auxiliary else (),
        parts=encoded.parts,
        upstream=encoded.upstream,
    )


def _rows_by_speaker(clusters: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Which utterances are of each speaker, or other cluster, sorted by name."""
    names = np.array(clusters)
    return {name: names == name for name in sorted(set(clusters))}


def _statistics_by_speaker(
    test: Examples, scores: NDArray[np.float64], rows: Mapping[str, NDArray[np.bool_]]
) -> dict[str, NDArray[Any]]:
    truth, kind = np.asarray(test.y), STATISTICS[test.kind]
    return {name: kind.of(truth[one], scores[one]) for name, one in rows.items()}


def _held_out(head: Downstream, dataset: Dataset, encoded: Encoded, ids: Sequence[str]) -> HeldOut:
    """What a fitted head says of the dev set."""
    dev = examples_of(dataset, encoded, ids, head.needs)
    return HeldOut(np.asarray(dev.y), scores_of(head, unlabelled(dev)))


def _selection_part(selection: Selection) -> SelectionPart:
    """What the record says of a selection.

    Raises:
        BenchError: The head gave something else.
    """
    if not isinstance(selection, Selection):
        raise BenchError(f"fit returned a {type(selection).__name__}", "it returns benchmark.Selection")
    values = asdict(selection)
    weights = values["layer_weights"]
    return SelectionPart(**{**values, "layer_weights": None if weights is None else list(weights)})
