"""What goes by one name and is not one: refused in a request, told where records have the other."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from tiny_models import save_model

from benchmark.errors import UsageError
from benchmark.io.settings import Settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request, make_plan, setup_of
from benchmark.run.worker import Worker


def test_weights_of_another_folder_of_one_name_are_told_before_anything_is_encoded(
    own_toy_corpus: Path, toy_task: Path, tmp_path: Path, progress, plugin: Path
) -> None:
    """Each of two runs has one of two folders of one last name; a single run with both is refused."""
    settings = Settings(tmp_path / "cache", tmp_path / "results", {"toy": own_toy_corpus})
    ids = [path.relative_to(own_toy_corpus).as_posix() for path in sorted(own_toy_corpus.rglob("*.wav"))]
    for folder, sign in (("a", 1.0), ("b", -1.0)):
        (tmp_path / folder).mkdir()
        np.savez(
            tmp_path / folder / "x.npz",
            **{name: np.array([sign * ("high" in name), 1.0], np.float32) for name in ids},
        )
    told = []
    for folder in ("a", "a", "b"):
        name = f"precomputed:{tmp_path / folder / 'x.npz'}"
        run(Request([name], [str(toy_task)], ["nearest"]), Registry([str(plugin)]), settings, progress, "cpu")
        told.append([note for note in progress.notes if "has records of other weights" in note])
        progress.notes.clear()
    assert [len(notes) for notes in told] == [0, 0, 1]
    digests = {record.upstream.weights_sha256 for record in RecordStore(settings.results)}
    assert len(digests) == 2
    assert all(str(digest)[:12] in told[2][0] for digest in digests)
    assert "precomputed:x.npz + nearest on toy" in told[2][0]


def test_two_upstreams_or_tasks_of_one_name_are_refused_before_any_work(
    toy_task: Path, plugin: Path, settings: Settings, progress, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        save_model(tmp_path / name / "tiny", "wav2vec2-base", num_hidden_layers=1 + (name == "b"))
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    registry = Registry([str(plugin)])

    def refused(request: Request, told: str) -> None:
        with pytest.raises(UsageError, match=told):
            make_plan(request, Worker(setup_of(request, settings, [str(plugin)]), registry), progress)

    two = [f"hf:{tmp_path}/{name}/tiny" for name in ("a", "b")]
    refused(Request(two, [str(toy_task)], ["nearest"]), r"are both called 'hf:tiny', and are not one")
    one = Request([two[0], two[0].replace("/a/", "/c/")], [str(toy_task)], ["nearest"])
    assert len(make_plan(one, Worker(setup_of(one, settings, [str(plugin)]), registry), progress)) == 1
    other = tmp_path / "other" / "toy.yaml"
    other.parent.mkdir()
    other.write_text(yaml.safe_dump({**yaml.safe_load(toy_task.read_text()), "seeds": [7]}))
    refused(Request(["spectrum"], [str(toy_task), str(other)], ["nearest"]), r"are both called 'toy', and are not one")
