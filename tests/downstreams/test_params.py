"""The parameters tell what must be known of a head, and import no more than is needed for that."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import downstreams.params
from benchmark.base import Downstream
from benchmark.registry.registry import Registry
from downstreams.heads.svm import SVM
from downstreams.params.svm import SVMParams

REGISTRY = Registry()
MODULES = [f"downstreams.params.{found.name}" for found in pkgutil.iter_modules(downstreams.params.__path__)]
FACTS = ("needs", "kinds", "stochastic", "uses_dev", "transductive", "sequences", "adapts", "networks", "phones")
MACHINE = {"kernel": "linear", "C": 1, "normalisation": "none", "layer": "last", "fit_on": "train"}


def test_they_import_neither_torch_nor_scikit_learn() -> None:
    code = (
        f"import sys\nfor name in {MODULES}: __import__(name)\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'transformers'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", [entry.name for entry in REGISTRY.downstreams()])
def test_a_head_of_this_package_says_nothing_that_its_parameters_do_not(name: str) -> None:
    cls = type(REGISTRY.downstream(name))
    assert cls.Params.__module__ in MODULES
    for one in cls.__mro__[: cls.__mro__.index(Downstream)]:
        assert not {*FACTS} & set(vars(one)), one


def test_there_is_a_module_of_parameters_for_each_family() -> None:
    assert len(MODULES) >= 4
    assert all(importlib.import_module(name).__doc__ for name in MODULES)


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, {"needs": "mean", "uses_dev": "no", "transductive": False, "stochastic": False}),
        ({"pooling": "statistics"}, {"needs": "statistics"}),
        ({"fit_on": "train+dev"}, {"uses_dev": "fit"}),
        ({"normalisation": "speaker"}, {"transductive": True}),
        ({"class_weight": "balanced"}, {"kinds": ("classification",)}),
    ],
)
def test_facts_of_a_machine_follow_from_its_parameters(changes: dict, facts: dict) -> None:
    params = SVMParams.model_validate({**MACHINE, **changes})
    head = SVM(params)
    for name, value in facts.items():
        assert getattr(params, name) == getattr(head, name) == value
