"""The schema of protocols: closed, with suggestions, and hashed without its prose."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from conftest import TOY_TASK

from benchmark.errors import UsageError
from benchmark.protocol import Task, read_task


def write(tmp_path: Path, **changes: object) -> Path:
    content = {**copy.deepcopy(TOY_TASK), **changes}
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


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
        ({"labels": ["high"]}, "two or more different labels"),
        ({"seeds": [1, 1]}, "a seed is listed twice"),
        ({"seeds": [True]}, "'seeds.0' in toy.yaml"),
        ({"speaker_independent": "yes"}, "'speaker_independent' in toy.yaml"),
        ({"dev": {"scheme": "official"}}, "dev can be official only where the folds are official"),
        ({"dev": {"scheme": "random", "fraction": 1.5}}, "not 1.5"),
        ({"name": "other"}, "a task is named as its file: 'toy'"),
        ({"version": 0}, "'version' in toy.yaml"),
        ({"kind": "regression"}, "lists dimensions, and no labels"),
    ],
)
def test_a_wrong_protocol_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_task(write(tmp_path, **changes))
    assert message in str(caught.value)


def test_yaml_that_is_no_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    for text, message in (("- a\n- b\n", "no mapping"), ("a: [", "not valid YAML"), ("a: 1\na: 2\n", "given twice")):
        path.write_text(text)
        with pytest.raises(UsageError, match=message):
            read_task(path)


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
