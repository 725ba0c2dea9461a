"""What changed in significance between two boards, in sentences for those who review a new result."""

from __future__ import annotations

from collections.abc import Iterator, Set

from benchmark.statistics import TaskAnalysis
from benchmark.text import clean, count, measured, p_text
from leaderboard.board import Board
from leaderboard.render import escape
from leaderboard.rows import Place, Section

SHOWN = 50  # of the sentences on one task; a corrected protocol changes everything


def changes(before: Board, after: Board) -> str:
    """Write what changed, as Markdown in which names can do nothing: "A now beats B on iemocap, p = 0.0100".

    p-values are corrected for all pairs of a table, so that a new system may also undo a difference between old ones.
    """
    old, new = ({section.task.name: section for section in one.sections} for one in (before, after))
    parts = ["## What changes on the leaderboard"]
    for name in sorted(old.keys() | new.keys()):
        lines = list(_of_task(old.get(name), new.get(name)))
        if lines:
            more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
            listed = "\n".join(f"- {_inert(line)}" for line in (*lines[:SHOWN], *more))
            parts.append(f"### {_inert(clean(name))}\n\n{listed}")
    if len(parts) == 1:
        parts.append("Nothing: the same systems, scores and verdicts.")
    return "\n\n".join(parts) + "\n"


def _inert(text: str) -> str:
    """Text that neither formats nor calls anybody: a name such as "@team" would notify people."""
    return escape(text).replace("@", "&#64;")


def _of_task(old: Section | None, new: Section | None) -> Iterator[str]:
    if new is None:
        yield "no longer on the leaderboard"
        return
    old_places, new_places = _places(old), _places(new)
    if old is not None and old.task.sha256 != new.task.sha256:
        yield f"the protocol is another one: {old.task.sha256[:12]} before, {new.task.sha256[:12]} now"
    for name in sorted(old_places.keys() - new_places.keys()):
        yield f"{clean(name)} is no longer there"
    for name, place in sorted(new_places.items()):
        if name not in old_places:
            yield from _arrival(name, place, new.analysis, new_places.keys() - old_places.keys())
        elif (text := _score(place, new)) != (before := _score(old_places[name], old or new)):
            yield f"{clean(name)}: {new.analysis.metric.title} {text} (before: {before})"
    if old is not None:
        yield from _verdicts(old.analysis, new.analysis)


def _arrival(name: str, place: Place, analysis: TaskAnalysis, also_new: Set[str]) -> Iterator[str]:
    if not place.row.scores:
        yield f"{clean(name)} is new, but not complete"
        return
    others = [one.name for one in analysis.cells if one.name != name]
    differ = sum(analysis.pairs[name, other].significant for other in others)
    rank = "a control" if place.rank is None else f"rank {place.rank} (possible {place.best}–{place.worst})"
    yield (
        f"{clean(name)} is new: {rank} among {place.row.cell.track}; "
        f"it differs from {differ} of {count(len(others), 'other system')}"
    )
    for other in others:
        if other in also_new and other < name:
            continue  # said where that one arrives
        pair = analysis.pairs[name, other]
        if pair.significant and pair.p_adjusted is not None:
            first, second = (name, other) if analysis.better(name, other) else (other, name)
            yield f"{clean(first)} beats {clean(second)} on {clean(pair.task)}, {p_text(pair.p_adjusted)}"


def _verdicts(old: TaskAnalysis, new: TaskAnalysis) -> Iterator[str]:
    """Pairs that were there before and are judged otherwise now."""
    for (a, b), pair in sorted(new.pairs.items()):
        if (a, b) not in old.pairs or pair.p_adjusted is None:
            continue
        before, now = old.better(a, b), new.better(a, b)
        p = p_text(pair.p_adjusted)
        if now and not before:
            yield f"{clean(a)} now beats {clean(b)} on {clean(pair.task)}, {p}"
        elif before and not now:
            yield f"{clean(a)} no longer beats {clean(b)} on {clean(pair.task)}, {p}"


def _places(section: Section | None) -> dict[str, Place]:
    groups = section.groups if section else ()
    return {place.row.cell.name: place for group in groups for place in group.places}


def _score(place: Place, section: Section) -> str:
    metric = section.analysis.metric
    if not place.row.scores:
        return "not complete"
    return measured(place.row.scores[metric.name].mean, metric.percent)
