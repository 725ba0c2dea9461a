"""Cells are taken apart in one way, however deep they are."""

from __future__ import annotations

import itertools
import time

import pytest

from benchmark.base.tuned import PREFIX, Training
from benchmark.errors import UsageError
from benchmark.registry.cell_names import is_nowhere, parse_cell


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("demo/whisper-tiny/finetune", ("demo", "whisper-tiny", "finetune")),
        ("demo/hf:a/b/lora", ("demo", "hf:a/b", "lora")),
        ("demo/hf:/home/x/model/lora", ("demo", "hf:/home/x/model", "lora")),
        ("demo/hf:../../x/model/lora", ("demo", "hf:../../x/model", "lora")),
        ("demo/tuned:urdu/whisper-tiny/lora/finetune", ("demo", "tuned:urdu/whisper-tiny/lora", "finetune")),
        ("/a/own.yaml/whisper-tiny/own.yaml", ("/a/own.yaml", "whisper-tiny", "own.yaml")),
        ("demo/whisper-tiny/own.yaml", ("demo", "whisper-tiny", "own.yaml")),
        ("demo/whisper-tiny/of/mine/own.yml", ("demo", "whisper-tiny", "of/mine/own.yml")),
        ("of/mine.yaml/hf:m/moon/ftn.yaml", ("of/mine.yaml", "hf:m/moon", "ftn.yaml")),
        ("demo/hf:m/moon/./of/ftn.yaml", ("demo", "hf:m/moon", "./of/ftn.yaml")),
        ("demo/hf:m/moon//of/ftn.yaml", ("demo", "hf:m/moon", "/of/ftn.yaml")),
        ("demo/tuned:demo/hf:m/moon/ftn.yaml/ftn.yaml", ("demo", "tuned:demo/hf:m/moon/ftn.yaml", "ftn.yaml")),
        ("demo/tuned:demo/hf:m/moon/ftn.yaml@last/svm", ("demo", "tuned:demo/hf:m/moon/ftn.yaml@last", "svm")),
        ("demo/mfcc+tuned:demo/hf:m/x/r.yaml/svm", ("demo", "mfcc+tuned:demo/hf:m/x/r.yaml", "svm")),
        ("demo/tuned:a/b.yaml/hf:m/x/r.yaml@last+mfcc/svm", ("demo", "tuned:a/b.yaml/hf:m/x/r.yaml@last+mfcc", "svm")),
    ],
)
def test_names_are_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    assert parse_cell(text, is_nowhere) == Training(*parts)


TASKS = ("demo", "mine.yaml", "my/tasks/mine.yaml", "/my/mine.yml")
RECIPES = ("lora", "ftn.yaml")
STARTS = ("whisper-tiny", "hf:m/moon", "hf:/m/a/moon")


@pytest.mark.parametrize("start", STARTS)
def test_a_chain_is_taken_apart_as_it_was_put_together(start: str) -> None:
    """Three steps, with every kind of task and recipe in each."""
    for tasks in itertools.product(TASKS, repeat=3):
        for recipes in itertools.product(RECIPES, repeat=3):
            inner = Training(tasks[0], start, recipes[0])
            middle = Training(tasks[1], f"{PREFIX}{tasks[0]}/{start}/{recipes[0]}", recipes[1])
            outer = Training(tasks[2], f"{PREFIX}{tasks[1]}/{middle.upstream}/{recipes[1]}", recipes[2])
            found = [parse_cell(f"{tasks[2]}/{outer.upstream}/{recipes[2]}", is_nowhere)]
            found += [parse_cell(found[0].upstream.removeprefix(PREFIX))]
            found += [parse_cell(found[1].upstream.removeprefix(PREFIX))]
            assert found == [outer, middle, inner]


def test_where_a_folder_may_be_of_the_model_or_of_the_recipe_the_file_that_is_there_decides() -> None:
    text = "demo/hf:m/moon/of/ftn.yaml"
    assert parse_cell(text, {"of/ftn.yaml", "moon/of/ftn.yaml"}.__contains__).downstream == "of/ftn.yaml"
    assert parse_cell(text, lambda path: True).downstream == "ftn.yaml"


@pytest.mark.parametrize("text", ["demo", "demo/finetune", "/x/y", "demo//", "demo/mine.yaml/lora", "demo/a/b/lora"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not TASK/UPSTREAM/DOWNSTREAM"):
        parse_cell(text)


def test_a_name_of_any_length_is_answered_at_once() -> None:
    began = time.perf_counter()
    for text in ("tuned:a/" * 5000 + "b/c", "a/" + "tuned:a/b.yaml/" * 40 + "hf:x" + "/y/z.yaml" * 45):
        with pytest.raises(UsageError):
            parse_cell(text)
    assert time.perf_counter() - began < 5
