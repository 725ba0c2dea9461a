"""Names of trained upstreams, and what stands in for them."""

from __future__ import annotations

import pytest

from benchmark.base.combined import Fusion, LayersOf
from benchmark.base.tuned import Training, Tuned, Weighted, is_tuned, tuned_in, with_weights
from benchmark.contracts.toy_upstream import ToyUpstream
from benchmark.contracts.toys import toy
from benchmark.errors import UsageError


def row() -> Tuned:
    start = ToyUpstream()
    start.name = "toys"
    return Tuned(Training("demo", "toys", "finetune"), start)


def test_a_row_has_no_weights_of_its_own() -> None:
    one = row()
    assert (one.name, one.layers, one.dim, one.trains) == ("tuned:demo/toys/finetune", 3, 8, True)
    with pytest.raises(UsageError, match="has other weights for each fold"):
        one.encode(toy("waveform", utterances=3, speakers=1, seed=0).x[0])


def test_weights_stand_in_wherever_a_row_is() -> None:
    one, other = row(), ToyUpstream()
    other.name = "other"
    whole = Fusion([LayersOf(one, "last"), LayersOf(other, "last")])
    assert list(tuned_in(whole)) == [one]
    given = with_weights(whole, lambda found: Weighted(found.start, found, "a" * 64))
    assert given.name == whole.name == "tuned:demo/toys/finetune@last+other@last"
    assert list(tuned_in(given)) == []
    wave = toy("waveform", utterances=3, speakers=1, seed=0).x[0]
    assert given.encode(wave).layers.shape[0] == 1
    assert "a" * 64 in str(given.params)


def test_the_name_tells() -> None:
    assert is_tuned("egemaps+tuned:demo/x/lora@last")
    assert not is_tuned("hf:tuned")
