"""The network of a recipe: numbers that divide each other, and frames that its convolutions give."""

from __future__ import annotations

import pytest

from benchmark.errors import UsageError
from upstreams.pretraining.recipe import read_changes, read_recipe

PUBLISHED = "emotion2vec"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("model.heads=5", r"heads \(5\) does not divide dim \(768\)"),
        ("model.positions.groups=7", r"positions.groups \(7\) does not divide dim \(768\)"),
        ("model.decoder.groups=5", r"decoder.groups \(5\) does not divide dim \(768\)"),
        ("model.decoder.dim=385", r"decoder.groups \(16\) does not divide decoder.dim \(385\)"),
        ("model.convolutions=[]", "'model.convolutions'"),
        ("dropout.blocks=1", "'dropout.blocks'"),
    ],
)
def test_what_cannot_be_built_is_refused(change: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_recipe(PUBLISHED, read_changes([change]))


def test_frames_are_those_of_the_convolutions() -> None:
    model = read_recipe(PUBLISHED).model
    assert (model.hop, model.field) == (320, 400)
    assert [model.frames(samples) for samples in (400, 719, 720, 16_000)] == [1, 1, 2, 49]
