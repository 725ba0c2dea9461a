"""`bench check`: a line for each check, and one mistake told once."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import bench
from toy import TONE_PLUGIN


def check(folder: Path, plugin: str, code: int) -> tuple[list[str], str]:
    path = folder / "own_plugin.py"
    path.write_text(plugin)
    done = bench("check", "downstream", "nearest", "--plugin", path, code=code)
    return done.stdout.splitlines(), done.stderr


def test_one_mistake_is_told_once_with_how_many_checks_fail_by_it(tmp_path: Path) -> None:
    plugin = TONE_PLUGIN.replace("- self.means, axis", "- self.centres, axis")
    lines, stderr = check(tmp_path, plugin, 1)
    failed = [line for line in lines if line.startswith("FAILED  ")]
    assert len([line for line in failed if "centres" in line]) == 1
    assert failed[0].startswith(
        "FAILED  scores have the right shape and are finite: predicting 30 utterances raises Attr"
    )
    same = "by the same mistake as 'scores have the right shape and are finite'"
    assert [line.partition(": ")[2] for line in failed[1:]] == [same] * (len(failed) - 1)
    assert len(failed) > 5
    assert "ok      the selection is well formed" in lines
    assert stderr == f"error: downstream 'nearest' breaks {len(failed)} checks of its contract by 1 mistake\n"
    plugin = plugin.replace("return Selection()", "return Selection(on='uar')")
    told = (
        f"checks of its contract by 2 mistakes: {len(failed)} by that of 'scores have the right shape and are finite'"
    )
    assert check(tmp_path, plugin, 1)[1] == f"error: downstream 'nearest' breaks {len(failed) + 1} {told}\n"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (("return Selection()", "return Selection(on='uar')"), ["the selection is well formed"]),
        (("seed).normal", "0).normal"), ["the seed matters exactly where it is said to"]),
    ],
)
def test_other_mistakes_are_told_each(tmp_path: Path, change: tuple[str, str], names: list[str]) -> None:
    lines, stderr = check(tmp_path, TONE_PLUGIN.replace(*change), 1)
    assert [line[8:].partition(": ")[0] for line in lines if line.startswith("FAILED")] == names
    assert stderr == "error: downstream 'nearest' breaks 1 check of its contract\n"
