"""The doctor asks the families of upstreams what they need, and names none of them itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark import doctor
from benchmark.errors import MissingError
from benchmark.io.settings import load_settings
from benchmark.registry.entries import Entry
from benchmark.registry.registry import Registry
from benchmark.types import Condition


def upstream(name: str, examine: str | None = None, extra: str | None = None) -> Entry:
    return Entry(name, "module:Class", "", "a test", extra=extra, examine=examine)


def test_a_family_is_asked_once_and_an_extra_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "family_for_a_test.py").write_text(
        "from benchmark.types import Condition\n"
        "def examine():\n    return (Condition('BROKEN', 'a part', 'mend it'), Condition('ok', 'another', '1'))\n"
    )
    target = "family_for_a_test:examine"
    entries = [upstream("one", target, "numpy"), upstream("two", target), upstream("three", None, "no-such-package")]
    assert list(doctor._families(entries)) == [
        Condition("BROKEN", "a part", "mend it"),
        Condition("ok", "another", "1"),
        Condition("-", "no-such-package", "for three: pip install 'serbench[no-such-package]'"),
    ]


@pytest.mark.parametrize("target", ["no_such_module:examine", "json:no_such_function", ":examine"])
def test_an_examination_that_is_not_there_is_an_error(target: str) -> None:
    with pytest.raises(MissingError, match=f"the examination '{target}' cannot be loaded"):
        list(doctor._families([upstream("one", target)]))


def test_what_the_registered_families_need_is_told() -> None:
    told = {condition.what for condition in doctor.examine(Registry(), load_settings())}
    assert {"python", "torch", "device", "torchaudio", "opensmile", "funasr", "s3prl", "cache", "results"} <= told


def test_the_doctor_names_no_family() -> None:
    source = Path(doctor.__file__).read_text(encoding="utf-8")
    assert not [name for name in ("s3prl", "torchaudio", "opensmile", "funasr") if name in source]
