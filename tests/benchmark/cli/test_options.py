"""What several commands share: where things are is asked for by names that are known."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmark.cli.options import load
from benchmark.errors import UsageError


def test_data_of_the_tasks_on_which_upstreams_are_trained_may_be_placed() -> None:
    name = "mfcc+tuned:my/own.yaml/tuned:other.yaml/hf:m/x/lora/lora@last"
    _, settings = load(None, ["own=here", "other=there"], upstreams=[name])
    assert set(settings.data) == {"own", "other"}


def test_what_is_not_known_is_refused_and_each_known_name_told_once() -> None:
    with pytest.raises(UsageError, match="--data places 'qqqqq', which is not known") as error:
        load(None, ["qqqqq=here"], tasks=["demo"])
    known = error.value.hint.removeprefix("known: ").split(", ")
    assert "demo" in known
    assert [name for name, times in Counter(known).items() if times > 1] == []
