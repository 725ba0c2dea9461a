"""What the README says is true: its files work as they stand there, and its commands are understood."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest
from typer.main import get_command

from benchmark.cli import app
from benchmark.contracts import check_upstream
from benchmark.protocol.task import read_task
from benchmark.registry.entry_points import GROUPS
from benchmark.registry.registry import Registry

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TASKS = (ROOT / "tasks" / "README.md").read_text(encoding="utf-8")


def block(language: str, text: str = README) -> str:
    """The one code block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    return str(found)


def test_the_upstream_of_the_readme_keeps_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "my_upstream.py"
    path.write_text(block("python"))
    registry = Registry([str(path)])
    for check in check_upstream(lambda: registry.upstream("zero-crossings")):
        check.run()


def test_the_protocol_of_the_readme_is_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(block("yaml"))
    assert read_task(path).labels == ["calm", "upset"]


def test_the_protocol_between_two_corpora_is_one(tmp_path: Path) -> None:
    path = tmp_path / "mine-to-theirs.yaml"
    path.write_text(block("yaml", TASKS))
    assert [part.corpus for part in read_task(path).parts] == ["csv", "urdu"]


def test_the_recipe_of_the_readme_builds_a_head(tmp_path: Path) -> None:
    (text,) = re.findall(r"    # my_recipe.yaml\n((?:    .+\n)+)", README)
    path = tmp_path / "my_recipe.yaml"
    path.write_text(textwrap.dedent(text))
    assert Registry().downstream(str(path)).params.C == 0.001


def test_the_entry_points_of_the_readme_are_those_that_are_read() -> None:
    groups = re.findall(r'^\[project.entry-points."(.+)"\]$', block("toml"), flags=re.MULTILINE)
    assert sorted(groups) == sorted(GROUPS.values())


@pytest.mark.parametrize("line", re.findall(r"^    (bench .+)$", README + TASKS, flags=re.MULTILINE))
def test_the_commands_of_the_readme_are_understood(line: str) -> None:
    _, *words = shlex.split(line, comments=True)
    command = get_command(app)
    while hasattr(command, "commands"):  # a group of commands: the next word is one of them
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def test_every_command_of_the_command_line_is_in_the_readme() -> None:
    assert [name for name in get_command(app).commands if f"bench {name}" not in README] == []  # type: ignore[attr-defined]
