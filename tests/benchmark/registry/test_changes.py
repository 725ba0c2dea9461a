"""Changes of a recipe: their form, what they lead to, and the schema that they meet."""

from __future__ import annotations

import pytest

from benchmark.errors import UsageError
from benchmark.registry.changes import changed, parse_changes
from benchmark.registry.registry import Registry


def test_values_are_yaml_and_keys_lead_into_mappings() -> None:
    texts = ["downstream.C=0.5", "downstream.grid=null", "downstream.a.b=[1, x]", "downstream.name=a=b"]
    assert parse_changes(texts) == {("C",): 0.5, ("grid",): None, ("a", "b"): [1, "x"], ("name",): "a=b"}


def test_another_prefix_has_its_own_form() -> None:
    assert parse_changes(["seed=2", "a.b=x"], prefix="") == {("seed",): 2, ("a", "b"): "x"}
    with pytest.raises(UsageError, match=r"--set 'seed' is no KEY=VALUE .as in a=1"):
        parse_changes(["seed"], prefix="", form="as in a=1")
    with pytest.raises(UsageError, match=r"--set a\.b: 'a' in r has no keys, it is 1"):
        changed({"a": 1}, {("a", "b"): 2}, "r", prefix="")


@pytest.mark.parametrize("text", ["C=1", "downstream.C", "downstream.=1", "downstream.a..b=1", "upstream.C=1", ""])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no downstream\.KEY=VALUE"):
        parse_changes([text])


@pytest.mark.parametrize("second", ["downstream.a=2", "downstream.a.b=2"])
def test_a_key_is_given_once(second: str) -> None:
    with pytest.raises(UsageError, match="twice"):
        parse_changes(["downstream.a=1", second])


@pytest.mark.parametrize("value", ["[1", "!!python/object:os.system x", "{a: 1, a: 2}", "!!bool x"])
def test_what_is_no_yaml_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=r"--set downstream.C: .* is no YAML value"):
        parse_changes([f"downstream.C={value}"])


def test_other_values_stay_and_the_recipe_is_not_changed() -> None:
    recipe = {"C": 1, "optimiser": {"name": "adam", "learning_rate": 0.1}}
    made = changed(recipe, parse_changes(["downstream.optimiser.learning_rate=0.2", "downstream.new.key=3"]), "r")
    assert made == {"C": 1, "optimiser": {"name": "adam", "learning_rate": 0.2}, "new": {"key": 3}}
    assert recipe["optimiser"]["learning_rate"] == 0.1
    with pytest.raises(UsageError, match=r"--set downstream.C.x: 'C' in r has no keys, it is 1"):
        changed(recipe, parse_changes(["downstream.C.x=1"]), "r")


def test_a_head_is_built_with_them() -> None:
    assert Registry(changes=["downstream.C=0.5"]).downstream("svm").params.C == 0.5
    head = Registry(changes=["downstream.optimiser.momentum=0.5"]).downstream("linear")
    assert (head.params.optimiser.momentum, head.params.optimiser.learning_rate) == (0.5, 0.0005)
    assert Registry(changes=["downstream.normalisation=speaker"]).head_facts("linear").transductive


@pytest.mark.parametrize(
    ("text", "name", "told", "hint"),
    [
        ("downstream.kernal=rbf", "svm", "unknown key 'kernal' in params of", "did you mean 'kernel'?"),
        ("downstream.optimiser.momentun=1", "linear", "unknown key 'optimiser.momentun'", "did you mean 'momentum'?"),
        ("downstream.c=1", "svm", "unknown key 'c' in params of", "did you mean 'C'?"),
        ("downstream.C=big", "svm", "'C' in params of downstreams/recipes/svm.yaml", None),
        ("downstream.C=.nan", "svm", "'C' in params of downstreams/recipes/svm.yaml", None),
    ],
)
def test_the_schema_stays_closed(text: str, name: str, told: str, hint: str | None) -> None:
    with pytest.raises(UsageError, match=told.replace("(", r"\(")) as caught:
        Registry(changes=[text]).downstream(name)
    assert hint is None or caught.value.hint == hint
