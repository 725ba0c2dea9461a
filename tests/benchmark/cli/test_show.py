"""`bench list` and `bench show`: what is printed of tasks, corpora and audits, with and without the data."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from toy import TOY_TASK, write_toy_corpus
from typer.testing import CliRunner

from benchmark.base import Corpus
from benchmark.cli import app
from benchmark.cli.list import corpus_rows, print_corpora, print_tasks, task_rows, where
from benchmark.errors import UsageError
from benchmark.io.settings import load_settings
from benchmark.protocol.task import Task
from benchmark.registry.registry import Registry
from benchmark.types import CorpusCounts
from tasks.corpora.csv import CSV
from tasks.corpora.demo import Demo


def bench(*arguments: object) -> str:
    """What a command prints, in this process."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def table_row(shown: str, name: str) -> list[str]:
    """The cells of the row of a table that begins with a name."""
    (line,) = [line for line in shown.splitlines() if re.match(rf" *{re.escape(name)}  ", line)]
    return re.split(r"  +", line.strip())


# -- bench list --------------------------------------------------------------------------------------------------------


def test_tasks_are_listed_by_language_and_kind() -> None:
    rows = json.loads(bench("list", "tasks", "--json"))
    assert {row["name"] for row in rows} == set(Registry().tasks())
    shown = bench("list", "tasks")
    headings = list(dict.fromkeys(f"{row['language']}, {row['kind']}" for row in rows))
    lines = [line.rstrip() for line in shown.splitlines()]
    assert [line for line in lines if line in headings] == headings
    for row in rows:
        position = next(i for i, line in enumerate(lines) if line.startswith(f"  {row['name']}  "))
        above = [line for line in lines[:position] if line in headings]
        assert above[-1] == f"{row['language']}, {row['kind']}"
        assert set(row) == {
            *("name", "title", "language", "kind", "corpus", "utterances", "speakers", "metric"),
            *("speaker_independent", "data_found", "parts", "broken"),
        }
    cells = table_row(shown, "urdu-random")
    assert cells[-5:] == ["400", "29", "UAR", "NO", "no"]


def test_a_task_is_runnable_where_its_folder_is_found_or_its_corpus_is_made(tmp_path: Path) -> None:
    here = ["--data", f"urdu={tmp_path}"]  # an empty folder: only found, not looked into
    runnable = json.loads(bench("list", "tasks", "--runnable", "--json", *here))
    of_urdu = {name for name in Registry().tasks() if name == "urdu" or name.startswith("urdu-")}
    assert {row["name"] for row in runnable} == {"demo", *of_urdu}
    assert "urdu-random" in of_urdu
    assert all(row["data_found"] for row in runnable)
    assert table_row(bench("list", "tasks", "--runnable", *here), "urdu")[-1] == "yes"
    assert table_row(bench("list", "tasks", *here), "demo")[-1] == "made when needed"
    # What is placed for a task is not there for another one of the same corpus.
    alone = json.loads(bench("list", "tasks", "--runnable", "--json", "--data", f"urdu-random={tmp_path}"))
    assert {row["name"] for row in alone} == {"demo", "urdu-random"}


def test_a_folder_that_was_given_and_is_not_there_is_told() -> None:
    cells = table_row(bench("list", "tasks", "--data", "urdu=/nowhere"), "urdu")
    assert cells[-1].startswith("no: the folder")
    rows = json.loads(bench("list", "tasks", "--json", "--data", "urdu=/nowhere"))
    assert not next(row for row in rows if row["name"] == "urdu")["data_found"]


def test_runnable_is_for_tasks() -> None:
    with pytest.raises(UsageError, match="--runnable is for tasks, not for corpora"):
        bench("list", "corpora", "--runnable")


class German(CSV):
    """Of one part."""

    name = "german"
    language = "de"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {"all": CorpusCounts(12, 3)}


class Greek(CSV):
    """Of two parts, one of unknown speakers."""

    name = "greek"
    language = "el"
    counts: ClassVar[Mapping[str, CorpusCounts]] = {"speech": CorpusCounts(7, 2), "song": CorpusCounts(5, None)}


class Made(Registry):
    """A registry of made tasks and corpora."""

    CORPORA: ClassVar[Mapping[str, type[Corpus]]] = {"german": German, "greek": Greek, "demo": Demo}

    def __init__(self, **tasks: dict[str, Any]) -> None:
        super().__init__()
        self._made = {
            name: Task.model_validate({**TOY_TASK, "name": name, **changes}) for name, changes in tasks.items()
        }

    def tasks(self) -> list[str]:
        return sorted(self._made)

    def task(self, name: str) -> Task:
        return self._made[name]

    def corpus(self, name: str) -> Corpus:
        return self.CORPORA[name]()

    def corpora(self) -> list[Any]:
        return [entry for entry in super().corpora() if entry.name == "demo"]


