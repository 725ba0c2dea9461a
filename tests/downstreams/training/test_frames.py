"""Frames are read once where they fit, standardised over frames, and dealt into padded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.types import Examples
from downstreams.training.frames import BLOCKS_IN_A_WINDOW, Dealing, Frames, Reading, padded

ALL = Reading("all", None)
PLENTY = 1e9
PLAIN = Dealing(8, None, 1)


class Counted(Sequence):
    """A sequence that counts how often each place was read."""

    def __init__(self, values: Sequence[np.ndarray]) -> None:
        self.values = values
        self.reads = [0] * len(values)

    def __getitem__(self, place):
        if isinstance(place, slice):
            raise NotImplementedError
        self.reads[place] += place < len(self.values)
        return self.values[place]

    def __len__(self) -> int:
        return len(self.values)


def examples(n: int = 40) -> Examples:
    return toy("frames", utterances=n, speakers=4, seed=0)


def rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(0))


def rows_of(batches: Iterator) -> list[int]:
    return [row for batch in batches for row in batch.rows.tolist()]


def test_what_is_read_of_an_utterance() -> None:
    x = np.random.default_rng(0).normal(size=(6, 9, 2)).astype(np.float32)
    np.testing.assert_array_equal(Reading("all", 4).of(x), x[:, :4])
    np.testing.assert_array_equal(Reading("last", None).of(x), x[5:])
    np.testing.assert_allclose(Reading("mean-last-4", 3).of(x), x[2:, :3].mean(axis=0, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(Reading("mean-last-4", None).of(x[:2]), x[:2].mean(axis=0, keepdims=True), rtol=1e-5)


def test_a_corpus_that_fits_is_read_once_and_one_that_does_not_in_every_epoch() -> None:
    for memory, expected in ((PLENTY, 1), (2e4, 4)):
        counted = Counted(examples().x)
        frames = Frames(replace(examples(), x=counted), "train", ALL, memory)
        frames.standardise("none", None)
        for _ in range(3):
            assert sorted(rows_of(frames.epoch(PLAIN, rng(), "cpu"))) == list(range(40))
        assert counted.reads == [expected] * 40
        assert (frames.kept > 0) == (memory == PLENTY)


@pytest.mark.parametrize("normalisation", ["none", "global", "speaker"])
@pytest.mark.parametrize("memory", [PLENTY, 2e4])
def test_frames_are_standardised_over_frames(normalisation: str, memory: float) -> None:
    data = examples()
    frames = Frames(data, "train", ALL, memory)
    frames.standardise(normalisation, frames.figures())
    for row in (0, 7, 39):
        same = [
            i for i, speaker in enumerate(data.speakers) if normalisation == "global" or speaker == data.speakers[row]
        ]
        over = np.concatenate([data.x[i] for i in same], axis=1).astype(np.float64)
        mean, scale = over.mean(axis=1, keepdims=True), over.std(axis=1, keepdims=True)
        expected = data.x[row] if normalisation == "none" else (data.x[row] - mean) / scale
        np.testing.assert_allclose(frames.array(row), expected, rtol=1e-4, atol=1e-5)


def test_windows_bound_what_is_read_at_once_and_epochs_differ() -> None:
    frames = Frames(examples(200), "train", ALL, 1e5)
    frames.standardise("none", None)
    assert frames.kept == 0
    window_bytes = [4 * 3 * 8 * frames.lengths[window].sum() for window in frames._windows(rng())]
    largest = 4 * 3 * 8 * frames.lengths.max()
    assert len(window_bytes) > 2
    assert max(window_bytes) <= 1e5 / 2 + BLOCKS_IN_A_WINDOW * largest
    random = rng()
    first, second = (rows_of(frames.epoch(PLAIN, random, "cpu")) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second
    assert first == rows_of(frames.epoch(PLAIN, rng(), "cpu"))


def test_batches_hold_so_many_utterances_and_frames() -> None:
    lengths = np.random.default_rng(1).integers(1, 50, 300)
    dealing = Dealing(16, 200, 4)
    batches = list(dealing.shuffled(np.arange(300), lengths, rng()))
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    for batch in batches:
        assert len(batch) <= 16
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= 200
    # without a limit of frames all are full but the last of each dealing
    assert [len(batch) for batch in Dealing(16, None, 1).shuffled(np.arange(40), lengths, rng())] == [16, 16, 8]


def test_an_utterance_beyond_the_limit_of_frames_is_a_batch_of_its_own() -> None:
    lengths = np.array([5, 500, 5])
    assert [batch.tolist() for batch in Dealing(8, 20, 1).batches(np.arange(3), lengths)] == [[0], [1], [2]]


def test_sorting_saves_padding() -> None:
    lengths = np.random.default_rng(1).integers(1, 400, 320)
    wasted = {}
    for together in (1, 10):
        batches = Dealing(32, None, together).shuffled(np.arange(320), lengths, rng())
        wasted[together] = sum(len(batch) * lengths[batch].max() - lengths[batch].sum() for batch in batches)
    assert wasted[10] < wasted[1] / 4


def test_a_batch_is_padded_with_zeros_and_masked() -> None:
    arrays = [np.full((2, n, 3), n, np.float32) for n in (4, 1)]
    batch = padded(arrays, np.array([5, 6]), "cpu")
    assert batch.x.shape == (2, 2, 4, 3)
    assert batch.mask.tolist() == [[True] * 4, [True, False, False, False]]
    assert not batch.x[1, :, 1:].any()
    assert batch.rows.tolist() == [5, 6]


def test_all_are_given_in_order_of_length_to_predict() -> None:
    frames = Frames(examples(), "test", ALL, PLENTY)
    frames.standardise("none", None)
    rows = rows_of(frames.in_order(PLAIN, "cpu"))
    assert sorted(rows) == list(range(40))
    assert (np.diff(frames.lengths[rows]) <= 0).all()


def test_endless_rows_come_again_when_all_were_given() -> None:
    rows = Frames(examples(5), "adapt", ALL, PLENTY).endless(rng())
    taken = [next(rows) for _ in range(15)]
    assert [sorted(taken[begin : begin + 5]) for begin in (0, 5, 10)] == [list(range(5))] * 3


def broken(change: str) -> Examples:
    data = examples(6)
    x = list(data.x)
    bad = {
        "nan": np.full_like(x[2], np.nan),
        "float64": x[2].astype(np.float64),
        "mean": x[2][:, 0],
        "dim": x[2][..., :5],
    }
    x[2] = bad[change]
    return replace(data, x=tuple(x))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("nan", "features of 'toy0-002' in dev are not finite"),
        ("float64", r"'toy0-002' in dev have shape \(3, \d+, 8\) and dtype float64"),
        ("mean", r"'toy0-002' in dev have shape \(3, 8\)"),
        ("dim", "'toy0-002' in dev have 3 layers of 5 values, others 3 of 8"),
    ],
)
def test_features_that_are_none_are_refused_by_name(change: str, told: str) -> None:
    with pytest.raises(BenchError, match=told):
        Frames(broken(change), "dev", ALL, PLENTY)


def test_an_empty_set_and_another_shape_than_that_of_train_are_refused() -> None:
    empty = replace(examples(1), ids=(), x=(), speakers=())
    with pytest.raises(BenchError, match="train holds no utterance"):
        Frames(empty, "train", ALL, PLENTY)
    with pytest.raises(BenchError, match="have 3 layers of 8 values, others 5 of 8"):
        Frames(examples(2), "test", ALL, PLENTY, (5, 8))


def test_maps_are_not_written_to() -> None:
    data = examples(4)
    for x in data.x:
        x.flags.writeable = False
    frames = Frames(data, "train", ALL, PLENTY)
    frames.standardise("global", frames.figures())
    assert torch.isfinite(next(iter(frames.in_order(PLAIN, "cpu"))).x).all()
