"""A head that does not suit a task is refused with the reason, and with the names of all that do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmark.base import Downstream
from benchmark.base.declared import HeadFacts
from benchmark.errors import UsageError
from benchmark.protocol.dev_schemes import DevNone, DevTest
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.run.suiting import check_head, check_upstream, heads_for, misfit

REGISTRY = Registry()
PLAIN = HeadFacts(
    needs="mean",
    kinds=("classification",),
    stochastic=True,
    uses_dev="select",
    transductive=False,
    sequences=False,
    adapts=False,
)


def task(name: str, **changes: Any) -> Task:
    return REGISTRY.task(name).model_copy(update=changes)


@pytest.mark.parametrize(
    ("protocol", "changes", "reason"),
    [
        ("urdu", {}, None),
        ("urdu", {"kinds": ("regression", "classification")}, None),
        ("urdu", {"kinds": ("regression",)}, "is for regression, and the task 'urdu' is classification"),
        ("iemocap-dims", {}, "is for classification, and the task 'iemocap-dims' is regression"),
        ("urdu", {"sequences": True}, "takes sequences of utterances, unlike the task 'urdu'"),
        ("iemocap-epc", {}, "takes one utterance at a time, unlike the task 'iemocap-epc'"),
        ("iemocap-epc", {"sequences": True}, None),
        ("urdu", {"adapts": True}, "adapts to a target corpus, and the task 'urdu' has none"),
        ("ravdess-to-urdu", {"adapts": True}, None),
        ("ravdess-to-urdu", {}, None),
    ],
)
def test_why_a_head_does_not_suit(protocol: str, changes: dict[str, Any], reason: str | None) -> None:
    assert misfit(task(protocol), replace(PLAIN, **changes)) == reason


@pytest.mark.parametrize(
    ("dev", "uses_dev", "reason"),
    [
        (DevNone(scheme="none"), "select", "selects on dev, and the task 'urdu' has none"),
        (DevNone(scheme="none"), "fit", None),
        (DevTest(scheme="test"), "fit", "is fitted on dev, which is the test set in the task 'urdu'"),
        (DevTest(scheme="test"), "select", None),
    ],
)
def test_what_dev_is_for_must_suit_where_it_is_from(dev: Any, uses_dev: Any, reason: str | None) -> None:
    assert misfit(task("urdu", dev=dev), replace(PLAIN, uses_dev=uses_dev)) == reason


@pytest.mark.parametrize("protocol", ["urdu", "iemocap-dims", "iemocap-epc", "ravdess-to-urdu"])
def test_a_refusal_names_exactly_the_heads_that_are_not_refused(protocol: str) -> None:
    one = task(protocol)
    suitable = list(heads_for(one, REGISTRY))
    assert suitable
    refused = [entry.name for entry in REGISTRY.downstreams() if entry.name not in suitable]
    assert refused
    for name in suitable:
        check_head(one, name, REGISTRY)
    for name in refused:
        with pytest.raises(UsageError) as error:
            check_head(one, name, REGISTRY)
        assert error.value.message.startswith(f"the downstream {name!r} ")
        assert error.value.hint == f"these suit it: {', '.join(suitable)}"


class Own(Downstream):
    """Says nothing of kinds, and takes classes."""

    def fit(self, train, dev, *, seed):
        raise NotImplementedError

    def predict(self, examples):
        raise NotImplementedError


def test_a_head_that_says_nothing_takes_classes() -> None:
    assert Own.Params().kinds == ("classification",)


def test_a_head_of_two_upstreams_is_refused_on_another() -> None:
    registry = Registry()
    check_upstream(registry.upstream("logmel+egemaps-lld"), "fusion", registry)
    check_upstream(registry.upstream("mfcc"), "dense", registry)
    for name, first in (("logmel", "logmel"), ("logmel+mfcc", "logmel"), ("logmel+mfcc+egemaps-lld", "logmel")):
        with pytest.raises(UsageError, match=r"reads two joined upstreams, the second egemaps-lld, unlike") as caught:
            check_upstream(registry.upstream(name), "fusion", registry)
        assert caught.value.hint == f"join them: --upstream {first}+egemaps-lld"


def test_the_names_that_suit_are_of_recipes_as_they_are() -> None:
    """What is changed for a study suits the one head that was asked for, and most others do not have the key."""
    changed = Registry(changes=["downstream.beside=mfcc"])
    task = REGISTRY.task("demo")
    assert list(heads_for(task, changed)) == list(heads_for(task, REGISTRY))
    assert changed.head_facts("fusion").upstream_beside == "mfcc"
    assert changed.head_facts("fusion", changed=False).upstream_beside == "egemaps-lld"