def part(corpus: str, utterances: int | None, speakers: int | None) -> dict[str, Any]:
    expect = {"utterances": utterances, "speakers": speakers}
    return {"corpus": corpus, "label_map": {"high": "high", "low": "low"}, "expect": expect}


def whole(corpus: str, **changes: object) -> dict[str, Any]:
    return {**part(corpus, 40, 4), **changes}


WITHOUT_CORPUS = {"corpus": None, "label_map": {}, "expect": None}


def test_kinds_and_languages_are_told_apart_and_cross_corpus_comes_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    regression = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}
    registry = Made(
        a=whole("greek"),
        b={**whole("greek"), **regression},
        c=whole("greek", context={"turns": 2}),
        d=whole("german"),
        e=whole("greek", expect={"utterances": None, "speakers": 4}),
    )
    cross = {key: value for key, value in TOY_TASK.items() if key not in WITHOUT_CORPUS}
    parts = {"source": part("german", 12, 3), "target": part("greek", 5, None), "dev": {"scheme": "none"}}
    registry._made["across"] = Task.model_validate({**cross, "name": "across", **parts})
    settings = load_settings([f"greek={tmp_path}"])
    rows = task_rows(registry, settings)
    assert [(row["name"], row["language"], row["kind"]) for row in rows] == [
        ("d", "de", "classification"),
        ("a", "el", "classification"),
        ("e", "el", "classification"),
        ("b", "el", "regression"),
        ("c", "el", "sequence"),
        ("across", "de -> el", "cross-corpus"),
    ]
    last = rows[-1]
    assert (last["corpus"], last["utterances"], last["speakers"]) == ("german -> greek", 17, None)
    assert [one["data"] for one in last["parts"]] == ["no", "yes"]
    assert [row["data_found"] for row in rows] == [False, True, True, True, True, False]
    print_tasks(rows)
    shown = capsys.readouterr().out
    assert table_row(shown, "across")[-5:] == ["12 -> 5", "3 -> ?", "UAR", "yes", "german no, greek yes"]
    assert table_row(shown, "e")[2:4] == ["?", "4"]
    assert table_row(shown, "b")[4] == "CCC"
    both = task_rows(registry, load_settings([f"greek={tmp_path}", f"german={tmp_path}"]))
    assert both[-1]["data_found"]
    print_tasks([])
    assert "no task has its data here" in capsys.readouterr().out
    assert where(Demo(), settings) == "made when needed"


def test_corpora_are_listed_with_what_they_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = {row["name"]: row for row in json.loads(bench("list", "corpora", "--json", "--data", f"csv={tmp_path}"))}
    assert set(rows) == {entry.name for entry in Registry().corpora()}
    assert set(rows["csv"]) == {
        *("name", "summary", "language", "counts", "licence", "synthetic", "data_found", "data"),
    }
    assert (rows["csv"]["data_found"], rows["csv"]["data"]) == (True, "yes")
    assert (rows["urdu"]["data_found"], rows["urdu"]["licence"]) == (False, "research use only")
    assert (rows["demo"]["data"], rows["demo"]["synthetic"]) == ("made when needed", True)
    made = corpus_rows(Made(), load_settings())[0]
    assert made["name"] == "demo"
    counts = {one.name: {name: {"utterances": c.utterances, "speakers": c.speakers} for name, c in one.counts.items()}
              for one in (German, Greek)}  # fmt: skip
    print_corpora([{**made, "name": name, "counts": own} for name, own in counts.items()])
    shown = capsys.readouterr().out
    assert re.search(r"german .* 12 +3 ", shown)
    assert re.search(r"greek .*speech 7, song 5 +speech 2, song \? ", shown)
    assert "(synthetic)" in shown


