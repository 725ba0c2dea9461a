"""Layer anchoring: which layers, what is aligned, and that it helps against a shift of second moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmark.base import Downstream
from benchmark.contracts.toys import select, toy
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.registry.registry import Registry
from benchmark.types import Examples
from downstreams.heads.lam import LAM, layer_similarity, most_similar
from downstreams.modules.coral import coral
from downstreams.modules.interface import Outputs
from downstreams.training.frames import padded

REGISTRY = Registry()
TABLE_1 = {
    "lam-gl": {"wavlm": (8, 9, 11), "whisper": (1, 2, 3)},
    "lam-bl": {"wavlm": (11,), "whisper": (2,)},
    "lam-wl": {"wavlm": (5, 6, 7), "whisper": (7, 10, 11)},
    "lam-rl1": dict.fromkeys(("wavlm", "whisper"), (2, 6, 9)),
    "lam-rl2": dict.fromkeys(("wavlm", "whisper"), (1, 5, 12)),
    "lam-rl3": dict.fromkeys(("wavlm", "whisper"), (3, 7, 11)),
    "lam-al": dict.fromkeys(("wavlm", "whisper"), tuple(range(1, 13))),
}
SMALL: dict[str, Any] = {
    "width": 16, "heads": 2, "blocks": 1, "feedforward": 32, "fully_connected": (16, 16, 16), "dropout": 0.0,
    "optimiser": {"name": "adam", "learning_rate": 0.01}, "maximum": 30, "patience": None,
}  # fmt: skip


def head(name: str, **changes: Any) -> Downstream:
    """A head of a recipe with other values."""
    made = REGISTRY.downstream(name)
    params = {**made.params.model_dump(exclude_unset=True), **changes}
    return type(made)(type(made).Params.model_validate(params))


def of(upstream: str, layers: int, seed: int = 0, n: int = 12) -> Examples:
    return toy("frames", utterances=n, speakers=3, seed=seed, layers=layers, upstream=upstream)


def fitted(one: Downstream, train: Examples, dev: Examples, adapt: Examples, seed: int = 0) -> Downstream:
    one.fit(train, dev, seed=seed, adapt=replace(adapt, y=None))  # type: ignore[call-arg]
    return one


# -- which layers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE_1)
def test_the_layers_are_those_of_the_paper(name: str) -> None:
    params = REGISTRY.downstream(name).params
    assert params.anchors == TABLE_1[name]
    assert params.gamma == 0.5
    assert params.networks == ("wavlm", "whisper")
    plain = REGISTRY.downstream("transformer").params.model_dump()
    assert {key: value for key, value in params.model_dump().items() if key in plain} == plain


@pytest.mark.parametrize(
    ("upstream", "layers", "places"),
    [
        ("wavlm-base-plus", 13, (8, 9, 11)),
        ("whisper-small", 13, (1, 2, 3)),
        ("wavlm-base@1-12", 12, (7, 8, 10)),  # the input is left out
        ("hf:some/whisper-small", 12, (0, 1, 2)),
    ],
)
def test_layers_are_counted_without_the_input(upstream: str, layers: int, places: tuple[int, ...]) -> None:
    one = head("lam-gl", **{**SMALL, "maximum": 1})
    fitted(one, of(upstream, layers), of(upstream, layers, 1), of(upstream, layers, 2))
    assert isinstance(one, LAM)
    assert one._anchors == places


@pytest.mark.parametrize(
    ("upstream", "layers", "text"),
    [
        ("hubert-base", 13, "names layers of wavlm, whisper, and the upstream is 'hubert-base'"),
        ("whisper-tiny", 5, "names layers of networks with 12 layers, and the upstream has 5 with its input"),
        ("wavlm-large", 25, "the upstream has 25 with its input .lam-auto chooses"),
    ],
)
def test_other_networks_are_refused(upstream: str, layers: int, text: str) -> None:
    examples = of(upstream, layers)
    with pytest.raises(BenchError, match=text):
        fitted(head("lam-gl", **SMALL), examples, examples, examples)


def test_similarity_is_the_mean_cosine_of_all_pairs() -> None:
    source, target = of("a", 4, 0), of("a", 4, 5)
    expected = np.zeros(4)
    for one in source.x:
        for other in target.x:
            for layer in range(4):
                a, b = one[layer].mean(axis=0).astype(float), other[layer].mean(axis=0).astype(float)
                expected[layer] += a @ b / np.sqrt((a @ a) * (b @ b)) / (len(source) * len(target))
    np.testing.assert_allclose(layer_similarity(source, target), expected, rtol=1e-6)
    np.testing.assert_allclose(layer_similarity(source, replace(target, y=None)), expected, rtol=1e-6)


def test_the_most_similar_layers_are_taken_in_order() -> None:
    assert most_similar(np.array([0.1, 0.9, 0.5, 0.9, 0.2]), 3) == (1, 2, 3)
    assert most_similar(np.array([0.5, 0.5, 0.5, 0.5]), 3) == (0, 1, 2)
    assert most_similar(np.array([0.5, 0.7]), 3) == (0, 1)


def test_the_layers_that_two_corpora_share_are_found_and_told() -> None:
    """Layers 0, 1, 3 and 4 are alike in source and target, and 0 enters the first block; the others point elsewhere."""
    random = np.random.default_rng(0)
    source, target = of("any", 6, 0), of("any", 6, 1)
    common = random.normal(size=(6, 1, 8)).astype(np.float32) * 5
    away = common * np.float32([1, 1, -1, 1, 1, -1])[:, None, None]
    source = replace(source, x=tuple(x + common for x in source.x))
    target = replace(target, x=tuple(x + away for x in target.x))
    one = head("lam-auto", **{**SMALL, "maximum": 1})
    selection = one.fit(source, source, seed=0, adapt=replace(target, y=None))  # type: ignore[call-arg]
    assert selection.chosen == {"anchors": "1,3,4"}


# -- what is aligned --------------------------------------------------------------------------------------------------


def test_the_penalty_is_gamma_times_the_alignment_of_projected_means() -> None:
    one = head("lam-gl", **{**SMALL, "maximum": 1, "gamma": 0.25})
    train, adapt = of("whisper", 13, 0), of("whisper", 13, 1)
    fitted(one, train, train, adapt)
    assert isinstance(one, LAM)
    module: Any = one.module
    rows = np.arange(12)
    source, target = (padded(list(part.x), rows, "cpu") for part in (train, adapt))
    expected = 0.0
    for layer in (1, 2, 3):
        sets = [torch.stack([torch.tensor(x[layer]).mean(dim=0) for x in part.x]) for part in (train, adapt)]
        expected += 0.25 * float(coral(*(module.encoder.projection(one) for one in sets)).detach())
    found = one._penalty(module, Outputs(torch.zeros(1)), source, target, 1)
    assert found is not None
    assert float(found.detach()) == pytest.approx(expected, rel=1e-4)


def test_without_weight_it_is_the_transformer() -> None:
    train, dev, adapt, test = (of("whisper", 13, seed) for seed in range(4))
    plain, none = head("transformer", **SMALL), head("lam-gl", gamma=0.0, **SMALL)
    plain.fit(train, dev, seed=3)
    none.fit(train, dev, seed=3, adapt=replace(adapt, y=None))  # type: ignore[call-arg]
    np.testing.assert_array_equal(plain.predict(test), none.predict(test))


def test_the_target_decides_what_is_learnt() -> None:
    train, dev, test = (of("whisper", 13, seed) for seed in range(3))
    outcomes = set()
    for seed in (4, 5):
        one = fitted(head("lam-gl", **SMALL), train, dev, of("whisper", 13, seed))
        outcomes.add(one.predict(test).tobytes())
    assert len(outcomes) == 2


def test_a_fold_without_target_is_refused() -> None:
    examples = of("whisper", 13)
    with pytest.raises(BenchError, match="no utterance of the target to adapt to"):
        fitted(head("lam-gl", **SMALL), examples, examples, select(examples, []))


# -- that it helps ----------------------------------------------------------------------------------------------------


def corpus(n: int, seed: int, shift: float, shape: tuple[int, int] = (3, 2)) -> Examples:
    """Four classes in four values, and four values that say nothing, of `shift` times the deviation of the source.

    Args:
        n: Utterances.
        seed: Decides all but the centres.
        shift: Only of second moments: means are alike.
        shape: Layers and frames, alike but for some noise; of one layer of one frame without noise.
    """
    centres = np.random.default_rng(0).normal(size=(4, 4)) * 1.2
    random, y = np.random.default_rng(seed), np.arange(n) % 4
    telling = centres[y] + random.normal(size=(n, 4))
    silent = 0.1 * shift * random.normal(size=(n, 4))
    values = np.concatenate([telling, silent], axis=1)[:, None, None]
    noise = 0.0 if shape == (1, 1) else 0.1
    x = tuple((value + noise * random.normal(size=(*shape, 8))).astype(np.float32) for value in values)
    names = tuple(f"{seed}-{row}" for row in range(n))
    return Examples(names, x, y, tuple(f"s{row % 8}" for row in range(n)), tuple("abcd"), "classification", "uar")


def gains(
    plain: Downstream, aligned: Callable[[], Downstream], sizes: tuple[int, ...], seed: int, shape: tuple[int, int]
) -> list[float]:
    """What alignment adds to UAR on a target whose silent values are of 10 and of 1 times the source's deviation.

    The plain network sees nothing of the target, so that it is fitted once.
    """
    train, dev = (corpus(n, part, 1, shape) for part, n in enumerate(sizes[:2], start=1))
    plain.fit(train, dev, seed=seed)
    found = []
    for shift in (10.0, 1.0):
        adapt, test = (corpus(n, part, shift, shape) for part, n in enumerate(sizes[2:], start=3))
        one = fitted(aligned(), train, dev, adapt, seed)
        truth, asked = np.asarray(test.y), replace(test, y=None)
        found.append(score("uar", truth, one.predict(asked)) - score("uar", truth, plain.predict(asked)))
    return found


@pytest.mark.slow
def test_it_helps_against_a_shift_of_second_moments_and_does_not_hurt_without() -> None:
    """A small network at 100 times the recipe's rate, which was sought so that 120 steps are enough."""
    each = [
        gains(head("transformer", **SMALL), lambda: head("lam-auto", **SMALL), (240, 120, 240, 400), seed, (3, 2))
        for seed in range(3)
    ]
    shifted, alike = np.mean(each, axis=0)
    assert shifted > 0.08
    assert alike > -0.03


@pytest.mark.slow
def test_by_the_recipes_own_values_it_helps_where_there_are_steps_enough() -> None:
    """Nothing is sought: 25 steps an epoch. With four of them (240 utterances) 1e-4 is too small to align anything."""
    plain, sizes = REGISTRY.downstream("transformer"), (1600, 400, 1600, 1000)
    shifted, alike = gains(plain, lambda: REGISTRY.downstream("lam-auto"), sizes, 0, (1, 1))
    assert shifted > 0.01
    assert alike > -0.03


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"anchors": {"wavlm": (0,)}}, "greater than or equal to 1"),
        ({"anchors": {"wavlm": (13,)}}, "less than or equal to 12"),
        ({"anchors": {"wavlm": ()}}, "name some layers, each once"),
        ({"anchors": {"wavlm": (1, 1)}}, "name some layers, each once"),
        ({"anchors": {}}, "names no network"),
        ({"most_similar": 3}, "stands only there"),
        ({"anchors": "most-similar"}, "stands only there"),
        ({"layers": "last"}, "layers"),
        ({"gamma": -1}, "gamma"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        head("lam-gl", **changes)
