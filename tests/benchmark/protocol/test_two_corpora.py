"""Tasks between two corpora: the source teaches, the target tests, and its labels reach no head."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from engines import HereEngine, elsewhere, numbers
from toy import TOY_TASK, write_toy_corpus

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.settings import Settings, load_settings
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.task import Task
from benchmark.records import RecordStore
from benchmark.registry.registry import Registry
from benchmark.run.loop import run
from benchmark.run.plan import Request
from benchmark.run.spread import run_spread

PLUGIN = '''
import json, pathlib
from benchmark import Downstream, Features, Selection, Upstream
from tasks.corpora.csv import CSV
import numpy as np

LOG = pathlib.Path(__file__).with_suffix(".jsonl")


class Elsewhere(CSV):
    """The toy corpus under another name, as another corpus."""

    name = "elsewhere"


class Peak(Upstream):
    """The strongest frequency."""

    name = "peak"

    def encode(self, wave):
        return Features(np.float32([[[np.argmax(np.abs(np.fft.rfft(wave)))]]]))


class Adapter(Downstream):
    """Remembers what it is shown of the target."""

    name = "adapter"
    adapts = True

    def fit(self, train, dev, *, seed, adapt):
        with LOG.open("a") as handle:
            seen = {"train": train.ids, "dev": dev.ids, "adapt": adapt.ids, "labels": adapt.y is not None}
            handle.write(json.dumps(seen) + "\\n")
        return Selection()

    def predict(self, examples):
        return np.eye(2)[(examples.x[:, 0, 0] < 700).astype(int)]


def reachable(thing, seen):
    """All that can be had of a thing by its attributes and items."""
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None))):
        if isinstance(thing, str):
            yield thing
        return
    seen[id(thing)] = thing
    yield thing
    inside = list(getattr(thing, "__dict__", {}).values())
    if isinstance(thing, dict):
        inside += [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        inside += thing
    for one in inside:
        yield from reachable(one, seen)


class Thief(Downstream):
    """Looks for the labels of the target wherever it can, and writes down what it finds."""

    name = "thief"
    adapts = True
    needs = "mean"

    def fit(self, train, dev, *, seed, adapt):
        everything = list(reachable(adapt, {}))
        found = [
            type(thing).__name__
            for thing in everything
            if type(thing).__module__.startswith(("benchmark.protocol", "benchmark.base"))
            or (isinstance(thing, str) and ("high" in thing or "low" in thing) and thing not in adapt.outputs)
            or (isinstance(thing, np.ndarray) and thing.dtype.kind in "iu" and len(thing) == len(adapt))
        ]
        ordered = np.diff(np.array([frames.ravel()[0] for frames in adapt.x]) < 700).sum()
        with LOG.open("a") as handle:
            told = {"found": found, "y": adapt.y is not None, "auxiliary": adapt.auxiliary is not None}
            handle.write(json.dumps({**told, "changes": int(ordered), "known": len(everything)}) + "\\n")
        return Selection()

    def predict(self, examples):
        return np.zeros((len(examples), 2))


class FrameThief(Thief):
    """The same on frames, which are read when they are asked for."""

    name = "frame-thief"
    needs = "frames"
'''

PART = {"label_map": {"high": "high", "low": "low"}, "expect": {"utterances": 40, "speakers": 4}}
SHARED = {key: value for key, value in TOY_TASK.items() if key not in ("corpus", "label_map", "expect")}
CROSS = {
    **SHARED,
    "name": "here-to-elsewhere",
    "source": {"corpus": "csv", **PART},
    "target": {"corpus": "elsewhere", **PART},
    "folds": {"scheme": "group-k-fold", "group": "speaker", "k": 2},
    "dev": {"scheme": "random", "fraction": 0.25, "group": "speaker"},
    "downstream": "svm",
    "seeds": [0],
}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    path = tmp_path / "two_corpora_plugin.py"
    path.write_text(PLUGIN)
    return Registry([str(path)])


@pytest.fixture
def both(toy_corpus: Path, tmp_path: Path) -> Settings:
    """The same recordings twice would be a leak: the second corpus is its own."""
    return load_settings([f"csv={toy_corpus}", f"elsewhere={write_toy_corpus(tmp_path / 'elsewhere', seed=1000)}"])


def cross(**changes: object) -> Task:
    return Task.model_validate({**copy.deepcopy(CROSS), **changes})


def test_train_and_dev_are_of_the_source_and_test_and_adapt_of_the_target(registry, both) -> None:
    task = cross()
    dataset = load_dataset(task, registry.corpora_of(task), both)
    assert dataset.corpus_name == "csv -> elsewhere"
    assert len(dataset.utterances) == 80
    for fold in dataset.folds:
        assert {i.partition(":")[0] for i in (*fold.train, *fold.dev)} == {"csv"}
        assert {i.partition(":")[0] for i in (*fold.adapt, *fold.test)} == {"elsewhere"}
        assert (len(fold.train), len(fold.dev), len(fold.adapt), len(fold.test)) == (30, 10, 20, 20)
        speakers = {name: {dataset.by_id[i].speaker for i in getattr(fold, name)} for name in ("adapt", "test")}
        assert not speakers["adapt"] & speakers["test"]
    assert sorted(i for fold in dataset.folds for i in fold.test) == [
        u.id for u in dataset.utterances if u.id.startswith("elsewhere:")
    ]
    assert len({dataset.root_of(utterance) for utterance in dataset.utterances}) == 2


def test_official_splits_keep_the_dev_of_the_source_and_leave_the_rest_alone(registry, tmp_path) -> None:
    folders = {name: write_toy_corpus(tmp_path / name, seed=seed) for name, seed in (("csv", 0), ("elsewhere", 5000))}
    split = {"anna": "train", "bert": "dev", "cleo": "test", "dora": "train"}
    for folder in folders.values():
        index = folder / "index.csv"
        head, *rows = index.read_text().splitlines()
        rows = [f"{row},{split[row.split('/')[0]]}" for row in rows]
        index.write_text("\n".join([f"{head},split", *rows]) + "\n")
    task = cross(folds={"scheme": "official"}, dev={"scheme": "official"})
    settings = load_settings([f"{name}={folder}" for name, folder in folders.items()])
    (fold,) = load_dataset(task, registry.corpora_of(task), settings).folds

    def speakers(ids: tuple[str, ...]) -> set[str]:
        return {i.split("/")[0] for i in ids}

    assert speakers(fold.train) == {"csv:anna", "csv:dora"}
    assert speakers(fold.dev) == {"csv:bert"}
    assert speakers(fold.adapt) == {"elsewhere:anna", "elsewhere:dora"}
    assert speakers(fold.test) == {"elsewhere:cleo"}


def test_a_head_that_adapts_sees_the_target_without_labels_and_never_the_test_set(
    registry, both, tmp_path, progress
) -> None:
    path = tmp_path / "here-to-elsewhere.yaml"
    path.write_text(yaml.safe_dump(CROSS))
    request = Request(upstreams=["peak"], tasks=[str(path)], downstreams=["adapter", "svm"])
    adapter, svm = run(request, registry, both, progress, "cpu")
    assert adapter.failed == svm.failed == {}
    assert adapter.newly_encoded == 80
    assert svm.newly_encoded == 0
    assert adapter.score is not None
    assert adapter.score.mean == 1.0
    shown = [json.loads(line) for line in (tmp_path / "two_corpora_plugin.jsonl").read_text().splitlines()]
    records = [one for one in RecordStore(both.results) if one.downstream.name == "adapter"]
    assert len(shown) == len(records) == 2
    for one in shown:
        assert one["labels"] is False
        assert one["adapt"] == [f"adapt-{number:06d}" for number in range(20)]
    assert {(r.counts.train, r.counts.dev, r.counts.adapt, r.counts.test) for r in records} == {(30, 10, 20, 20)}
    assert {record.task.corpus.name for record in records} == {"csv -> elsewhere"}


@pytest.mark.parametrize("thief", ["thief", "frame-thief"])
def test_labels_of_the_target_cannot_be_reached(registry, both, tmp_path, progress, thief: str) -> None:
    """Not by targets, not by ids, which say the label here, and not by the order, which is that of a keyed hash."""
    path = tmp_path / "here-to-elsewhere.yaml"
    path.write_text(yaml.safe_dump(CROSS))
    (outcome,) = run(Request(["peak"], [str(path)], [thief]), registry, both, progress, "cpu")
    assert outcome.failed == {}
    shown = [json.loads(line) for line in (tmp_path / "two_corpora_plugin.jsonl").read_text().splitlines()]
    assert len(shown) == 2
    for one in shown:
        assert one["known"] > 20  # it looked
        assert (one["found"], one["y"], one["auxiliary"]) == ([], False, False)
        assert one["changes"] > 5  # sorted by id, high and low come in blocks: three changes


def test_a_head_that_adapts_is_refused_where_there_is_no_target(registry, both, toy_task, progress) -> None:
    request = Request(upstreams=["peak"], tasks=[str(toy_task)], downstreams=["adapter"])
    with pytest.raises(UsageError, match="'adapter' adapts to a target corpus, and the task 'toy' has none"):
        run(request, registry, both, progress, "cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": None}, "source and target go together"),
        ({"corpus": "csv"}, "corpus stands in source and in target"),
        ({"target": {"corpus": "csv", **PART}}, "source and target are two corpora"),
        ({"dev": {"scheme": "next-fold"}}, "the folds divide the target alone"),
        ({"dev": {"scheme": "test"}}, "the folds divide the target alone"),
        ({"few_shot": {"per_class": 0}}, "greater than or equal to 1"),
        ({"context": {"turns": 2}}, "context is of the dialogues of one corpus"),
        (
            {"target": {"corpus": "elsewhere", **PART, "label_map": {"high": "hihg", "low": "low"}}},
            "label_map sends 'high' to 'hihg'",
        ),
    ],
)
def test_a_protocol_that_mixes_up_the_two_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross(**changes)


def test_each_corpus_is_expected_by_itself(registry, both) -> None:
    task = cross(target={"corpus": "elsewhere", **PART, "expect": {"utterances": 41, "speakers": 4}})
    with pytest.raises(BenchError, match=r"the corpus 'elsewhere' is not what the task .* 40 utterances instead of 41"):
        load_dataset(task, registry.corpora_of(task), both)


def test_the_name_of_the_task_places_neither_corpus(registry, both) -> None:
    task = cross()
    for settings, message in (
        (load_settings([f"csv={both.data['csv']}"]), r"'elsewhere' is not here .*--data elsewhere=PATH"),
        (load_settings([f"{task.name}={both.data['csv']}"]), "place each: --data csv=PATH --data elsewhere=PATH"),
    ):
        with pytest.raises(BenchError, match=message):
            load_dataset(task, registry.corpora_of(task), settings)


def test_targets_are_of_the_shared_classes(registry, both) -> None:
    swapped = {"corpus": "elsewhere", **PART, "label_map": {"high": "low", "low": "high"}}
    task = cross(target=swapped)
    dataset = load_dataset(task, registry.corpora_of(task), both)
    pair = [dataset.by_id["csv:anna/high0.wav"], dataset.by_id["elsewhere:anna/high0.wav"]]
    np.testing.assert_array_equal(dataset.targets(pair), [0, 1])


def test_few_labelled_utterances_of_the_target_join_train(registry, both) -> None:
    plain = load_dataset(cross(), registry.corpora_of(cross()), both)
    before = set[str]()
    for number in (1, 3):
        task = cross(few_shot={"per_class": number, "seed": 5})
        dataset = load_dataset(task, registry.corpora_of(task), both)
        for fold, known in zip(dataset.folds, plain.folds, strict=True):
            moved = set(fold.train) - set(known.train)
            assert sorted(dataset.labels[i] for i in moved) == ["high"] * number + ["low"] * number
            assert all(i.startswith("elsewhere:") for i in moved)
            assert moved | set(fold.adapt) == set(known.adapt)
            assert moved.isdisjoint(fold.adapt)
            assert (fold.dev, fold.test) == (known.dev, known.test)
        moved = set(dataset.folds[0].train) - set(plain.folds[0].train)
        assert before < moved
        before = moved
    other = cross(few_shot={"per_class": 3, "seed": 6})
    assert (
        set(load_dataset(other, registry.corpora_of(other), both).folds[0].train) - set(plain.folds[0].train) != before
    )


def test_more_shots_than_there_are_utterances_are_refused(registry, both) -> None:
    task = cross(few_shot={"per_class": 11})
    with pytest.raises(BenchError, match=r"few_shot of fold .*: 11 utterances of 'high' are wanted, and there are 10"):
        load_dataset(task, registry.corpora_of(task), both)


def test_few_shots_are_for_classes_between_two_corpora() -> None:
    with pytest.raises(ValueError, match="few_shot takes utterances of each class of a target"):
        Task.model_validate({**TOY_TASK, "few_shot": {"per_class": 1}})


# -- phones -----------------------------------------------------------------------------------------------------------

LISTENER = '''
import json, pathlib
from benchmark import Downstream, Selection
import numpy as np

LOG = pathlib.Path(__file__).with_suffix(".jsonl")


class Listener(Downstream):
    """Writes down what it is told of phones."""

    name = "listener"
    needs = "frames"
    adapts = True
    phones = True

    def fit(self, train, dev, *, seed, adapt):
        told = {"train": [one.tolist() for one in train.phones], "adapt": [one.tolist() for one in adapt.phones],
                "names": train.phone_names, "dev": dev.phones is None, "frames": [len(x[0]) for x in adapt.x]}
        with LOG.open("a") as handle:
            handle.write(json.dumps(told) + "\\n")
        return Selection()

    def predict(self, examples):
        assert examples.phones is None
        return np.zeros((len(examples), 2))
'''


@pytest.fixture
def phones(both, tmp_path: Path) -> Path:
    """An alignment of each recording: a vowel of 0.2 s, by corpus in another alphabet, another one, and silence."""
    folder = tmp_path / "phones"
    for corpus, (one, other) in {"csv": ("AA1", "IY0"), "elsewhere": ("aː", "i")}.items():
        for wave in sorted(both.data[corpus].rglob("*.wav")):
            path = folder / corpus / wave.relative_to(both.data[corpus]).with_suffix(".TextGrid")
            path.parent.mkdir(parents=True, exist_ok=True)
            tiers = f'0\n0.5\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n0.5\n3\n0\n0.2\n"{one}"\n0.2\n0.4\n"{other}"\n'
            path.write_text(f'File type = "ooTextFile"\n"TextGrid"\n{tiers}0.4\n0.5\n""\n')
    return folder


@pytest.fixture
def listening(tmp_path: Path) -> Registry:
    path = tmp_path / "listening_plugin.py"
    path.write_text(PLUGIN + LISTENER)
    return Registry([str(path)])


def cross_file(tmp_path: Path) -> str:
    path = tmp_path / "here-to-elsewhere.yaml"
    path.write_text(yaml.safe_dump(CROSS))
    return str(path)


def test_a_head_is_told_the_vowels_of_train_and_adapt(listening, both, phones, tmp_path, progress) -> None:
    request = Request(["logmel"], [cross_file(tmp_path)], ["listener"], phones=phones)
    (outcome,) = run(request, listening, both, progress, "cpu")
    assert outcome.failed == {}
    shown = [json.loads(line) for line in (tmp_path / "listening_plugin.jsonl").read_text().splitlines()]
    assert len(shown) == 2
    for one in shown:
        assert (one["dev"], one["names"]) == (True, ["a", "ɛ", "ə", "i", "o", "u"])
        for spoken in (*one["train"], *one["adapt"]):
            assert spoken == [0] * 20 + [3] * 20 + [-1] * 10  # logmel has 100 frames a second
    assert any("phones of csv are read as ARPAbet" in text for text in progress.notes)
    assert any("phones of elsewhere are read as IPA" in text for text in progress.notes)


def test_records_say_which_alignments_and_other_ones_are_another_head(
    registry, both, phones, tmp_path, progress
) -> None:
    request = Request(["logmel"], [cross_file(tmp_path)], ["pc", "transformer"], folds=["1"], phones=phones)
    registry = Registry([*registry.plugins], ["downstream.maximum=1"])
    assert [outcome.failed for outcome in run(request, registry, both, progress, "cpu")] == [{}, {}]

    def told() -> dict[str, set[tuple[str, str | None]]]:
        found: dict[str, set[tuple[str, str | None]]] = {}
        for one in RecordStore(both.results):
            found.setdefault(one.downstream.name, set()).add((one.downstream.sha256, one.downstream.phones_sha256))
        return found

    first = told()
    ((_, digest),) = first["pc"]
    assert digest is not None
    assert {sha256 for _, sha256 in first["transformer"]} == {None}
    assert all(
        b'"phones_sha256"' not in path.read_bytes()
        for path in both.results.glob("*/*.json")
        if b'"name":"transformer"' in path.read_bytes()
    )
    assert run(request, registry, both, progress, "cpu")[0].completed == 0  # known already
    changed = next(iter(sorted((phones / "elsewhere").rglob("*.TextGrid"))))
    changed.write_text(changed.read_text().replace('"i"', '"u"'))
    pc, plain = run(request, registry, both, progress, "cpu")
    assert (pc.completed, plain.completed) == (1, 0)
    assert len(told()["pc"]) == 2


def test_on_workers_it_is_the_same(registry, both, phones, tmp_path, progress) -> None:
    request = Request(["logmel"], [cross_file(tmp_path)], ["pc"], phones=phones)
    registry = Registry([*registry.plugins], ["downstream.maximum=2"])
    there = elsewhere(both, tmp_path, "there")
    run(request, registry, both, progress, "cpu")
    run_spread(request, registry, there, progress, HereEngine(newest_first=True), "cpu")
    assert len(numbers(both)) == 2
    assert numbers(both) == numbers(there)


def test_without_alignments_the_error_says_what_is_needed_before_any_work(
    registry, both, phones, tmp_path, progress
) -> None:
    task = cross_file(tmp_path)
    with pytest.raises(MissingError, match=r"'pc' reads phone alignments .* none are given .--phones FOLDER with"):
        run(Request(["logmel"], [task], ["pc"]), registry, both, progress, "cpu")
    assert not (both.cache / "audio").exists()
    with pytest.raises(UsageError, match="--phones, and 'svm' reads no phones"):
        run(Request(["logmel"], [task], ["svm"], phones=phones), registry, both, progress, "cpu")
    (phones / "elsewhere" / "anna" / "low0.TextGrid").unlink()
    with pytest.raises(MissingError, match="1 of 40 utterances of elsewhere have no phone alignment"):
        run(Request(["logmel"], [task], ["pc"], phones=phones), registry, both, progress, "cpu")
    assert not (both.cache / "features").exists()


def test_alignments_of_what_is_only_tested_are_not_asked_for(registry, both, phones, tmp_path, progress) -> None:
    """A target that is divided once: what is tested is in no adapt."""
    folds = [{"name": "1", "test": ["elsewhere:anna", "elsewhere:bert"]}]
    path = tmp_path / "here-to-elsewhere.yaml"
    path.write_text(yaml.safe_dump({**CROSS, "folds": {"scheme": "listed", "by": "speaker", "folds": folds}}))
    for name in ("anna", "bert"):
        for file in (phones / "elsewhere" / name).glob("*.TextGrid"):
            file.unlink()
    registry = Registry([*registry.plugins], ["downstream.maximum=1"])
    (outcome,) = run(Request(["logmel"], [str(path)], ["pc"], phones=phones), registry, both, progress, "cpu")
    assert (outcome.failed, outcome.completed) == ({}, 1)
