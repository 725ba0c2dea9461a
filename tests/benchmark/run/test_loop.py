"""The run: every promise on a toy, end to end."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.metrics import balanced_accuracy_score
from tiny_models import save_model

from benchmark.errors import BenchError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.metrics import METRICS
from benchmark.records import Record, RecordStore, store
from benchmark.registry.registry import Registry
from benchmark.run.loop import CellOutcome, run, take_next
from benchmark.run.plan import CellPlan, Request, make_plan, setup_of
from benchmark.run.unit import Names, PlannedUnit
from benchmark.run.worker import Worker

SPY = '''
import json, pathlib
from benchmark import Downstream, Selection

LOG = pathlib.Path(__file__).with_suffix(".jsonl")



def log(**what):
    with LOG.open("a") as handle:
        handle.write(json.dumps(what) + "\\n")


class Spy(Downstream):
    """Remembers what it is shown."""

    name = "spy"

    def fit(self, train, dev, *, seed):
        log(call="fit", train=train.ids, dev=dev.ids, seed=seed)
        return Selection()

    def predict(self, examples):
        log(call="predict", ids=examples.ids, labels=examples.y is not None)
        return [[1.0, 0.0]] * len(examples)


class Picky(Spy):
    """Fails on one fold."""

    name = "picky"

    def fit(self, train, dev, *, seed):
        if not any(name.startswith("bert") for name in (*train.ids, *dev.ids)):
            raise RuntimeError("no bert, no fun")
        return Selection()
'''


@pytest.fixture
def spy(tmp_path: Path) -> Path:
    path = tmp_path / "spy_plugin.py"
    path.write_text(SPY)
    return path


def request(task: Path, downstream: str = "nearest", upstreams: Sequence[str] = ("spectrum",), **more) -> Request:
    return Request(upstreams=upstreams, tasks=[str(task)], downstreams=[downstream], **more)


def planned(asked: Request, registry: Registry, settings, progress) -> list[CellPlan]:
    return make_plan(asked, Worker(setup_of(asked, settings, registry.plugins), registry), progress)


def go(what: Request, settings: Settings, progress, *plugins: Path) -> list[CellOutcome]:
    return run(what, Registry([str(path) for path in plugins]), settings, progress, "cpu")


def test_one_record_for_each_fold_and_seed(toy_task, plugin, settings, progress) -> None:
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert (outcome.completed, outcome.failed, outcome.kept, outcome.newly_encoded) == (8, {}, 0, 40)
    records = list(RecordStore(settings.results))
    assert sorted((record.fold, record.seed) for record in records) == [
        (fold, seed) for fold in ("anna", "bert", "cleo", "dora") for seed in (0, 1)
    ]
    for record in records:
        assert record.status == "completed"
        assert record.counts.test == 10
        assert record.counts.per_class == {"high": 5, "low": 5}
        assert list(record.by_speaker) == [record.fold]
        assert (record.upstream.layers, record.upstream.dim) == (1, 16)


def test_the_score_is_that_of_the_predictions(toy_task, plugin, settings, progress) -> None:
    go(request(toy_task), settings, progress, plugin)
    for record in RecordStore(settings.results):
        path = settings.results / "toy" / f"{record.id}.predictions.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        truth, decision = [row["truth"] for row in rows], [row["decision"] for row in rows]
        assert record.metrics["uar"] == pytest.approx(balanced_accuracy_score(truth, decision))
        total = np.sum(list(record.by_speaker.values()), axis=0)
        assert record.metrics == {name: pytest.approx(float(METRICS[name].compute(total))) for name in ("uar", "wa")}
        assert {row["id"].split("/")[0] for row in rows} == {record.fold}


def test_a_second_run_does_nothing(toy_task, plugin, settings, progress) -> None:
    go(request(toy_task), settings, progress, plugin)
    files = {path: path.stat().st_mtime_ns for path in settings.results.rglob("*.json")}
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert (outcome.completed, outcome.kept, outcome.encode_s) == (0, 8, None)
    assert {path: path.stat().st_mtime_ns for path in settings.results.rglob("*.json")} == files


def test_records_are_read_once_for_the_plan_and_once_for_all_scores_of_a_task(
    toy_task, plugin, settings, progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(toy_task, upstreams=["spectrum", "chance", "logmel"])
    first, reads = go(asked, settings, progress, plugin), Counter[Path]()
    read_file = store.read_file

    def counted(path: Path) -> list[Record]:
        reads[path] += 1
        return read_file(path)

    monkeypatch.setattr(store, "read_file", counted)
    again = go(asked, settings, progress, plugin)
    assert [one.score for one in again] == [one.score for one in first]
    assert len(reads) == 3 * 8
    assert set(reads.values()) == {2}


def test_the_same_command_gives_the_same_numbers(toy_task, plugin, settings, progress) -> None:
    def numbers() -> list[object]:
        return [(r.id, r.metrics, r.by_speaker, r.selection) for r in RecordStore(settings.results)]

    go(request(toy_task), settings, progress, plugin)
    before = numbers()
    shutil.rmtree(settings.cache)  # the features are made again, too
    (outcome,) = go(request(toy_task, rerun="all"), settings, progress, plugin)
    assert (outcome.completed, outcome.newly_encoded) == (8, 40)
    assert numbers() == before


def test_folds_seeds_heads_and_tasks_share_one_encoding(toy_task, plugin, spy, settings, progress) -> None:
    other = toy_task.with_name("other.yaml")
    other.write_text(toy_task.read_text().replace("name: toy", "name: other").replace("- 1\n", "- 2\n"))
    settings = replace(settings, data={**settings.data, "other": settings.data["toy"]})
    what = Request(["spectrum"], [str(toy_task), str(other)], ["nearest", "spy"])
    registry = Registry([str(plugin), str(spy)])
    outcomes = run(what, registry, settings, progress, "cpu")
    assert [outcome.newly_encoded for outcome in outcomes] == [40, 0, 0, 0]
    assert type(registry.upstream("spectrum")).encoded == 40


def test_train_fits_dev_selects_and_test_is_scored_once_without_labels(
    toy_task, spy, plugin, settings, progress
) -> None:
    go(request(toy_task, "spy", seeds=[0]), settings, progress, plugin, spy)
    calls = [json.loads(line) for line in spy.with_suffix(".jsonl").read_text().splitlines()]
    assert [call["call"] for call in calls] == ["fit", "predict"] * 4
    for fit, predict in zip(calls[::2], calls[1::2], strict=True):
        assert not predict["labels"]
        assert not set(predict["ids"]) & {*fit["train"], *fit["dev"]}
        assert not set(fit["train"]) & set(fit["dev"])
        assert len({*predict["ids"], *fit["train"], *fit["dev"]}) == 40


def test_a_failing_unit_is_recorded_and_the_rest_goes_on(toy_task, spy, plugin, settings, progress) -> None:
    (outcome,) = go(request(toy_task, "picky"), settings, progress, plugin, spy)
    assert (outcome.completed, set(outcome.failed)) == (6, {"fold bert, seed 0", "fold bert, seed 1"})
    failed = [record for record in RecordStore(settings.results) if record.status == "failed"]
    assert {record.reason for record in failed} == {"RuntimeError: no bert, no fun"}
    (again,) = go(request(toy_task, "picky"), settings, progress, plugin, spy)
    earlier = {"fold bert, seed 0", "fold bert, seed 1"}
    assert (again.completed, again.failed, set(again.failed_earlier), again.kept) == (0, {}, earlier, 6)
    (retried,) = go(request(toy_task, "picky", rerun="failed"), settings, progress, plugin, spy)
    assert (len(retried.failed), retried.kept) == (2, 6)


def test_a_failing_upstream_fails_its_own_units_only(toy_task, plugin, settings, progress) -> None:
    broken = plugin.with_name("broken_plugin.py")
    broken.write_text(
        "from benchmark import Upstream\n\n\nclass Broken(Upstream):\n    'Raises.'\n    name = 'broken'\n\n"
        "    def encode(self, wave):\n        raise ZeroDivisionError('of course')\n"
    )
    outcomes = go(request(toy_task, upstreams=["broken", "spectrum"]), settings, progress, plugin, broken)
    assert [(len(o.failed), o.completed) for o in outcomes] == [(8, 0), (0, 8)]
    reasons = {r.reason for r in RecordStore(settings.results) if r.status == "failed"}
    assert len(reasons) == 1
    assert "ZeroDivisionError: of course" in reasons.pop()


def test_bad_scores_are_a_failure_and_never_a_number(toy_task, plugin, settings, progress) -> None:
    plugin.write_text(plugin.read_text().replace("return -np.linalg", "return np.nan * np.linalg"))
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert len(outcome.failed) == 8


def test_rows_that_are_kept_and_that_newer_ones_hide_are_said_to_be_hidden(
    own_toy_corpus: Path, toy_task, plugin, settings, progress
) -> None:
    """A label is changed, and changed back: the first rows are kept, and a board shows those of between."""
    settings = replace(settings, data={"toy": own_toy_corpus})
    index = own_toy_corpus / "index.csv"
    before = index.read_text()
    changed = before.replace("high0.wav,anna,high", "high0.wav,anna,low").replace(
        "low0.wav,anna,low", "low0.wav,anna,high"
    )
    told, records = [], RecordStore(settings.results)
    for text in (before, changed, before):
        index.write_text(text)
        (outcome,) = go(request(toy_task), settings, progress, plugin)
        told.append((outcome.kept, outcome.not_shown))
        if outcome.completed and text == before:  # else all are of one second
            for one in records:
                older = one.provenance.model_copy(update={"created": "2026-01-02T03:04:05+00:00"})
                records.write(one.model_copy(update={"provenance": older}))
    assert told[:2] == [(0, None), (0, None)]
    kept, why = told[2]
    assert kept == 8
    assert why.startswith("superseded by spectrum + nearest of ")
    assert why.endswith(
        "(another reading of the corpus); bench run --rerun all makes it the newest; --results DIR keeps both"
    )


def test_changed_code_is_another_identity(toy_task, plugin, settings, progress) -> None:
    go(request(toy_task), settings, progress, plugin)
    plugin.write_text(plugin.read_text().replace("np.abs(", "2 * np.abs("))
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert (outcome.completed, outcome.kept, outcome.newly_encoded) == (8, 0, 40)
    assert len(list(RecordStore(settings.results))) == 16


def test_changed_audio_is_another_identity(toy_task, plugin, own_toy_corpus, settings, progress) -> None:
    settings = replace(settings, data={"toy": own_toy_corpus})
    go(request(toy_task), settings, progress, plugin)
    path = own_toy_corpus / "anna/low0.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert (outcome.completed, outcome.newly_encoded) == (8, 1)


def test_circumstances_are_no_identity(toy_task, plugin, own_toy_corpus, settings, progress, tmp_path) -> None:
    go(request(toy_task), settings, progress, plugin)
    elsewhere = replace(settings, cache=tmp_path / "other-cache", data={"toy": own_toy_corpus})
    (outcome,) = go(request(toy_task), elsewhere, progress, plugin)
    assert (outcome.completed, outcome.kept) == (0, 8)


def test_a_record_holds_no_path(toy_task, plugin, settings, progress, tmp_path) -> None:
    go(request(toy_task), settings, progress, plugin)
    for path in settings.results.rglob("*.json"):
        text = path.read_text()
        assert str(tmp_path) not in text
        assert str(settings.data["toy"]) not in text
        assert '"/' not in text


def test_a_record_names_the_command_that_makes_it_again(toy_task, plugin, settings, progress) -> None:
    go(request(toy_task, folds=["cleo"], seeds=[1]), settings, progress, plugin)
    (record,) = RecordStore(settings.results)
    expected = "bench run --upstream spectrum --downstream nearest --task toy --fold cleo --seed 1"
    assert record.provenance.command == expected


def test_a_head_that_ignores_the_seed_is_run_once_whatever_seed_is_asked_for(
    toy_task, plugin, settings, progress
) -> None:
    for seeds in ([], [1], [7]):
        go(request(toy_task, "svm", seeds=seeds), settings, progress, plugin)
    records = list(RecordStore(settings.results))
    assert [(record.seed, record.protocol) for record in records] == [(0, "official")] * 4


@pytest.mark.parametrize(
    ("dev", "downstream", "message"),
    [
        ("none", "superb", "'superb' selects on dev, and the task 'toy' has none"),
        ("test", "svm", "'svm' is fitted on dev"),
    ],
)
def test_a_head_that_does_not_suit_the_dev_rule_is_refused_before_any_work(
    toy_task, plugin, settings, progress, dev: str, downstream: str, message: str
) -> None:
    text = toy_task.read_text().replace("scheme: next-fold", f"scheme: {dev}")
    toy_task.write_text(text)
    with pytest.raises(UsageError, match=message):
        go(request(toy_task, downstream), settings, progress, plugin)
    assert not settings.results.exists()


@pytest.mark.parametrize(
    ("instead", "message"),
    [("return None", "fit returned a NoneType"), ("return Selection(score=float('nan'))", "finite number")],
)
def test_a_wrong_selection_fails_its_unit_alone(
    toy_task, plugin, settings, progress, instead: str, message: str
) -> None:
    plugin.write_text(plugin.read_text().replace("return Selection()", instead))
    (outcome,) = go(request(toy_task, seeds=[0]), settings, progress, plugin)
    assert len(outcome.failed) == 4
    assert all(message in reason for reason in outcome.failed.values())


def test_a_head_that_cannot_count_its_parameters_fails_its_unit_alone(toy_task, plugin, settings, progress) -> None:
    plugin.write_text(plugin.read_text() + "\n    def parameters(self):\n        raise RuntimeError('no idea')\n")
    (outcome,) = go(request(toy_task, seeds=[0]), settings, progress, plugin)
    assert set(outcome.failed.values()) == {"RuntimeError: no idea"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("encoded = 0", "needs_argument = 0\n\n    def __init__(self, x): ...", "Spectrum cannot be made: TypeError"),
        ("encoded = 0", "encoded = 0\n    params = {'a': object()}", "the identity of 'spectrum' is not plain"),
        (
            'name = "nearest"',
            'name = "nearest"\n    needs = "samples"',
            "'nearest' needs 'samples' .one of mean, statistics, frames",
        ),
        (
            'name = "nearest"',
            'name = "nearest"\n    kinds = "classification"',
            "'nearest' takes tasks of the kinds 'classification' .a tuple of",
        ),
    ],
)
def test_a_wrong_plugin_class_is_refused_before_any_work(
    toy_task, plugin, settings, progress, old: str, new: str, message: str
) -> None:
    plugin.write_text(plugin.read_text().replace(old, new))
    with pytest.raises(UsageError, match=message):
        go(request(toy_task), settings, progress, plugin)


def test_a_file_cannot_take_the_name_of_a_registered_task(toy_task, plugin, settings, progress) -> None:
    imposter = toy_task.with_name("urdu.yaml")
    imposter.write_text(toy_task.read_text().replace("name: toy", "name: urdu"))
    with pytest.raises(UsageError, match="is called 'urdu', which is a registered task"):
        go(request(imposter), settings, progress, plugin)


def test_the_score_shown_is_that_of_the_cell_that_was_run(toy_task, plugin, settings, progress) -> None:
    """Also where a newer identity goes by the same names."""
    first = plugin.read_text()
    (good,) = go(request(toy_task), settings, progress, plugin)
    plugin.write_text(first.replace("-np.linalg", "np.linalg"))
    (bad,) = go(request(toy_task), settings, progress, plugin)
    plugin.write_text(first)
    (again,) = go(request(toy_task), settings, progress, plugin)
    assert good.score is not None
    assert bad.score is not None
    assert good.score.mean > bad.score.mean
    assert (again.kept, again.score) == (8, good.score)


def test_a_seed_outside_the_protocol_is_marked(toy_task, plugin, settings, progress) -> None:
    go(request(toy_task, seeds=[7], folds=["anna"]), settings, progress, plugin)
    (record,) = RecordStore(settings.results)
    assert record.protocol == "modified"


def test_an_unknown_fold_is_refused_before_any_work(toy_task, plugin, settings, progress) -> None:
    with pytest.raises(UsageError, match=r"no fold 'ana' .did you mean 'anna'"):
        go(request(toy_task, folds=["ana"]), settings, progress, plugin)
    assert not settings.results.exists()


def test_a_leak_stops_the_run_before_any_work(toy_task, plugin, settings, progress) -> None:
    folds, dev = {"scheme": "random-k-fold", "k": 4}, {"scheme": "random", "fraction": 0.2}
    toy_task.write_text(yaml.safe_dump({**yaml.safe_load(toy_task.read_text()), "folds": folds, "dev": dev}))
    with pytest.raises(BenchError, match=r"the split of '.*toy.yaml' leaks"):
        go(request(toy_task), settings, progress, plugin)
    assert not settings.results.exists()


def test_the_plan_counts_what_there_is_to_do(toy_task, plugin, settings, progress) -> None:
    registry = Registry([str(plugin)])
    (cell,) = planned(request(toy_task), registry, settings, progress)
    assert cell.as_dict()["units"] == cell.as_dict()["todo"] == 8
    assert cell.to_encode == 40
    run(request(toy_task, folds=["anna"]), registry, settings, progress, "cpu")
    (cell,) = planned(request(toy_task), registry, settings, progress)
    assert (cell.as_dict()["todo"], cell.to_encode) == (6, 0)


def test_without_cuda_asking_for_it_says_so(toy_task, plugin, settings, progress) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(BenchError, match="torch finds no CUDA device"):
        run(request(toy_task), Registry([str(plugin)]), settings, progress, "cuda")


LISTENER = '''
import json, pathlib
import numpy as np
from benchmark import Downstream, Selection

LOG = pathlib.Path(__file__).with_suffix(".jsonl")


class Both(Downstream):
    """Remembers the auxiliary classes that it is shown."""

    name = "both"
    kinds = ("regression",)

    def fit(self, train, dev, *, seed):
        self.log("fit", train)
        return Selection()

    def predict(self, examples):
        self.log("predict", examples)
        return np.zeros((len(examples), 1)) + np.arange(len(examples))[:, None]

    def log(self, call, examples):
        auxiliary = None if examples.auxiliary is None else examples.auxiliary.tolist()
        with LOG.open("a") as handle:
            handle.write(json.dumps([call, list(examples.ids), auxiliary, list(examples.auxiliary_outputs)]) + "\\n")
'''


def test_a_head_learns_auxiliary_classes_of_train_and_none_of_test(
    own_toy_corpus, toy_task, plugin, tmp_path, progress
) -> None:
    index = own_toy_corpus / "index.csv"
    head, *rows = index.read_text().splitlines()
    index.write_text("\n".join([f"{head},arousal", *(f"{row},{n % 7}" for n, row in enumerate(rows))]) + "\n")
    content = yaml.safe_load(toy_task.read_text())
    content |= {"kind": "regression", "dimensions": ["arousal"], "metrics": ["ccc"], "seeds": [0]}
    content["auxiliary"] = {"labels": content.pop("labels"), "label_map": content.pop("label_map")}
    content["expect"] = {"utterances": 40, "speakers": 4}
    toy_task.write_text(yaml.safe_dump(content))
    path = tmp_path / "both_plugin.py"
    path.write_text(LISTENER)
    (outcome,) = go(request(toy_task, "both"), load_settings([f"toy={own_toy_corpus}"]), progress, plugin, path)
    assert (outcome.completed, outcome.failed) == (4, {})
    seen = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
    for call, ids, auxiliary, outputs in seen:
        assert outputs == ["high", "low"]
        assert auxiliary == (None if call == "predict" else [0 if "high" in name else 1 for name in ids])


@pytest.mark.parametrize(
    "change",
    [
        {"exclude": {"anna/high0.wav": "broken"}},
        {"same_speaker": [["anna", "dora"]]},
        {"filter": {"gender": ["female"]}},
        {"label_map": {"high": "low", "low": "high"}},
        {"labels": ["low", "high"]},
        {"audio": {"max_duration": 0.4}},
        {"dev": {"scheme": "one-group", "group": "speaker"}},
        {"pool": "folds"},
        {"metrics": ["wa", "uar"]},
        {"version": 2},
    ],
    ids=str,
)
def test_what_decides_a_number_changes_every_unit(toy_task, plugin, settings, progress, change: dict) -> None:
    def units() -> set[str]:
        (cell,) = planned(request(toy_task, seeds=[0]), Registry([str(plugin)]), settings, progress)
        return {unit.id for unit in cell.units}

    content = yaml.safe_load(toy_task.read_text()) | {"expect": {"utterances": None, "speakers": None}}
    toy_task.write_text(yaml.safe_dump(content))
    before = units()
    toy_task.write_text(yaml.safe_dump({**content, **change}))
    assert not before & units()


def test_prose_changes_no_unit(toy_task, plugin, settings, progress) -> None:
    def units(**change: object) -> set[str]:
        toy_task.write_text(yaml.safe_dump({**content, **change}))
        (cell,) = planned(request(toy_task, seeds=[0]), Registry([str(plugin)]), settings, progress)
        return {unit.id for unit in cell.units}

    content = yaml.safe_load(toy_task.read_text()) | {"expect": {"utterances": None, "speakers": None}}
    assert units() == units(title="another", note="more", licence="other", citation="who", label="emotion")
    reasons = [units(exclude={"anna/high0.wav": why}) for why in ("brokne", "broken")]
    assert reasons[0] == reasons[1] != units()


def test_another_index_or_other_recordings_or_folds_change_every_unit(
    own_toy_corpus, toy_task, plugin, progress
) -> None:
    def cell():
        settings = load_settings([f"toy={own_toy_corpus}"])
        (found,) = planned(request(toy_task, seeds=[0]), Registry([str(plugin)]), settings, progress)
        part = found.parts.task
        return {unit.id for unit in found.units}, part.corpus.index_sha256, part.corpus.audio_sha256, part.folds_sha256

    ids, index, audio, folds = cell()
    listed = (own_toy_corpus / "index.csv").read_text()
    # A session changes the index alone.
    (own_toy_corpus / "index.csv").write_text(
        "\n".join(f"{row},{'session' if n == 0 else 's'}" for n, row in enumerate(listed.splitlines())) + "\n"
    )
    other_ids, other_index, same_audio, same_folds = cell()
    assert (index != other_index, audio == same_audio, folds == same_folds, ids & other_ids) == (
        True,
        True,
        True,
        set(),
    )
    (own_toy_corpus / "index.csv").write_text(listed)
    shutil.copy(own_toy_corpus / "anna/high1.wav", own_toy_corpus / "anna/high0.wav")
    other_ids, same_index, other_audio, same_folds = cell()
    assert (index == same_index, audio != other_audio, folds == same_folds, ids & other_ids) == (
        True,
        True,
        True,
        set(),
    )


def test_a_stretch_heard_before_is_not_taken_for_the_whole(toy_task, plugin, settings, progress) -> None:
    """The digests that are remembered of a task that hears 0.4 s are not those of one that hears everything."""

    def audio_of(**change: object) -> str:
        toy_task.write_text(yaml.safe_dump({**content, **change}))
        (cell,) = planned(request(toy_task), Registry([str(plugin)]), settings, progress)
        return cell.parts.task.corpus.audio_sha256

    content = yaml.safe_load(toy_task.read_text())
    assert audio_of(audio={"max_duration": 0.4}) != audio_of()


def test_a_recipe_of_ones_own_is_recorded_under_its_name(toy_task, plugin, settings, progress, tmp_path) -> None:
    """The path by which it was given is in no record; the same recipe from another place is the same head."""
    text = (
        "name: mine\nsummary: s\ndownstream: svm\n"
        "params: {kernel: linear, C: 3, normalisation: global, layer: last, fit_on: train}\n"
    )
    (tmp_path / "own").mkdir()
    for path in (tmp_path / "a.yaml", tmp_path / "own" / "b.yml"):
        path.write_text(text)
    (outcome,) = go(request(toy_task, str(tmp_path / "a.yaml")), settings, progress, plugin)
    assert (outcome.downstream, outcome.completed, outcome.kept) == ("mine", 4, 0)
    records = list(RecordStore(settings.results))
    assert {(one.downstream.name, one.downstream.params["C"]) for one in records} == {("mine", 3.0)}
    assert str(tmp_path) not in "".join(one.downstream.model_dump_json() for one in records)
    (again,) = go(request(toy_task, str(tmp_path / "own" / "b.yml")), settings, progress, plugin)
    assert (again.kept, again.score) == (4, outcome.score)


def test_a_head_is_refused_on_a_kind_of_task_that_it_does_not_take(
    toy_corpus, toy_task, plugin, settings, progress
) -> None:
    text = toy_task.read_text().replace("kind: classification", "kind: regression").replace("name: toy", "name: values")
    content = {**yaml.safe_load(text), "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}
    content["expect"] = {"utterances": 40, "speakers": 4}
    path = toy_task.with_name("values.yaml")
    path.write_text(yaml.safe_dump(content))
    index = (toy_corpus / "index.csv").read_text().splitlines()
    own = toy_task.parent / "values"
    shutil.copytree(toy_corpus, own)
    (own / "index.csv").write_text(
        "\n".join([f"{index[0]},arousal", *(f"{row},{3 + i % 2}" for i, row in enumerate(index[1:]))])
    )
    with pytest.raises(UsageError, match="'superb-s3prl' is for classification, and the task 'values' is regression"):
        go(request(path, "superb-s3prl"), load_settings([f"values={own}"]), progress, plugin)


# -- order: a thread stays with a fold, and threads begin different ones ----------------------------------------------


def units(folds: str, seeds: int) -> list[PlannedUnit]:
    names = Names("task", "upstream", "downstream")
    return [PlannedUnit(f"{fold}{seed}", names, fold, seed, "official") for fold, seed in product(folds, range(seeds))]


def played(folds: str, seeds: int, threads: int) -> list[str]:
    """Units in the order in which they begin, where all take equally long."""
    todo, fitting, order = units(folds, seeds), list[PlannedUnit](), list[str]()

    def begin(finished: str | None) -> None:
        if todo:
            fitting.append(take_next(todo, finished, {unit.fold for unit in fitting}))
            order.append(fitting[-1].id)

    for _ in range(threads):
        begin(None)
    while fitting:
        begin(fitting.pop(0).fold)
    return order


def test_one_thread_takes_them_as_they_are() -> None:
    assert played("abc", 2, 1) == ["a0", "a1", "b0", "b1", "c0", "c1"]


def test_threads_begin_different_folds_and_stay_with_them() -> None:
    assert played("abc", 2, 2) == ["a0", "b0", "a1", "b1", "c0", "c1"]


def test_more_threads_than_folds_share_them() -> None:
    assert played("ab", 3, 3) == ["a0", "b0", "a1", "a2", "b1", "b2"]


def test_every_unit_is_taken_once() -> None:
    for threads in range(1, 9):
        assert sorted(played("abcde", 4, threads)) == sorted(unit.id for unit in units("abcde", 4))


@pytest.mark.parametrize("place", ["results", "cache"])
def test_a_place_that_cannot_be_written_is_told_before_any_work(
    toy_task, spy, plugin, settings, progress, place: str
) -> None:
    settings.cache.parent.mkdir(parents=True, exist_ok=True)
    (settings.cache.parent / "file").touch()
    there = replace(settings, **{place: settings.cache.parent / "file" / "below"})
    with pytest.raises(BenchError, match=r"nothing can be written to .*Not a directory"):
        go(request(toy_task, "spy"), there, progress, plugin, spy)
    assert not spy.with_suffix(".jsonl").exists()
    assert not settings.results.exists()


def test_what_killed_runs_left_is_removed(toy_task, plugin, settings, progress) -> None:
    for folder in (settings.cache / "features" / "a", settings.results / "toy"):
        folder.mkdir(parents=True)
        (folder / ".writing-abc").touch()
    go(request(toy_task), settings, progress, plugin)
    assert not [*settings.cache.rglob(".writing-*"), *settings.results.rglob(".writing-*")]


def test_who_stops_a_run_is_told_what_is_done(toy_task, plugin, settings, progress, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(type(progress), "problem", lambda self, text: told.append(text))
    fitted = []
    fit = Worker.fit

    def stopped(self, unit, device, progress, report):
        if len(fitted) == 3:
            raise KeyboardInterrupt
        fitted.append(unit)
        return fit(self, unit, device, progress, report)

    monkeypatch.setattr(Worker, "fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        go(request(toy_task), settings, progress, plugin)
    assert told == [
        f"interrupted: 3 of 8 units recorded in {settings.results}, and what is encoded is kept; "
        "the same command goes on from here"
    ]
    monkeypatch.setattr(Worker, "fit", fit)
    (outcome,) = go(request(toy_task), settings, progress, plugin)
    assert (outcome.kept, outcome.completed) == (3, 5)


ENDLESS = '''
import time

from benchmark import Downstream, Selection


class Endless(Downstream):
    """Is fitted for a minute, and says so."""

    name = "endless"
    concurrent = True

    def fit(self, train, dev, *, seed):
        for _ in range(600):
            time.sleep(0.1)
            self.report(0.5)
        return Selection()

    def predict(self, examples):
        return [[1.0, 0.0]] * len(examples)
'''


def test_heads_that_are_being_fitted_end_where_they_say_how_far_they_are(
    toy_task: Path, settings: Settings, progress, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "endless_plugin.py").write_text(ENDLESS)

    def interrupting(*_: object, **__: object) -> None:
        time.sleep(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.run.loop.wait", interrupting)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(
            Request(["chance"], [str(toy_task)], ["endless"]),
            Registry([str(tmp_path / "endless_plugin.py")]), settings, progress, "cpu",
        )  # fmt: skip
    assert time.monotonic() - began < 20
    assert any("end with their epoch" in note for note in progress.notes)
    assert not list(settings.results.glob("*/*.json")), "it is no failure of a unit"


def test_who_stops_a_plan_is_told_too(toy_task, plugin, settings, progress, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(type(progress), "problem", lambda self, text: told.append(text))

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.run.loop.make_plan", stopped)
    with pytest.raises(KeyboardInterrupt):
        go(request(toy_task), settings, progress, plugin)
    assert told == ["interrupted before the first unit; the same command begins again"]


def test_a_checkpoint_by_its_name_and_by_its_folder_is_encoded_once(
    toy_task, plugin, settings, progress, tmp_path
) -> None:
    save_model(tmp_path / "hubert-base", "hubert-base")
    placed = replace(settings, weights={"hubert-base": tmp_path / "hubert-base"})
    go(request(toy_task, upstreams=["hubert-base"]), placed, progress, plugin)
    (outcome,) = go(request(toy_task, upstreams=[f"hf:{tmp_path}/hubert-base"]), placed, progress, plugin)
    assert (outcome.upstream, outcome.completed, outcome.newly_encoded) == ("hf:hubert-base", 8, 0)


def test_a_changed_recipe_is_modified_and_its_record_says_how(toy_task: Path, settings: Settings, progress) -> None:
    request = Request(["chance"], [str(toy_task)], ["svm"], folds=["anna"])
    (own,) = run(request, Registry(), settings, progress, "cpu")
    (changed,) = run(request, Registry(changes=["downstream.C=0.5"]), settings, progress, "cpu")
    assert (own.protocol, own.completed, changed.protocol, changed.completed) == ("official", 1, "modified", 1)
    records = {record.protocol: record for record in RecordStore(settings.results)}
    assert len({record.id for record in records.values()}) == 2
    assert records["modified"].downstream.name == "svm"
    assert records["modified"].downstream.params["C"] == 0.5
    assert records["modified"].provenance.command.endswith("--set downstream.C=0.5")
    assert "--set" not in records["official"].provenance.command


LONG = '''
from benchmark import Downstream, Selection


class Long(Downstream):
    """Says how far it is."""

    name = "long"
    concurrent = CONCURRENT

    def fit(self, train, dev, *, seed):
        for share in (0.25, 0.75, 0.5, 1.0):
            self.report(share)
        return Selection()

    def predict(self, examples):
        return [[1.0, 0.0]] * len(examples)
'''


@pytest.mark.parametrize("concurrent", [False, True])
def test_progress_counts_what_heads_say_of_their_units(
    toy_task: Path, settings: Settings, progress, tmp_path: Path, concurrent: bool
) -> None:
    from contextlib import nullcontext

    told: list[float] = []
    path = tmp_path / "long_plugin.py"
    path.write_text(LONG.replace("CONCURRENT", str(concurrent)))
    progress.stage = lambda title, total: nullcontext(told.append if title.startswith("fit") else lambda count: None)
    request = Request(["chance"], [str(toy_task)], ["long"], seeds=[0])
    run(request, Registry([str(path)]), settings, progress, "cpu")
    assert sorted(told) == pytest.approx([0.25] * 8 + [0.5] * 4)
