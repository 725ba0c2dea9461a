"""A teacher is the cell of the same task, fold and seed: trained when it is missing, and asked about train alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.teaching import read_lesson, write_lesson
from benchmark.types import Taught

PLUGIN = '''
import json, pathlib
import numpy as np
from benchmark import Downstream, HeadParams, Selection

LOG = pathlib.Path(__file__).with_suffix(".jsonl")


def log(**what):
    with LOG.open("a") as handle:
        handle.write(json.dumps(what) + "\\n")


class Pupil(Downstream):
    """Says what it is shown."""

    name = "pupil"

    class Params(HeadParams):
        c: int = 1

        @property
        def teacher(self):
            return "logmel", "master"

    def fit(self, train, dev, *, seed):
        taught = train.taught
        log(call="fit", train=train.ids, dim=train.x.shape[-1], seed=seed, dev=dev.taught is None,
            taught=None if taught is None else [taught.embeddings.shape, taught.values.shape])
        return Selection()

    def predict(self, examples):
        log(call="predict", dim=examples.x.shape[-1], taught=examples.taught is None)
        return [[1.0, 0.0]] * len(examples)


class Master(Downstream):
    """Has embeddings; fails where it is told to."""

    name = "master"

    def fit(self, train, dev, *, seed):
        log(call="teach", train=train.ids, dim=train.x.shape[-1], seed=seed)
        if LOG.with_name("fail").exists():
            raise RuntimeError("no lesson today")
        return Selection()

    def predict(self, examples):
        return np.zeros((len(examples), 2))

    def embeddings(self, examples):
        return np.ones((len(examples), 3), np.float32)
'''


@pytest.fixture
def school(tmp_path: Path) -> Path:
    path = tmp_path / "school_plugin.py"
    path.write_text(PLUGIN)
    return path


def calls(school: Path) -> list[dict]:
    log = school.with_suffix(".jsonl")
    found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    log.unlink(missing_ok=True)
    return found


def test_a_teacher_is_trained_once_and_its_pupil_never_sees_its_upstream(
    school: Path, toy_task: Path, settings: Settings, progress
) -> None:
    request = Request(["mfcc"], [str(toy_task)], ["pupil"], folds=["anna"], seeds=[0])
    (outcome,) = run(request, Registry([str(school)]), settings, progress, "cpu")
    assert (outcome.completed, outcome.failed) == (1, {})
    teach, fit, predict = calls(school)
    mel, cepstra = 80, fit["dim"]
    assert (teach["call"], teach["dim"], teach["seed"]) == ("teach", mel, 0)
    assert cepstra != mel
    assert teach["train"] == fit["train"]
    assert fit["taught"] == [[len(fit["train"]), 3], [len(fit["train"]), 2]]
    assert fit["dev"]
    assert predict == {"call": "predict", "dim": cepstra, "taught": True}
    # Again, with another value of the pupil: the teacher is there.
    changed = Registry([str(school)], ["downstream.c=2"])
    (again,) = run(request, changed, settings, progress, "cpu")
    assert again.completed == 1
    assert [call["call"] for call in calls(school)] == ["fit", "predict"]
    assert {record.upstream.name for record in RecordStore(settings.results)} == {"mfcc"}


def test_another_seed_has_another_teacher(school: Path, toy_task: Path, settings: Settings, progress) -> None:
    request = Request(["mfcc"], [str(toy_task)], ["pupil"], folds=["anna"])
    run(request, Registry([str(school)]), settings, progress, "cpu")
    assert sorted(call["seed"] for call in calls(school) if call["call"] == "teach") == [0, 1]


def test_a_teacher_that_fails_fails_its_pupil_and_says_so(
    school: Path, toy_task: Path, settings: Settings, progress
) -> None:
    school.with_name("fail").touch()
    request = Request(["mfcc"], [str(toy_task)], ["pupil"], folds=["anna"], seeds=[0])
    (outcome,) = run(request, Registry([str(school)]), settings, progress, "cpu")
    assert list(outcome.failed.values()) == ["the teacher failed: RuntimeError: no lesson today"]


def test_what_decides_the_teacher_is_part_of_what_the_pupil_is(
    school: Path, toy_task: Path, settings: Settings, progress
) -> None:
    request = Request(["mfcc"], [str(toy_task)], ["pupil"], folds=["anna"], seeds=[0])
    run(request, Registry([str(school)]), settings, progress, "cpu")
    school.write_text(PLUGIN.replace("np.ones((len(examples), 3)", "np.zeros((len(examples), 3)"))
    calls(school)
    other = school.with_name("school_again.py")
    other.write_text(school.read_text())
    (outcome,) = run(request, Registry([str(other)]), settings, progress, "cpu")
    assert outcome.completed == 1
    assert len({record.id for record in RecordStore(settings.results)}) == 2


def test_a_lesson_is_kept_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lessons" / "a.safetensors"
    assert read_lesson(path) is None
    write_lesson(path, Taught(np.ones((2, 3), np.float32), np.zeros((2, 1))))
    known = read_lesson(path)
    assert known is not None
    assert (known.embeddings.shape, known.values.shape) == ((2, 3), (2, 1))
    path.write_bytes(path.read_bytes()[:20])
    assert read_lesson(path) is None
