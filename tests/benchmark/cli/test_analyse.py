"""`bench analyse`: what it writes, and what it says where something is missing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from boards_factory import system, task
from click.testing import Result
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request

WEIGHTS = {"on": "uar", "score": 0.5, "epoch": 1, "layer_weights": [0.1, 0.2, 0.3, 0.4], "chosen": {}}
SUFFIXES = (".json", ".csv", ".svg", ".png")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store = RecordStore(tmp_path / "records")
    for each in [*system("good", 0.9, selection=WEIGHTS), *system("poor", 0.4)]:
        store.write(each)
    return tmp_path / "records"


@pytest.fixture
def ran(toy_task: Path, plugin: Path, toy_corpus: Path, settings: Settings, progress: Any, tmp_path: Path) -> list[str]:
    """A run of two heads on the toy task; the options that name its parts."""
    run(Request(["spectrum"], [str(toy_task)], ["superb", "svm"]), Registry([str(plugin)]), settings, progress)
    return ["--task", str(toy_task), "--plugin", str(plugin), "--data", f"toy={toy_corpus}"]


def analyse(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)])


def files(done: Result, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]], str]:
    """The numbers, the table and the SVG that were written."""
    assert done.exit_code == 0, done.output + repr(done.exception)
    paths = {Path(line.removeprefix("written: ")) for line in done.output.splitlines() if line.startswith("written: ")}
    assert sorted(path.suffix for path in paths) == sorted(SUFFIXES)
    assert {path.parent for path in paths} == {folder}
    by_suffix = {path.suffix: path for path in paths}
    assert by_suffix[".png"].read_bytes().startswith(b"\x89PNG")
    table = list(csv.DictReader(by_suffix[".csv"].read_text().splitlines()))
    return json.loads(by_suffix[".json"].read_text()), table, by_suffix[".svg"].read_text()


def test_numbers_and_figure_carry_the_command_and_not_where_they_lie(results: Path, tmp_path: Path) -> None:
    done = analyse("confusion-shift", "good", "poor", "-t", "toy", "--results", results, "--out", tmp_path / "a b")
    numbers, table, svg = files(done, tmp_path / "a b")
    command = f"bench analyse confusion-shift good poor --task toy --results {results}"
    assert numbers["command"] == command
    assert f"Made by: {command}" in " ".join(svg.split())
    assert len(table) == 16
    shift = numbers["confusion_shift"]["shifts"][0][0]["value"]
    assert float(table[0]["A - B"]) == shift > 0.3


def test_json_prints_what_is_written(results: Path, tmp_path: Path) -> None:
    done = analyse("size", "-t", "toy", "--results", results, "--out", tmp_path, "--json")
    numbers, table, _ = files(done, tmp_path)
    assert json.loads(done.stdout) == numbers
    assert [one["system"] for one in numbers["sizes"]] == [row["system"] for row in table]
    assert len(table) == 2


def test_layer_weights_are_of_those_who_have_some(results: Path, tmp_path: Path) -> None:
    done = analyse("layer-weights", "-t", "toy", "--results", results, "--out", tmp_path)
    numbers, table, _ = files(done, tmp_path)
    assert list(numbers["layer_weights"]) == ["good + superb"]
    assert [float(row["weight"]) for row in table] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert "no layer weights of poor + superb: superb learns none" in done.stdout
    refused = analyse("layer-weights", "poor", "-t", "toy", "--results", results, "--out", tmp_path)
    assert "no layer weights of poor" in str(refused.exception)


def test_mismatch_of_two_heads(ran: list[str], tmp_path: Path) -> None:
    done = analyse("mismatch", "spectrum+superb", "spectrum+svm", "--task", "toy", "--out", tmp_path)
    numbers, table, _ = files(done, tmp_path)
    found = numbers["mismatch"]
    assert np.sum(found["agreement"]) == pytest.approx(40)
    assert float(table[0]["share"]) == pytest.approx(1 - np.trace(found["agreement"]) / 40)
    assert found["seeds"] == [2, 1]
    assert found["within_b"] is None


def test_of_features(ran: list[str], tmp_path: Path) -> None:
    done = analyse(
        "projection", "spectrum", *ran, "--colour", "emotion", "--colour", "speaker", "--out", tmp_path / "p"
    )
    numbers, table, svg = files(done, tmp_path / "p")
    assert set(numbers["neighbours"]) == {"emotion", "speaker"}
    assert len(table) == 40
    assert {row["emotion"] for row in table} == {"high", "low"}
    assert "silhouette" in svg

    done = analyse("embedding-distance", "spectrum", "spectrum@0", *ran, "--out", tmp_path / "e")
    numbers, table, _ = files(done, tmp_path / "e")
    assert max(numbers["embedding_distance"]["distances"]) == pytest.approx(0, abs=1e-9)
    assert sum(int(row["utterances"]) for row in table) == 40

    done = analyse("layer-similarity", "spectrum", "spectrum@0", *ran, "--out", tmp_path / "l")
    numbers, _, _ = files(done, tmp_path / "l")
    assert numbers["CKA"] == [[pytest.approx(1.0)]]
    assert numbers["utterances"] < 40  # train alone

    done = analyse("layer-similarity", "spectrum", *ran, "--task", ran[1], "--most", 2, "--out", tmp_path / "c")
    numbers, _, _ = files(done, tmp_path / "c")
    assert numbers["classes"] == ["high", "low"]
    assert np.min(numbers["cosine"]) > 0.5
    assert numbers["chosen"] == [0]


def test_what_is_missing_is_named_with_its_command(
    results: Path, toy_task: Path, plugin: Path, toy_corpus: Path, tmp_path: Path
) -> None:
    done = analyse("mismatch", "good", "poor", "-t", "toy", "--results", results)
    assert isinstance(done.exception, MissingError)
    assert "bench run --upstream good --downstream superb --task toy --rerun all" in str(done.exception)
    options = ["--task", toy_task, "--plugin", plugin, "--data", f"toy={toy_corpus}"]
    done = analyse("projection", "spectrum", *options)
    assert isinstance(done.exception, MissingError)
    assert f"bench run --upstream spectrum --task {toy_task}" in str(done.exception)
    assert not (tmp_path / "analyses").exists()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["size", "-t", "nope"], UsageError, "no records of the task 'nope'"),
        (["mismatch", "good", "good", "-t", "toy"], UsageError, "compared with itself"),
        (["mismatch", "good", "bad", "-t", "toy"], UsageError, "there is no system 'bad' on toy"),
        (["error-by-value", "good", "-t", "toy"], MissingError, "predictions of good + superb on toy are not here"),
        (["size", "nobody", "-t", "toy"], UsageError, "there is no system 'nobody'"),
    ],
)
def test_errors(results: Path, arguments: list[str], kind: type[BenchError], message: str) -> None:
    done = analyse(*arguments, "--results", results)
    assert isinstance(done.exception, kind), done.output
    assert message in str(done.exception)


@pytest.mark.parametrize(
    "arguments",
    [["mismatch"], ["confusion-shift"], ["size"], ["layer-weights"], ["error-by-value"]],
)
def test_a_system_that_is_not_complete_is_named_with_its_command(results: Path, arguments: list[str]) -> None:
    for each in system("half", 0.7, selection=WEIGHTS)[:3]:
        RecordStore(results).write(each)
    others = ["good"] if arguments[0] in ("mismatch", "confusion-shift") else []
    done = analyse(*arguments, "half", *others, "-t", "toy", "--results", results)
    assert isinstance(done.exception, BenchError), repr(done.exception)
    assert "half + superb on toy is incomplete: 3 of " in str(done.exception)
    assert "bench run --upstream half --downstream superb --task toy" in str(done.exception)


def test_another_command_takes_another_name_and_the_same_one_its_own(results: Path, tmp_path: Path) -> None:
    size = ["size", "-t", "toy", "--results", results, "--out", tmp_path]
    for _ in range(2):
        assert files(analyse(*size), tmp_path)[0]["command"].startswith("bench analyse size --task toy")
        assert len(files(analyse(*size, "good"), tmp_path)[1]) == 1
    assert sorted(path.name for path in tmp_path.glob("size*.json")) == ["size-toy-2.json", "size-toy.json"]
    assert len(json.loads((tmp_path / "size-toy.json").read_text())["sizes"]) == 2
    (tmp_path / "file").write_text("")
    refused = analyse("size", "-t", "toy", "--results", results, "--out", tmp_path / "file")
    assert "file is no folder" in str(refused.exception)


def test_why_there_are_no_records_of_a_task(results: Path) -> None:
    def said(task: str) -> str:
        return str(analyse("size", "-t", task, "--results", results).exception)

    assert "there are some of toy;" in said("toyy")
    for each in system("study", 0.7, **task("changed", "toy"), protocol="modified"):
        RecordStore(results).write(each)
    assert "all records of 'changed' are of a changed protocol or recipe" in said("changed")
    (next(results.rglob("toy/*.json")).parent / ("0" * 32 + ".json")).write_text("{")
    assert "the records of 'toy' are left out, as one of them cannot be read" in said("toy")


def test_classes_of_one_corpus_alone_are_named(ran: list[str], toy_corpus: Path, progress: Any) -> None:
    _, toy, _, plugin, _, data = ran
    protocol = {**yaml.safe_load(Path(toy).read_text()), "name": "other", "labels": ["loud", "low"]}
    protocol |= {"label_map": {"high": "loud", "low": "low"}}
    protocol["expect"]["per_class"] = {"loud": 20, "low": 20}
    other = Path(toy).with_name("other.yaml")
    other.write_text(yaml.safe_dump(protocol))
    of_other = f"other={toy_corpus}"
    run(Request(["spectrum"], [str(other)]), Registry([plugin]), load_settings([of_other]), progress)
    words = ["layer-similarity", "spectrum", "--plugin", plugin, "--data", data, "--data", of_other]
    words += ["-t", toy, "-t", str(other)]
    numbers, _, _ = files(done := analyse(*words, "--out", other.parent / "o"), other.parent / "o")
    assert numbers["classes"] == ["low"]
    for said in ("left out, of toy alone: high", "left out, of other alone: loud", "between the two corpora maps them"):
        assert said in done.output


def test_features_that_cannot_be_compared_are_refused(ran: list[str], tmp_path: Path) -> None:
    for arguments, message in (
        (["layer-similarity", "spectrum", *ran], "toy is of one corpus"),
        (["layer-similarity", "a", "b", "c", *ran], "3 upstreams and 1 task cannot be compared"),
        (["layer-similarity", "spectrum", "spectrum@0", *ran, "--fold", "nope"], "has no fold 'nope'"),
        (["projection", "spectrum", *ran, "--colour", "mood"], "cannot be coloured by 'mood'"),
        (["attention-distance", "spectrum", "spectrum@0", *ran], "'spectrum' has no attention maps"),
        (["attention-distance", "spectrum", "spectrum", *ran], "compared with itself"),
        (["embedding-distance", "spectrum", "spectrum", *ran], "compared with itself"),
        (["layer-similarity", "spectrum", "spectrum", *ran], "compared with itself"),
    ):
        done = analyse(*arguments, "--out", tmp_path)
        assert isinstance(done.exception, UsageError), (arguments, done.output, done.exception)
        assert message in str(done.exception)


def test_layers_by_phone(toy_task: Path, toy_corpus: Path, settings: Settings, progress: Any, tmp_path: Path) -> None:
    """Low tones are a and then i, high ones a alone."""
    words = ["layer-similarity", "logmel", "-t", toy_task, "-t", toy_task, "--data", f"toy={toy_corpus}", "--most", 1]
    folder = tmp_path / "phones"
    for wave in toy_corpus.rglob("*.wav"):
        path = folder / wave.relative_to(toy_corpus).with_suffix(".TextGrid")
        path.parent.mkdir(parents=True, exist_ok=True)
        other = "IY0" if "low" in wave.name else "S"
        path.write_text(
            f'File type = "ooTextFile"\n"TextGrid"\n0\n0.5\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n0.5\n2\n'
            f'0\n0.2\n"AA1"\n0.2\n0.5\n"{other}"\n'
        )
    done = analyse(*words, "--phones", folder)
    assert "40 of 40 utterances of" in str(done.exception)
    assert "have no stored frames of 'logmel'" in str(done.exception)
    run(Request(["logmel"], [str(toy_task)], ["linear"]), Registry((), ["downstream.maximum=1"]), settings, progress)
    numbers, table, _ = files(analyse(*words, "--phones", folder, "--out", tmp_path / "l"), tmp_path / "l")
    assert list(numbers["cosine"]) == ["utterance", "vowels", "a"]  # neither class has both other parts
    assert numbers["not_spoken"] == ["consonants", "ɛ", "ə", "i", "o", "u"]
    assert numbers["chosen"] == {"utterance": [0], "vowels": [0], "a": [0]}
    assert {row["part"] for row in table} == {"utterance", "vowels", "a"}
    assert numbers["alignments"] == ["phones of csv are read as ARPAbet"]
    (folder / "dora" / "low0.TextGrid").unlink()
    done = analyse(*words, "--phones", folder)
    assert "1 of " in str(done.exception)
    assert "utterances of csv have no phone alignment" in str(done.exception)
    done = analyse("layer-similarity", "logmel", "mfcc", "-t", toy_task, "--phones", folder)
    assert "--phones is for one upstream and two corpora" in str(done.exception)


def test_the_first_layer_of_a_head_after_training(
    toy_task: Path, toy_corpus: Path, settings: Settings, progress: Any, tmp_path: Path
) -> None:
    words = ["projection", "logmel", "-t", toy_task, "--data", f"toy={toy_corpus}", "-d", "linear"]
    done = analyse(*words)
    assert "have no stored frames of 'logmel'" in str(done.exception)
    assert "bench run --upstream logmel --downstream linear" in str(done.exception)
    run(Request(["logmel"], [str(toy_task)], ["linear"]), Registry((), ["downstream.maximum=1"]), settings, progress)
    outcomes = []
    for folder in ("one", "two"):
        done = analyse(*words, "--fold", "cleo", "--colour", "emotion", "--out", tmp_path / folder)
        numbers, table, svg = files(done, tmp_path / folder)
        outcomes.append((numbers, table))
    assert outcomes[0] == outcomes[1]  # the training is the same, and so is the picture
    assert len(table) == 10  # the test set of the fold
    assert {row["id"].partition("/")[0] for row in table} == {"cleo"}
    assert numbers["neighbours"]["emotion"]["purity"] > 0.4
    assert "logmel + linear on toy: 10 utterances" in " ".join(svg.split())
    for more, message in (
        (["--fold", "nope"], "has no fold 'nope'"),
        (["-d", "lam-auto"], "adapts to a target corpus"),
        (["-d", "nope"], "unknown downstream 'nope'"),
        (["-d", "lora"], "trains the upstream"),
    ):
        assert message in str(analyse(*words, *more).exception)
    assert "--fold is of the head, and there is none" in str(analyse(*words[:-2], "--fold", "cleo").exception)
