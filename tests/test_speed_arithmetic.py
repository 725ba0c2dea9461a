"""The arithmetic of the speed scripts: what is extrapolated from measured seconds."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def s3prl_way() -> ModuleType:
    """The script, which is no module of any package."""
    spec = importlib.util.spec_from_file_location("s3prl_way", Path(__file__).parent / "speed" / "s3prl_way.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def test_durations_are_those_of_the_corpus(s3prl_way: ModuleType) -> None:
    every = s3prl_way.durations()
    assert len(every) == 5531
    assert sum(every) / 5531 == pytest.approx(4.5, abs=1e-6)
    assert every == sorted(every)
    assert every[0] >= 0.6
    assert every[-1] <= 34
    assert every[2765] < 4.5  # more short ones than long ones


@pytest.mark.parametrize("count", [32, 64, 320])
def test_a_sample_stands_for_the_corpus(s3prl_way: ModuleType, count: int) -> None:
    found = s3prl_way.sample(count)
    assert len(found) == count
    assert sum(found) / count == pytest.approx(4.5, rel=0.02)


def test_s3prl_encodes_the_corpus_922_times(s3prl_way: ModuleType) -> None:
    training = 5 * 30_000 * 32
    evaluation = 30 * (890 + 1085 + 902 + 1023 + 876 + 1151 + 900 + 1031 + 858 + 1241)
    assert (s3prl_way.trained_utterances(), s3prl_way.evaluated_utterances()) == (training, evaluation)
    assert all(sum(fold) == 5531 for fold in s3prl_way.FOLDS)
    assert sum(test for _, _, test in s3prl_way.FOLDS) == 5531
    found = s3prl_way.extrapolate(s3prl_way.Measured(1, 1, 1, 1))
    assert found["s3prl"]["encoded_utterances"] == training + evaluation == 5_098_710
    assert found["s3prl"]["times_the_corpus"] == 921.8
    assert found["corpus"]["hours"] == round(5531 * 4.5 / 3600, 2)


def test_the_ratio_is_that_of_both_sums(s3prl_way: ModuleType) -> None:
    found = s3prl_way.extrapolate(s3prl_way.Measured(step=20.0, forward=0.6, encode=0.5, head=0.002))
    theirs = 150_000 * 20.0 + 298_710 * 0.6
    ours = 5531 * 0.5 + 150_000 * 0.002
    assert found["ratio"] == pytest.approx(theirs / ours, rel=1e-4)
    assert found["s3prl"]["seconds"] == pytest.approx(theirs)
    assert math.isclose(found["s3prl"]["days"], theirs / 86_400, rel_tol=1e-3)
    assert found["ours"]["encode_seconds"] == pytest.approx(5531 * 0.5)
    assert found["ours"]["head_seconds"] == pytest.approx(300)
    assert found["ours"]["real_time_factor"] == pytest.approx(0.5 / 4.5, rel=1e-4)
