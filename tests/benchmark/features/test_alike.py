"""Features that differ between batches, runs and readings are named with both files, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmark.base import Upstream
from benchmark.data.listening import Heard
from benchmark.errors import EncodingError
from benchmark.features.alike import Alike
from benchmark.features.views import open_view
from benchmark.io.settings import Settings
from benchmark.progress import Unheard
from benchmark.protocol.dataset import Dataset, load_dataset
from benchmark.protocol.hearing import listen
from benchmark.protocol.task import read_task
from benchmark.types import Features, Needs
from tasks.corpora.csv import CSV

TOLD = r"'energy' gave 2 layers of \d values? for \w+/\w+\.wav and 2 layers of \d values? for \w+/\w+\.wav: all have"


class Varying(Upstream):
    """Two layers of the loudness; every utterance is a batch of its own, and the tenth wider than the others."""

    name = "energy"
    batch_seconds = 0.01

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, wave: np.ndarray) -> Features:
        self.calls += 1
        loudness = np.float32((wave[: len(wave) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1))
        return Features(np.repeat(np.stack([loudness] * 2)[..., None], 1 + (self.calls == 10), axis=2), 100.0)


@pytest.fixture
def dataset(toy_task: Path, settings: Settings) -> Dataset:
    return load_dataset(read_task(toy_task), [CSV()], settings)


@pytest.fixture
def heard(dataset: Dataset, settings: Settings) -> Mapping[str, Heard]:
    return listen(dataset, settings, {}, lambda count: None)


@pytest.mark.parametrize("needs", ["mean", "statistics", "frames"])
def test_batches_that_differ_are_refused_and_those_of_two_runs_too(
    settings: Settings, dataset: Dataset, heard: Mapping[str, Heard], needs: Needs
) -> None:
    upstream = Varying()
    view = open_view(settings.cache, upstream, needs)
    with pytest.raises(EncodingError, match=TOLD):
        view.load(dataset, heard, Unheard())
    assert upstream.calls < len(dataset.recordings)  # it ends where it is met, and not after all
    upstream.calls = 9  # what was encoded is kept, and the next one is wider than that
    with pytest.raises(EncodingError, match=TOLD):
        view.load(dataset, heard, Unheard())


def test_what_is_encoded_at_every_reading_is_refused_where_it_is_read(
    settings: Settings, dataset: Dataset, heard: Mapping[str, Heard]
) -> None:
    encoded = open_view(settings.cache, Varying(), "frames", stream=True).load(dataset, heard, Unheard())
    with pytest.raises(EncodingError, match=TOLD):
        [encoded.features[name] for name in encoded.features]


def test_frames_may_be_many_or_few_and_statistics_are_halved() -> None:
    frames, statistics = Alike("x", "frames"), Alike("x", "statistics")
    for length in (1, 9):
        frames.check((2, length, 3), "a.wav")
    statistics.check((2, 6), "a.wav")
    with pytest.raises(EncodingError, match=r"'x' gave 2 layers of 3 values for a.wav and 2 layers of 4 values for b"):
        statistics.check((2, 8), "b.wav")
    with pytest.raises(EncodingError, match=r"3 layers of 3 values for b.wav"):
        frames.check((3, 5, 3), "b.wav")