@pytest.mark.parametrize("command", ["list tasks", "list corpora", "list tasks --json", "show urdu"])
def test_listing_loads_no_torch(command: str) -> None:
    code = (
        "import sys\nfrom benchmark.cli import app\n"
        f"try:\n    app({command.split()!r})\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'opensmile', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


# -- bench show --------------------------------------------------------------------------------------------------------


def test_a_task_is_shown_without_its_data() -> None:
    shown = bench("show", "urdu")
    assert "leave-one-group-out" in shown
    found = json.loads(bench("show", "urdu", "--json"))
    assert found["task"]["expect"]["utterances"] == 400
    assert found["corpus"]["data_found"] == "no"
    assert {"language", "licence", "citation", "homepage", "how_to_get", "counts", "scales"} <= set(found["corpus"])


def test_an_audit_is_tables_and_findings(toy_corpus: Path, toy_task: Path) -> None:
    shown = bench("show", toy_task, "--audit", "--data", f"toy={toy_corpus}")
    assert "audit of toy: train/dev/test" in shown
    sizes, classes = (re.split(r"  +", line.strip()) for line in shown.splitlines() if line.startswith("fold"))
    assert sizes == ["fold", "train", "dev", "test", "speakers", "shared speakers", "female"]
    assert classes == ["fold", "high", "low"]
    sizes, classes = (re.split(r"  +", line.strip()) for line in shown.splitlines() if line.startswith("anna"))
    assert sizes == ["anna", "20", "10", "10", "2/1/1", "0", "20/10/10"]
    assert classes == ["anna", "10/5/5", "10/5/5"]
    assert re.search(r"csv +high +20 +0\.00 +0\.50 +0\.50 +0\.50", shown)
    assert re.search(r"csv +speaker +40 +4 +0 +0\.0 +\d+\.\d +0\.00 +0\.\d\d", shown)
    assert "the same with shuffled classes" in " ".join(shown.split())
    assert shown.rstrip().endswith("no findings")


def test_an_audit_is_json_too(toy_corpus: Path, toy_task: Path) -> None:
    found = json.loads(bench("show", toy_task, "--audit", "--json", "--data", f"toy={toy_corpus}"))
    assert found["folds"][0]["sets"]["train"]["per_class"] == {"high": 10, "low": 10}
    assert found["corpora"][0]["giveaways"]["speaker"]["groups"] == 4
    assert found["findings"] == []


@pytest.fixture
def leaky(tmp_path: Path, own_toy_corpus: Path) -> list[object]:
    """The audit of a random split with sentences, words that tell the class, and copies."""
    with (own_toy_corpus / "index.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows[:3]:
        (own_toy_corpus / row["file"]).write_bytes((own_toy_corpus / rows[-1]["file"]).read_bytes())
    with (own_toy_corpus / "index.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=[*rows[0], "sentence"])
        writer.writeheader()
        writer.writerows({**row, "sentence": f"{row['label']} one"} for row in rows)
    task = {**TOY_TASK, "folds": {"scheme": "random-k-fold", "k": 4, "stratified": True}, "name": "leaky"}
    (tmp_path / "leaky.yaml").write_text(yaml.safe_dump({**task, "speaker_independent": False}))
    return [tmp_path / "leaky.yaml", "--audit", "--data", f"leaky={own_toy_corpus}"]


def test_leaks_are_in_the_tables_and_worst_first_below(leaky: list[object]) -> None:
    shown = bench("show", *leaky)
    header = next(line for line in shown.splitlines() if line.startswith("fold"))
    assert "identical audio" in header
    assert "sentences seen" in header
    assert re.search(r"^0 .* 2 of 2 \(100 %\)", shown, flags=re.MULTILINE)
    assert re.search(r"csv +sentence +40 +2 +100\.0 +\d+\.\d +1\.00 +0\.\d\d", shown)
    findings = [line for line in shown.splitlines() if re.match(r"(error|warning|note): ", line)]
    kinds = [line.partition(":")[0] for line in findings]
    assert kinds == sorted(kinds, key=["error", "warning", "note"].index)
    (lexical,) = [line for line in findings if "Lexical overlap" in line]
    # However long: one line, that can be searched for.
    assert lexical.startswith("warning: ")
    assert lexical.endswith(".")
    assert len(lexical) > 160


def test_dimensions_have_tables_of_their_own(tmp_path: Path, own_toy_corpus: Path) -> None:
    index = own_toy_corpus / "index.csv"
    lines = index.read_text().splitlines()
    values = [f"{line},{1 + number % 3}" for number, line in enumerate(lines[1:])]
    index.write_text("\n".join([f"{lines[0]},arousal", *values]))
    task = {**TOY_TASK, "kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"]}
    (tmp_path / "dims.yaml").write_text(
        yaml.safe_dump({**task, "name": "dims", "metrics": ["ccc"], "expect": {"utterances": 40, "speakers": 4}})
    )
    shown = bench("show", tmp_path / "dims.yaml", "--audit", "--data", f"dims={own_toy_corpus}")
    assert re.search(r"^anna +2\.\d\d±0\.\d\d/\d\.\d\d±0\.\d\d/\d\.\d\d±0\.\d\d", shown, flags=re.MULTILINE)
    assert re.search(r"csv +arousal +\d\.\d\d +0\.\d\d +1\.00 +3\.00 +not known +0", shown)
    assert "what tells the class" not in shown


def test_part_of_a_corpus_is_audited_where_that_is_asked_for(tmp_path: Path, toy_corpus: Path) -> None:
    task = {**TOY_TASK, "name": "more", "expect": {"utterances": 80, "speakers": 4}}
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(task))
    here = ["--data", f"more={toy_corpus}"]
    with pytest.raises(Exception, match="40 utterances instead of 80"):
        bench("show", tmp_path / "more.yaml", "--audit", *here)
    shown = bench("show", tmp_path / "more.yaml", "--audit", "--allow-partial", *here)
    assert "note: This is a part of the corpus: 40 utterances instead of 80." in shown


def test_folds_of_another_are_audited_where_they_are_given(tmp_path: Path, toy_task: Path) -> None:
    corpus = write_toy_corpus(tmp_path / "corpus")
    folds = tmp_path / "folds" / "fold_1"
    folds.mkdir(parents=True)
    for part_name, takes in (("train", "0123"), ("test", "4")):
        wavs = [f"{speaker}/{label}{take}.wav" for speaker in ("anna", "bert") for label in ("high", "low")
                for take in takes]  # fmt: skip
        lines = [json.dumps({"key": wav, "wav": wav}) for wav in wavs]
        (folds / f"toy_{part_name}_fold_1.jsonl").write_text("\n".join(lines))
    shown = bench("show", toy_task, "--audit", "--data", f"toy={corpus}", "--folds-from", tmp_path / "folds")
    assert "In 1 of 1 folds test speakers are also in train or dev: in fold '1' 2 of 2 (anna, bert)." in shown


def test_an_audit_between_two_corpora_shows_adapt(tmp_path: Path, toy_corpus: Path) -> None:
    plugin = tmp_path / "elsewhere_plugin.py"
    plugin.write_text(
        "from tasks.corpora.csv import CSV\n\n\nclass Elsewhere(CSV):\n    'Another.'\n\n    name = 'elsewhere'\n"
    )
    task = {key: value for key, value in TOY_TASK.items() if key not in WITHOUT_CORPUS}
    parts = {"source": part("csv", 40, 4), "target": part("elsewhere", 40, 4)}
    dev = {"scheme": "random", "fraction": 0.25, "group": "speaker"}
    (tmp_path / "across.yaml").write_text(yaml.safe_dump({**task, **parts, "name": "across", "dev": dev}))
    other = write_toy_corpus(tmp_path / "other", seed=1000)
    placed = ["--plugin", plugin, "--data", f"csv={toy_corpus}", "--data", f"elsewhere={other}"]
    shown = bench("show", tmp_path / "across.yaml", "--audit", *placed)
    assert "audit of across: train/dev/test/adapt" in shown
    sizes, classes = (
        re.split(r"  +", line.strip()) for line in shown.splitlines() if line.startswith("elsewhere:anna")
    )
    assert sizes == ["elsewhere:anna", "30", "10", "10", "30", "3/1/1/3", "0", "30/10/10/30"]
    assert classes == ["elsewhere:anna", "15/5/5/15", "15/5/5/15"]
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(("csv ", "elsewhere "))] == [
        *("high", "low") * 2,
        *("speaker", "duration") * 2,
    ]


