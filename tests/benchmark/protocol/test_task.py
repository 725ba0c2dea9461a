"""The schema of protocols: closed, with suggestions, and hashed without its prose."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from toy import TOY_TASK

from benchmark.errors import UsageError
from benchmark.protocol.task import Task, read_task


def write(tmp_path: Path, **changes: object) -> Path:
    content = {**copy.deepcopy(TOY_TASK), **changes}
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def listed(*folds: dict) -> dict:
    return {"scheme": "listed", "by": "speaker", "folds": list(folds)}


REGRESSION = {"kind": "regression", "labels": [], "label_map": {}, "dimensions": ["arousal"], "metrics": ["ccc"]}
STRATIFIED = {"scheme": "random", "fraction": 0.2, "stratified": True}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrcis": ["uar"]}, "unknown key 'metrcis' in toy.yaml (did you mean 'metrics'?)"),
        (
            {"folds": {"scheme": "leave-one-group-out", "gruop": "speaker"}},
            "unknown key 'folds.leave-one-group-out.gruop' in toy.yaml (did you mean 'group'?)",
        ),
        ({"expect": {"utterances": 1, "speakers": 1, "speekers": 1}}, "(did you mean 'speakers'?)"),
        ({"folds": {"scheme": "loso"}}, "'folds' in toy.yaml"),
        ({"pool": None}, "the key 'pool' is missing in toy.yaml"),
        ({"metrics": ["ccc"]}, "'ccc' is no metric for classification; known: uar, wa"),
        ({"label_map": {"high": "hihg", "low": "low"}}, "label_map sends 'high' to 'hihg'"),
        ({"label_map": {"high": "high"}}, "no label of the corpus is mapped to low"),
        ({"labels": ["high"]}, "two or more labels"),
        ({"seeds": [1, 1]}, "a seed is listed twice"),
        ({"seeds": [True]}, "'seeds.0' in toy.yaml"),
        ({"speaker_independent": "yes"}, "'speaker_independent' in toy.yaml"),
        ({"dev": {"scheme": "official"}}, "dev can be official only where the folds are official"),
        ({"dev": {"scheme": "random", "fraction": 1.5}}, "not 1.5"),
        ({"name": "other"}, "a task is named as its file: 'toy'"),
        ({"version": 0}, "'version' in toy.yaml"),
        ({"kind": "regression"}, "lists dimensions, and no labels"),
        ({"labels": ["high", "low", "low"]}, "a label is listed twice: 'low'"),
        ({"metrics": ["uar", "wa", "uar"]}, "a metric is listed twice: 'uar'"),
        ({**REGRESSION, "dimensions": ["arousal", "arousal"]}, "a dimension is listed twice: 'arousal'"),
        ({"filter": {"gender": ["female", "female"]}}, "filter lists the gender 'female' twice"),
        ({"filter": {"gender": []}}, "filter accepts no value of 'gender', so that nothing is left"),
        (
            {"expect": {"utterances": 40, "speakers": 4, "per_class": {"hihg": 20}}},
            "expect counts 'hihg', which is not in labels",
        ),
        (
            {"expect": {"utterances": 40, "speakers": 4, "per_class": {"high": 1, "low": 2}}},
            "expect has 40 utterances, and 3 in all classes",
        ),
        ({"folds": {"scheme": "random-k-fold", "k": 10**12}}, "less than or equal to 10000"),
        ({"folds": {"scheme": "group-k-fold", "group": "speaker", "k": 10_001}}, "less than or equal to 10000"),
        ({"seeds": list(range(1001))}, "at most 1000 items"),
        (
            {**REGRESSION, "auxiliary": {"labels": ["a", "b", "b"], "label_map": {"x": "a", "y": "b"}}},
            "an auxiliary label is listed twice: 'b'",
        ),
        ({"seeds": [-1]}, "'seeds.0' in toy.yaml: Input should be greater than or equal to 0, not -1"),
        ({"seeds": [0, 2**32]}, "'seeds.1' in toy.yaml: Input should be less than or equal to 4294967295"),
        ({"folds": {"scheme": "random-k-fold", "k": 2, "seed": -1}}, "random-k-fold.seed"),
        ({"expect": {"utterances": -1, "speakers": 1}}, "'expect.utterances' in toy.yaml"),
        ({"expect": {"utterances": 1, "speakers": -1}}, "'expect.speakers' in toy.yaml"),
        ({"expect": {"utterances": 1, "speakers": 1, "per_class": {"high": -1}}}, "'expect.per_class.high'"),
        ({"audio": {"max_duration": float("inf")}}, "'audio.max_duration' in toy.yaml"),
        ({"audio": {"max_duration": float("nan")}}, "'audio.max_duration' in toy.yaml"),
        ({**REGRESSION, "dev": STRATIFIED}, "dev cannot be stratified in a regression task"),
        (
            {**REGRESSION, "folds": {"scheme": "random-split", "test_fraction": 0.2, "stratified": True}},
            "folds cannot be stratified in a regression task",
        ),
        (
            {"folds": listed({"name": "a", "test": ["s1"]}, {"name": "a", "test": ["s2"]})},
            "two listed folds are named 'a'",
        ),
        ({"folds": listed({"name": "a", "test": ["s1", "s1"]})}, "fold 'a' lists 's1' twice"),
        ({"folds": listed({"name": "a", "test": ["s1"], "train": ["s2", "s2"]})}, "fold 'a' lists 's2' twice"),
        ({"folds": listed({"name": "a", "test": ["s1"], "dev": ["s1"]})}, "fold 'a' lists 's1' twice"),
        (
            {"folds": listed({"name": "a", "test": ["s1"], "dev": ["s2"]}), "dev": {"scheme": "none"}},
            "fold 'a' lists dev, but dev has the scheme 'none'",
        ),
        ({"folds": listed({"name": "a", "test": ["s1"]}), "dev": {"scheme": "listed"}}, "fold 'a' lists no dev"),
    ],
)
def test_a_wrong_protocol_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_task(write(tmp_path, **changes))
    assert message in str(caught.value)


def test_yaml_that_is_no_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    deep = 5_000
    for text, message in (
        ("- a\n- b\n", "no mapping"),
        ("a: [", "not valid YAML"),
        ("a: 1\na: 2\n", "given twice"),
        ("? [a]\n: b\n", "a key is no single value"),
        ("a: {{b: c}: d}\n", "a key is no single value"),
        ("a: " + "[" * deep + "]" * deep, "nested too deeply"),
        ("a: !!float x\n", "not valid YAML: .*x"),
        ("a: !!int ''\n", "not valid YAML"),
        ("a: !!bool x\n", "not valid YAML"),
        ("a: !!timestamp x\n", "not valid YAML"),
        ("a: 2024-99-99\n", "not valid YAML"),
        ("a: !!map [b]\n", "not valid YAML: expected keys and values"),
        ("a: 1" + ":1" * 200 + ".0\n", "not valid YAML"),
        ("<<: x\n", "not valid YAML"),
        ("1: x\n", "toy.yaml"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=message):
            read_task(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    for name in ("folder.yaml", "missing.yaml", "x" * 300 + ".yaml"):
        with pytest.raises(UsageError, match=f"{name[:20]}.*cannot be read: "):
            read_task(tmp_path / name)


def test_listed_dev_is_that_of_the_folds(tmp_path: Path) -> None:
    folds = listed({"name": "a", "test": ["s1"], "dev": ["s2"]})
    task = read_task(write(tmp_path, folds=folds, dev={"scheme": "listed"}))
    assert task.dev.scheme == "listed"


def test_yaml_cannot_make_objects(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text("name: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(UsageError, match="not valid YAML"):
        read_task(path)


def test_the_digest_knows_what_decides_numbers_and_nothing_else() -> None:
    task = Task.model_validate(TOY_TASK)
    prose = {"title": "x", "note": "x", "licence": "x", "citation": "x", "downstream": "superb"}
    assert Task.model_validate({**TOY_TASK, **prose}).sha256 == task.sha256
    for change in (
        {"seeds": [0, 1, 2]},
        {"pool": "folds"},
        {"version": 2},
        {"audio": {"max_duration": 3.0}},
        {"metrics": ["wa", "uar"]},
        {"dev": {"scheme": "none"}},
        {"labels": ["low", "high"]},
    ):
        assert Task.model_validate({**TOY_TASK, **change}).sha256 != task.sha256
