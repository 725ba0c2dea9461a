"""`bench pretrain`: what it lists, plans, makes and refuses."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tiny_pretraining import ABLATIONS, SMALL, as_changes, write_audio
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.errors import MissingError, UsageError
from benchmark.records import RecordStore
from benchmark.records.grouping import group

TINY = [word for change in as_changes({"schedule.steps": 2}) for word in ("--set", change)]


def bench(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("speech") / "voices", 5)


def test_recipes_are_listed_without_torch() -> None:
    code = (
        "import sys; from benchmark.cli import app; sys.argv[1:] = ['pretrain', '--list', '--json']\n"
        "try:\n    app()\nexcept SystemExit:\n    sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {one["name"] for one in json.loads(done.stdout)} == {"emotion2vec", SMALL, *ABLATIONS}
    shown = bench("pretrain", "--list").stdout
    assert "table 10, token embedding" in shown


def test_a_plan_trains_nothing(audio: Path, tmp_path: Path) -> None:
    done = bench("pretrain", "-r", SMALL, *TINY, "--audio", audio, "--out", tmp_path / "m", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "5 recordings, 0.00 h: voices (folder)" in done.stdout
    assert "2, of which 0 are done" in done.stdout
    assert not (tmp_path / "m").exists()
    plan = bench("pretrain", "-r", SMALL, *TINY, "--audio", audio, "--out", tmp_path / "m", "--dry-run", "--json")
    found = json.loads(plan.stdout)
    assert (found["steps"], found["trained_on"], found["start"]["kind"]) == (2, [], "cold")
    assert found["parameters_trained"] > found["parameters_of_the_encoder"] > 0


def test_a_model_is_made_and_runs_and_is_marked(audio: Path, toy_corpus: Path, toy_task: Path, tmp_path: Path) -> None:
    out, results = tmp_path / "mine", tmp_path / "results"
    heard = ["--data", f"csv={toy_corpus}", "--audio", audio, "--out", out]
    done = bench("pretrain", "--recipe", SMALL, *TINY, *heard)
    assert done.exit_code == 0, done.output
    assert "marked as contaminated on: csv" in done.stdout
    assert "Pre-training with emotion2vec-small" in (out / "training" / "curves.svg").read_text()
    assert f"bench run --upstream emotion2vec:{shlex.quote(str(out))} --task demo" in done.stdout
    ran = ["run", "--task", toy_task, "--data", f"toy={toy_corpus}", "--results", results, "--seed", "0"]
    for head in ("svm", "linear"):
        run = bench(
            *ran, "--upstream", f"emotion2vec:{out}", "--downstream", head, "--upstream", f"pretrained-utterance:{out}"
        )
        assert run.exit_code == 0, run.output
    cells = group(RecordStore(results)).cells
    assert {cell.upstream.name for cell in cells} == {"pretrained:mine", "pretrained-utterance:mine"}
    assert {cell.contaminated for cell in cells} == {("csv",)}
    shown = bench("show", f"emotion2vec:{out}").stdout
    assert "pretrained:" in shown


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        (["--recipe", SMALL], UsageError, "where shall the model go"),
        (["--recipe", "emotion2vek", "--data", "demo"], UsageError, "did you mean 'emotion2vec'"),
        (["--recipe", SMALL, "--data", "demoo"], UsageError, "did you mean 'demo'.*--audio DIR"),
        (["--recipe", SMALL], UsageError, "nothing to learn from"),
        (["--recipe", SMALL, "--data", "demo", "--data", "demo"], UsageError, "'demo' is given twice"),
        (["--recipe", SMALL, "--data", "urdu"], MissingError, "the corpus 'urdu' is not here"),
        (["--data", "demo"], UsageError, "starts from 'data2vec2', and there is no --start"),
        (["--data", "demo", "--start", "data2vec2:/nowhere/at-all"], MissingError, "neither a folder that exists"),
        (["--recipe", SMALL, "--data", "demo", "--set", "masking.kopies=1"], UsageError, "mean 'copies'"),
        (["--recipe", SMALL, "--audio", "/nowhere"], MissingError, "folder of audio /nowhere is not here"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], kind: type, told: str, tmp_path: Path) -> None:
    where = [] if "where shall" in told else ["--out", tmp_path / "m"]
    done = bench("pretrain", *arguments, *where, "--dry-run")
    assert type(done.exception) is kind, done.output
    assert re.search(told, str(done.exception)), str(done.exception)