@pytest.mark.parametrize("options", [["--allow-partial"], ["--folds-from", "somewhere"]])
def test_what_to_audit_is_said_with_audit_only(options: list[str]) -> None:
    with pytest.raises(UsageError, match="--allow-partial and --folds-from say what to audit"):
        bench("show", "demo", *options)


# -- heads -------------------------------------------------------------------------------------------------------------


def test_downstreams_are_listed_with_what_they_need_and_take() -> None:
    shown = bench("list", "downstreams")
    assert table_row(shown, "svm-statistics")[2] == "statistics"
    assert "sequences only" in shown[shown.index("turn-gru ") : shown.index("xares-knn ")]  # its cell may be broken
    rows = {row["name"]: row for row in json.loads(bench("list", "downstreams", "--json"))}
    assert rows["superb"]["kinds"] == ["classification", "regression"]
    assert rows["superb-s3prl"]["kinds"] == ["classification"]
    assert (rows["superb"]["uses_dev"], rows["svm"]["uses_dev"]) == ("select", "fit")
    assert (rows["superb-s3prl"]["stochastic"], rows["superb"]["stochastic"]) == (False, True)
    assert (rows["turn-gru"]["sequences"], rows["svm"]["version"]) == (True, 2)


def test_a_recipe_of_ones_own_is_shown_and_checked(tmp_path: Path, toy_task: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nsummary: of mine\ndownstream: svm\n"
        "params: {kernel: linear, C: 3, normalisation: global, layer: last, fit_on: train}\n"
    )
    found = json.loads(bench("show", path, "--json"))["downstream"]
    assert (found["name"], found["summary"], found["needs"], found["params"]["C"]) == ("mine", "of mine", "mean", 3.0)
    assert "task" in json.loads(bench("show", toy_task, "--json"))
    checked = bench("check", "downstream", path)
    assert "FAILED" not in checked
    assert checked.count("ok ") > 5
