"""GRUs over frames, utterances and turns: they are torch's, and what was said is heard in its order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.contracts.toys import toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.epc_gru import EPCGRUModule
from downstreams.modules.drawing import build
from downstreams.modules.interface import Shape
from downstreams.params.epc_gru import EPCGRUParams
from downstreams.training.frames import Dealing, Frames, Reading


def conversations(n: int, seed: int) -> Examples:
    return toy("frames", utterances=n, speakers=3, seed=seed, sequences=True)


def test_each_level_goes_through_its_gru() -> None:
    data = conversations(5, 0)
    frames = Frames(data, "train", Reading("all", None), 1e9)
    frames.standardise("none", None)
    module = build(lambda: EPCGRUModule(Shape(3, 8, (8,), 2, 0), 6, 0.3), "torch", np.random.default_rng(0)).eval()
    (batch,) = frames.in_order(Dealing(8, None, 1), "cpu")
    found = module(batch.x, batch.said).scores
    for place, row in enumerate(batch.rows.tolist()):
        turns = []
        for turn in range(4):
            heard = [x for x, number in zip(data.x[row], data.turns[row], strict=True) if number == turn]
            states = [module.frames(torch.from_numpy(x.mean(axis=0)))[1] for x in heard]
            turns.append(module.utterances(torch.cat(states))[1])
        expected = module.output(module.turns(torch.cat(turns))[1][-1])
        torch.testing.assert_close(found[place], expected, rtol=1e-4, atol=1e-5)


def test_the_order_of_turns_matters() -> None:
    """A class that only the last turn tells is learnt, and lost where the turns are turned round."""
    random = np.random.default_rng(0)

    def said(n: int) -> Examples:
        y = np.arange(n) % 2
        x = []
        for label in y:
            frames = [random.normal(size=(1, 6, 4)).astype(np.float32) for _ in range(3)]
            frames[2][..., 0] += 3 * label
            frames[0][..., 0] += 3 * (1 - label)
            x.append(tuple(frames))
        base = replace(conversations(n, 0), x=tuple(x), turns=tuple(np.arange(3) for _ in y))
        return replace(base, y=y.astype(np.int64), outputs=("a", "b"))

    train, test = said(120), said(60)
    head = Registry(changes=["downstream.optimiser.learning_rate=0.005", "downstream.maximum=8"]).downstream("epc-gru")
    head.fit(train, said(40), seed=0)
    backwards = replace(test, x=tuple(one[::-1] for one in test.x), y=None)
    assert score("uar", test.y, head.predict(replace(test, y=None))) > 0.95
    assert score("uar", test.y, head.predict(backwards)) < 0.5


def test_an_utterance_that_was_said_is_cut_by_itself() -> None:
    frames = Frames(conversations(4, 0), "train", Reading("last", 5), 1e9)
    assert frames.said is not None
    assert {count for one in frames.said for _, count in one} == {5}
    assert frames.lengths.tolist() == [5 * len(one) for one in frames.said]


def test_a_corpus_beyond_the_memory_says_the_same() -> None:
    data = conversations(6, 0)
    read = [Frames(data, "train", Reading("all", None), memory) for memory in (1e9, 1.0)]
    for frames in read:
        frames.standardise("global", frames.figures())
    for row in range(6):
        np.testing.assert_array_equal(read[0].array(row), read[1].array(row))
    assert read[0].said == read[1].said


def test_odd_turns_are_refused_by_name() -> None:
    data = conversations(4, 0)
    lacking = replace(data, turns=(*data.turns[:-1], np.zeros_like(data.turns[-1])))
    with pytest.raises(BenchError, match=r"'toy0-003' in dev has the turns \[0, 0, 0, 0, 0, 0\]"):
        Frames(lacking, "dev", Reading("all", None), 1e9)
    fewer = replace(data, x=(*data.x[:-1], data.x[-1][:-1]))
    with pytest.raises(BenchError, match="'toy0-003' in dev has features of 5 utterances and turns of 6"):
        Frames(fewer, "dev", Reading("all", None), 1e9)
    content = Registry().downstream("epc-gru").params.model_dump(exclude_unset=True)
    with pytest.raises(ValidationError, match="does not suit a head that hears several speakers"):
        EPCGRUParams.model_validate({**content, "normalisation": "speaker"})
