"""What is listed: what cannot be used is one marked row, and hides nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from toy import TOY_TASK

from benchmark.cli.list import print_tasks, task_rows
from benchmark.io.settings import Settings
from benchmark.registry.registry import Registry


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (yaml.safe_dump({**TOY_TASK, "corpus": "nobody"}), "unknown corpus 'nobody'"),
        ("name: [", "toy.yaml is not valid YAML"),
        (yaml.safe_dump({**TOY_TASK, "seeds": []}), "'seeds' in toy.yaml"),
    ],
)
def test_a_broken_task_is_one_marked_row(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    (tmp_path / "toy.yaml").write_text(content)
    registry = Registry()
    registry._tasks.add(tmp_path / "toy.yaml")
    rows = task_rows(registry, settings)
    assert [row["name"] for row in rows if row["broken"] is not None] == ["toy"]
    assert len(rows) == len(registry.tasks()) > 2
    assert reason in rows[-1]["broken"]
    assert rows[-1]["data_found"] is False
    print_tasks(rows)
    shown = capsys.readouterr().out
    assert f"BROKEN toy: {rows[-1]['broken']}" in " ".join(shown.split())
    assert "demo" in shown
