"""Every recipe is well formed, and states what it says it states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import downstreams
from benchmark.base import Downstream
from benchmark.base.identity import identity_of
from benchmark.contracts.downstream import check_downstream
from benchmark.registry.registry import Registry

FOLDER = Path(downstreams.__file__).parent / "recipes"
FILES = sorted(FOLDER.glob("*.yaml"))
REGISTRY = Registry()


def recipe(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def build(name: str, **changes: Any) -> Downstream:
    head = REGISTRY.downstream(name)
    return type(head)(type(head).Params.model_validate({**recipe(name)["params"], **changes}))


def test_the_recipes_are_found() -> None:
    assert sorted(path.stem for path in FILES) == [
        "boaw-svm",
        "knn",
        "lam-al",
        "lam-auto",
        "lam-bl",
        "lam-gl",
        "lam-rl1",
        "lam-rl2",
        "lam-rl3",
        "lam-wl",
        "linear",
        "logistic",
        "superb",
        "superb-s3prl",
        "svm",
        "svm-grid",
        "svm-rbf",
        "svm-statistics",
        "transformer",
        "turn-gru",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recipe_is_well_formed(path: Path) -> None:
    content = recipe(path.stem)
    assert (
        {"name", "summary", "downstream", "params"}
        <= set(content)
        <= {"name", "summary", "downstream", "params", "source"}
    )
    assert content["name"] == path.stem
    assert 0 < len(content["summary"]) <= 120
    assert "\n" not in content["summary"]
    build(path.stem)


# Too long to be fitted five times here, or others of the same class that differ in a layer.
LEFT_OUT = ("superb-s3prl", "lam-al", "lam-bl", "lam-rl1", "lam-rl2", "lam-rl3", "lam-wl")


@pytest.mark.parametrize("name", [path.stem for path in FILES if path.stem not in LEFT_OUT])
def test_a_recipe_passes_the_contract(name: str) -> None:
    checks = list(check_downstream(lambda: build(name)))
    assert len(checks) > 5
    for check in checks:
        check.run()


def test_the_s3prl_recipe_passes_the_contract_when_shortened() -> None:
    for check in check_downstream(
        lambda: build("superb-s3prl", maximum=500, evaluate_every=100, learning_rates=[0.01])
    ):
        check.run()


def test_the_default_searches_the_larger_rates_of_superb() -> None:
    head = build("superb")
    assert list(head.params.learning_rates) == [10.0**-k for k in range(1, 6)]
    assert head.params.normalisation == "global"
    assert head.params.select_on == "primary"
    assert head.params.batch_size * head.params.accumulate == 32
    assert head.stochastic
    assert not head.transductive


def test_the_s3prl_recipe_is_to_the_letter() -> None:
    """The values of s3prl/downstream/emotion/config.yaml."""
    head = build("superb-s3prl")
    assert head.params.model_dump() == {
        "hidden": 256,
        "normalisation": "none",
        "learning_rates": (1e-4,),
        "search_seed": None,
        "batch_size": 4,
        "accumulate": 8,
        "clip": 1,
        "unit": "steps",
        "maximum": 30_000,
        "evaluate_every": 1000,
        "patience": None,
        "select_on": "wa",
        "ties": "first",
        "seed": 0,
    }
    assert not head.stochastic


@pytest.mark.parametrize(
    ("name", "kernel", "cost", "gamma"), [("svm", "linear", 0.01, None), ("svm-rbf", "rbf", 1, "auto")]
)
def test_the_fixed_machines(name: str, kernel: str, cost: float, gamma: str | None) -> None:
    params = build(name).params
    assert (params.kernel, params.C, params.gamma) == (kernel, cost, gamma)
    assert (params.normalisation, params.layer, params.fit_on, params.grid) == ("global", "last", "train+dev", None)


def test_the_machine_on_statistics_is_the_plain_one_on_more() -> None:
    plain, statistics = build("svm"), build("svm-statistics")
    assert (plain.needs, statistics.needs) == ("mean", "statistics")
    assert {**plain.params.model_dump(), "pooling": "statistics"} == statistics.params.model_dump()
    assert identity_of(plain) != identity_of(statistics)


def test_the_grid_has_five_inner_folds() -> None:
    params = build("svm-grid").params
    assert params.inner_folds == 5
    assert params.grid.C == (0.001, 0.01, 0.1, 1)
