"""What the script of the page knows: what stands behind each row, and the comparison of every two systems of a task."""

from __future__ import annotations

from typing import Any

from benchmark.records.cells import Cell
from benchmark.statistics import Interval, TaskAnalysis
from benchmark.text import clean, count, decimal
from leaderboard.board import TaskTable
from leaderboard.rows import Row, Section

SHORT = 12  # digits of a digest
PAIR_PLACES = 5  # decimals of what is known of a pair


def task_data(section: Section, words: TaskTable) -> dict[str, Any]:
    """What the script knows of a task: its protocol, and the comparison of every two of its systems."""
    task, analysis = section.task, section.analysis
    names = [cell.name for cell in analysis.cells]
    # Each pair once: which is better (1 the first, 0 nobody knows), and five numbers as integers, or null.
    pairs = [_pair(analysis, a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    any_pair = next(iter(analysis.pairs.values()), None)
    return {
        "title": words.heading,
        "metric": analysis.metric.title,
        "percent": analysis.metric.percent,
        "higher": analysis.metric.higher_is_better,
        "level": None if any_pair is None else round(100 * any_pair.level),
        "facts": [
            ["protocol", f"version {task.version}, sha256 {clean(task.sha256[:SHORT])}"],
            ["recordings", f"sha256 {clean(task.corpus.audio_sha256[:SHORT])}"],
        ],
        "systems": [clean(name) for name in names],
        "pairs": pairs,
    }


def _pair(analysis: TaskAnalysis, a: str, b: str) -> list[int | None]:
    pair = analysis.pairs[a, b]
    verdict = int(analysis.better(a, b)) - int(analysis.better(b, a))
    values = (pair.delta, pair.low, pair.high, pair.p, pair.p_adjusted)
    return [verdict, *(None if value is None else round(value * 10**PAIR_PLACES) for value in values)]


def row_data(row: Row, task: int, section: Section) -> dict[str, Any]:
    """What the script shows of a row: of which task it is, which of its systems, and in words what stands behind it."""
    cell = row.cell
    names = [one.name for one in section.analysis.cells]
    found = row.intervals.get(section.analysis.metric.name)
    return {
        "task": task,
        "system": names.index(cell.name) if cell.name in names else None,
        "names": [clean(cell.upstream.name), clean(cell.downstream.name)],
        "facts": [
            ["tested on", _tested(cell, found)],
            ["seeds", str(len(cell.seeds))],
            ["folds", f"{cell.complete_folds}/{len(cell.task.folds)}"],
            ["upstream", f"sha256 {clean(cell.upstream.sha256[:SHORT])}"],
            ["downstream", f"sha256 {clean(cell.downstream.sha256[:SHORT])}"],
        ],
    }


def _tested(cell: Cell, found: Interval | None) -> str:
    first = {fold: cell.records[fold, seed] for fold, seed in reversed(cell.completed)}
    said = count(sum(record.counts.test for record in first.values()), "utterance")
    if cell.unit == "utterance":
        return f"{said}, speakers not known"
    worth = "" if found is None else f" (worth {decimal(found.effective_units, 1)} of equal weight)"
    return f"{said} of {count(len(cell.speakers), 'speaker')}{worth}"
