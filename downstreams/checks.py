"""What every head checks of the examples it is given, before any number is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.types import Examples


def means(examples: Examples, what: str, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """The per-layer means of some utterances.

    Args:
        examples: Utterances, at least one.
        what: What to call them in an error: "train", "dev", "test".
        shape: (L, D) that the head was fitted on; None for what it is fitted on.

    Returns:
        (n, L, D) float32, finite.

    Raises:
        BenchError: There is no utterance; the features are no such array, differ in shape from those the head was
            fitted on, or hold a value that is not finite.
    """
    x = examples.x
    n = len(examples)
    if n == 0:
        raise BenchError(f"{what} holds no utterance", "a head needs at least one")
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.dtype != np.float32 or 0 in x.shape:
        found = f"shape {x.shape} and dtype {x.dtype}" if isinstance(x, np.ndarray) else f"type {type(x).__name__}"
        raise BenchError(
            f"the features of {what} have {found}", "expected a float32 array of shape (utterances, layers, dimension)"
        )
    if len(x) != n or len(examples.speakers) != n:
        raise BenchError(
            f"{what} has {n} ids, {len(x)} features and {len(examples.speakers)} speakers", "one for each utterance"
        )
    if shape is not None and x.shape[1:] != shape:
        raise BenchError(
            f"{what} has {x.shape[1]} layers of {x.shape[2]} values, the head was fitted on {shape[0]} of {shape[1]}",
            "the features of one run must come from one upstream",
        )
    if not np.isfinite(x).all():
        row = int(np.argmin(np.isfinite(x).all(axis=(1, 2))))
        raise BenchError(f"the features of {examples.ids[row]!r} in {what} are not finite", "check the upstream")
    return x


def frames(examples: Examples, what: str, shape: tuple[int, int] | None = None) -> Iterator[NDArray[np.float32]]:
    """The frames of some utterances, one utterance after the other.

    Args:
        examples: Utterances, of which there may be none.
        what: What to call them in an error: "train", "dev", "test".
        shape: (L, D) that the head was fitted on; None for that of the first.

    Yields:
        (L, T, D) float32, finite.

    Raises:
        BenchError: The features of an utterance are no such array, differ in layers or dimension from the others, or
            hold a value that is not finite.
    """
    for name, x in zip(examples.ids, examples.x, strict=True):
        found = finite(layers_of_frames(x, name, what, shape), name, what)
        shape = (found.shape[0], found.shape[2])
        yield found


def layers_of_frames(x: object, name: str, what: str, shape: tuple[int, int] | None) -> NDArray[np.float32]:
    """The frames of one utterance (L, T, D), whose values are not looked at: they may be mapped from a file.

    Args:
        x: What is given for them.
        name: The utterance.
        what: What to call its set in an error.
        shape: (L, D) of others; None where there is none.

    Raises:
        BenchError: They are no such array, or differ in layers or dimension from others.
    """
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.dtype != np.float32 or 0 in x.shape:
        found = f"shape {x.shape} and dtype {x.dtype}" if isinstance(x, np.ndarray) else f"type {type(x).__name__}"
        raise BenchError(
            f"the features of {name!r} in {what} have {found}",
            "expected a float32 array of shape (layers, frames, dimension)",
        )
    if shape is not None and (x.shape[0], x.shape[2]) != shape:
        raise BenchError(
            f"the features of {name!r} in {what} have {x.shape[0]} layers of {x.shape[2]} values, others {shape[0]} of "
            f"{shape[1]}",
            "the features of one run must come from one upstream",
        )
    return x


def finite(x: NDArray[np.float32], name: str, what: str) -> NDArray[np.float32]:
    """Features of one utterance, of any shape, if all are finite.

    Raises:
        BenchError: One is not.
    """
    if not np.isfinite(x).all():
        raise BenchError(f"the features of {name!r} in {what} are not finite", "check the upstream")
    return x


def turn_means(examples: Examples, what: str, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """The mean of each turn over its utterances, for examples of what was said before.

    Args:
        examples: At least one, each with the same number T of turns.
        what: What to call them in an error: "train", "dev", "test".
        shape: (L, D) that the head was fitted on; None for what it is fitted on.

    Returns:
        (n, T, L, D) float32, finite.

    Raises:
        BenchError: There is no example; one has no such features, other turns than the first, or a turn without any
            utterance; or a value is not finite.
    """
    if examples.turns is None:
        raise BenchError(f"{what} has no turns", "a head of sequences needs a task with context")
    if not len(examples):
        raise BenchError(f"{what} holds no utterance", "a head needs at least one")
    count = int(examples.turns[0].max()) + 1
    means = []
    for name, x, turns in zip(examples.ids, examples.x, examples.turns, strict=True):
        if x.ndim != 3 or x.dtype != np.float32 or len(x) != len(turns) or shape not in (None, x.shape[1:]):
            raise BenchError(
                f"the features of {name!r} in {what} have shape {x.shape} and dtype {x.dtype}",
                f"expected float32 of shape ({len(turns)}, layers, dimension), as everywhere in the run",
            )
        if set(turns.tolist()) != set(range(count)):
            raise BenchError(f"{name!r} in {what} has the turns {turns.tolist()}", f"expected 0 to {count - 1}")
        if not np.isfinite(x).all():
            raise BenchError(f"the features of {name!r} in {what} are not finite", "check the upstream")
        means.append(np.stack([x[turns == turn].mean(axis=0, dtype=np.float64) for turn in range(count)]))
    return np.stack(means).astype(np.float32)


def class_indices(examples: Examples, what: str) -> NDArray[np.int64]:
    """The classes of some utterances: (n,) int64 indices into `examples.outputs`.

    Raises:
        BenchError: There are none, or one is no such index.
    """
    y, n_classes = _targets(examples, what), len(examples.outputs)
    if y.shape != (len(examples),) or not np.issubdtype(y.dtype, np.integer):
        raise BenchError(
            f"the targets of {what} have shape {y.shape} and dtype {y.dtype}",
            f"expected {len(examples)} class indices (int64)",
        )
    outside = y[(y < 0) | (y >= n_classes)]
    if outside.size:
        raise BenchError(f"{what} holds the class index {outside[0]}", f"it must lie in 0..{n_classes - 1}")
    return y.astype(np.int64)


def values(examples: Examples, what: str) -> NDArray[np.float64]:
    """The values of some utterances in each of the k dimensions of `examples.outputs`: (n, k) float64, finite.

    Raises:
        BenchError: There are none, or they are no such array.
    """
    y, expected = _targets(examples, what), (len(examples), len(examples.outputs))
    if y.shape != expected or not np.issubdtype(y.dtype, np.floating):
        raise BenchError(
            f"the targets of {what} have shape {y.shape} and dtype {y.dtype}", f"expected float32 of shape {expected}"
        )
    if not np.isfinite(y).all():
        row = int(np.argmin(np.isfinite(y).all(axis=1)))
        raise BenchError(f"the targets of {examples.ids[row]!r} in {what} are not finite", "check the corpus")
    return y.astype(np.float64)


def targets(examples: Examples, what: str) -> NDArray[Any]:
    """The targets of some utterances: as `class_indices`, or as `values`, whichever the task has."""
    return class_indices(examples, what) if examples.kind == "classification" else values(examples, what)


def _targets(examples: Examples, what: str) -> NDArray[Any]:
    if examples.y is None:
        raise BenchError(f"{what} has no targets", "a head is fitted on labelled utterances")
    return np.asarray(examples.y)
