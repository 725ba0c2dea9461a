"""Recipes: a closed schema, and ablations that differ from emotion2vec in what they say and in nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_pretraining import ABLATIONS, tiny

from benchmark.errors import UsageError
from upstreams.pretraining.recipe import RECIPES, read_changes, read_recipe, recipe_names

PUBLISHED = "emotion2vec"


def values(name: str) -> dict[str, Any]:
    """Values by dotted keys, of what decides numbers."""

    def flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in content.items():
            is_room = isinstance(value, dict) and key != "decoder"
            found |= flat(value, f"{prefix}{key}.") if is_room else {f"{prefix}{key}": value}
        return found

    told = flat(read_recipe(name).model_dump(mode="json"))
    return {key: value for key, value in told.items() if key not in ("name", "summary", "source")}


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_what_it_says(name: str) -> None:
    published, found = values(PUBLISHED), values(name)
    assert {key: value for key, value in found.items() if value != published[key]} == ABLATIONS[name]


def test_there_is_no_other_recipe() -> None:
    assert set(recipe_names()) == {PUBLISHED, "emotion2vec-small", *ABLATIONS}


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_called_as_its_file(name: str) -> None:
    assert read_recipe(name).name == name


def test_every_value_of_the_published_model_names_its_source() -> None:
    text = (RECIPES / f"{PUBLISHED}.yaml").read_text(encoding="utf-8")
    lines = text[text.index("\nstart:") + 1 :].splitlines()
    rooms = re.compile(r"^\w+:$")
    assert [line for line in lines if "#" not in line and not rooms.match(line)] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("masking.kopies=2", "unknown key 'masking.kopies' .*did you mean 'copies'"),
        ("steps=300", "unknown key 'steps' .*did you mean 'teacher.steps' or 'schedule.steps'"),
        ("lerning_rate=1", "unknown key 'lerning_rate' .*did you mean 'optimiser.learning_rate'"),
        ("utterance_loss.method=tokn", "'utterance_loss.method'"),
        ("masking=1", "'masking'"),
        ("masking.length.x=1", "'length' in .* has no keys"),
        ("seed=-1", "'seed'"),
        ("seed=1.5", "'seed'"),
        ("optimiser.learning_rate=.inf", "'optimiser.learning_rate'"),
        ("schedule.warm_up=100000", "warm_up .* is not below steps"),
        ("model.tokens=0", "needs model.tokens"),
        ("targets.blocks=9", "above model.trunk"),
        ("audio.longest=100", "more than batch.tokens"),
        ("audio.shortest=0.001", "no frame to mask"),
        ("audio.shortest=30", "above longest"),
        ("frame_loss.weight=-1", "'frame_loss.weight'"),
        ("seed", "no KEY=VALUE"),
    ],
)
def test_what_does_not_fit_is_refused(change: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_recipe(PUBLISHED, read_changes([change]))


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing is learnt"):
        read_recipe(PUBLISHED, read_changes(["frame_loss.weight=0", "utterance_loss.weight=0"]))
    with pytest.raises(UsageError, match="twice"):
        read_changes(["seed=1", "seed=2"])


def test_a_recipe_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**tiny().model_dump(mode="json"), "name": "mine"}))
    assert read_recipe(str(path)).name == "mine"
    with pytest.raises(UsageError, match="there is no recipe file"):
        read_recipe(str(tmp_path / "other.yaml"))
    with pytest.raises(UsageError, match="did you mean 'emotion2vec'"):
        read_recipe("emotion2vek")
