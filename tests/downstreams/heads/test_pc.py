"""The phonetic constraint: what is read, what is aligned, and that it follows the phones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.base import Downstream
from benchmark.contracts.toys import select, toy_of
from benchmark.errors import BenchError
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.pc import PhoneticConstraint
from downstreams.modules.phonetic import phonetic_constraint, vowel_means
from downstreams.training.frames import padded

REGISTRY = Registry()
SMALL: dict[str, Any] = {
    "width": 16, "heads": 2, "blocks": 1, "feedforward": 32, "fully_connected": (16, 16, 16), "dropout": 0.0,
    "optimiser": {"name": "adam", "learning_rate": 0.01}, "maximum": 3, "patience": None, "normalisation": "none",
}  # fmt: skip


def head(name: str, **changes: Any) -> Downstream:
    made = REGISTRY.downstream(name)
    params = {**made.params.model_dump(exclude_unset=True), **SMALL, **changes}
    return type(made)(type(made).Params.model_validate(params))


def of(seed: int, n: int = 12) -> Examples:
    return toy_of(head("pc"), utterances=n, speakers=3, seed=seed)


def fitted(one: Downstream, *, adapt: Examples | None = None) -> Downstream:
    target = replace(of(2), y=None) if adapt is None else adapt
    one.fit(of(0), of(1), seed=0, adapt=target)  # type: ignore[call-arg]
    return one


@pytest.mark.parametrize(
    ("name", "layers", "weights"),
    [("pc", "last", "softmax"), ("pc-avg", "all", "equal"), ("pc-attn", "all", "softmax")],
)
def test_the_rows_of_table_2(name: str, layers: str, weights: str) -> None:
    params = REGISTRY.downstream(name).params
    assert (params.layers, params.layer_weights, params.gamma) == (layers, weights, 0.5)
    assert params.adapts
    assert params.phones
    plain = REGISTRY.downstream("transformer").params.model_dump()
    assert {key: value for key, value in params.model_dump().items() if key in plain} == {**plain, "layers": layers}


def test_only_a_learnt_sum_has_layer_weights() -> None:
    selections = {
        name: head(name).fit(of(0), of(1), seed=0, adapt=replace(of(2), y=None))  # type: ignore[call-arg]
        for name in ("pc", "pc-avg", "pc-attn")
    }
    assert selections["pc"].layer_weights is selections["pc-avg"].layer_weights is None
    assert len(selections["pc-attn"].layer_weights or ()) == 3


def test_the_mean_of_layers_is_read() -> None:
    """The same in every layer: then mean and last are one, and so are the heads."""
    train, dev, adapt, test = (
        replace(one, x=tuple(np.repeat(x[-1:], 3, axis=0) for x in one.x)) for one in (of(0), of(1), of(2), of(3))
    )
    outcomes = []
    for name in ("pc", "pc-avg"):
        one = head(name)
        one.fit(train, dev, seed=0, adapt=replace(adapt, y=None))  # type: ignore[call-arg]
        outcomes.append(one.predict(replace(test, y=None)))
    np.testing.assert_allclose(outcomes[0], outcomes[1], rtol=1e-4, atol=1e-5)


def test_the_penalty_is_gamma_times_the_constraint_on_encoded_frames() -> None:
    one = fitted(head("pc-attn", gamma=0.25, margin=0.3))
    assert isinstance(one, PhoneticConstraint)
    module: Any = one.module
    train, adapt = of(0), of(2)
    rows = np.array([3, 0, 7, 11])
    batches = [padded([part.x[row] for row in rows], rows, "cpu") for part in (train, adapt)]
    one._spoken, one._vowels = {"train": train.phones, "adapt": adapt.phones}, 3  # type: ignore[dict-item]
    module.train()
    outputs = one._forward(module, batches[0])
    penalty = one._penalty(module, outputs, batches[0], batches[1], 1)
    assert penalty is not None
    means = []
    for part in (train, adapt):
        frames, spoken = [], []
        for row in rows:
            x = torch.from_numpy(part.x[row]).unsqueeze(0)
            frames.append(module.encode(x, torch.ones(1, x.shape[2], dtype=torch.bool))[0])
            heard = np.full(x.shape[2], -1)
            heard[: len(part.phones[row])] = part.phones[row]  # type: ignore[index]
            spoken.append(torch.from_numpy(heard))
        means.append(vowel_means(torch.cat(frames).unsqueeze(0), torch.cat(spoken).unsqueeze(0), 3))
    expected = 0.25 * float(phonetic_constraint(means[0], means[1], 0.3).detach())
    assert expected > 0
    assert float(penalty.detach()) == pytest.approx(expected, rel=1e-4)


def test_without_weight_it_is_the_transformer_and_phones_do_not_matter() -> None:
    test = replace(of(3), y=None)
    plain = head("transformer")
    plain.fit(of(0), of(1), seed=0)
    none = fitted(head("pc-attn", gamma=0.0))
    np.testing.assert_array_equal(plain.predict(test), none.predict(test))


def test_phones_decide_what_is_learnt_and_are_not_needed_to_predict() -> None:
    test = replace(of(3), y=None, phones=None)
    adapt = replace(of(2), y=None)
    moved = replace(adapt, phones=tuple((one + 2) % 4 - 1 for one in adapt.phones or ()))
    assert not np.array_equal(fitted(head("pc")).predict(test), fitted(head("pc"), adapt=moved).predict(test))


def test_alignments_may_be_shorter_or_longer_than_the_features() -> None:
    adapt = replace(of(2), y=None)
    for change in (lambda one: one[:2], lambda one: np.concatenate([one, one, one]), lambda one: one[:0]):
        phones = tuple(change(one) for one in adapt.phones or ())
        scores = fitted(head("pc"), adapt=replace(adapt, phones=phones)).predict(replace(of(3), y=None))
        assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("adapt", "text"),
    [
        (select(of(2), []), "no utterance of the target to adapt to"),
        (replace(of(2), y=None, phones=None), "the phones of adapt are not known .--phones FOLDER"),
    ],
)
def test_what_lacks_is_told(adapt: Examples, text: str) -> None:
    with pytest.raises(BenchError, match=text):
        fitted(head("pc"), adapt=adapt)
