"""Whom a training and a test have heard."""

from __future__ import annotations

from pathlib import Path

import yaml
from toy import TOY_TASK

from benchmark.run.leash import Exposure, in_test, in_training
from benchmark.run.unit import Setup
from benchmark.run.worker import Worker


def test_training_hears_dev_too_and_never_the_test_of_its_fold(toy_task: Path, settings, progress) -> None:
    material = Worker(Setup(settings)).material(str(toy_task), progress)
    heard, tested = in_training(material, "anna"), in_test(material, "anna")
    assert {name for _, name in heard.speakers} == {"bert", "cleo", "dora"}
    assert {name for _, name in tested.speakers} == {"anna"}
    assert (len(heard.recordings), len(tested.recordings)) == (30, 10)
    assert not heard & tested
    assert (heard & in_test(material, "bert")).words == "1 speaker (bert) and 10 recordings"


def test_speakers_of_two_corpora_are_those_of_the_corpora(tmp_path: Path, settings, progress) -> None:
    """`csv` is the scanner of many corpora: its speakers are known by their folder, those of others by the corpus."""
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(TOY_TASK))
    material = Worker(Setup(settings)).material(str(path), progress)
    (corpus,) = {corpus for corpus, _ in in_test(material, "anna").speakers}
    assert corpus == str(settings.data["toy"].resolve())
    demo = Worker(Setup(settings)).material("demo", progress)
    assert {corpus for corpus, _ in in_test(demo, demo.dataset.folds[0].name).speakers} == {"demo"}


def test_nothing_is_nobody() -> None:
    assert not Exposure()
    assert Exposure(frozenset({("a", "b")})).words == "1 speaker (b)"
    assert Exposure(recordings=frozenset({"x", "y"})).words == "2 recordings"
