"""What the script of the page knows: what stands behind each row, and the comparison of every two systems of a task."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.analyses.weights import layer_weights
from benchmark.errors import BenchError
from benchmark.metrics import Metric
from benchmark.records.cells import Cell
from benchmark.statistics import Interval, TaskAnalysis
from benchmark.text import bytes_text, clean, count, decimal, human, measured
from leaderboard.chance import chance_level
from leaderboard.figures.voices import label_of, scores_of_speakers
from leaderboard.hours import Took, duration, took
from leaderboard.overview import Track
from leaderboard.page.believed import believed_data
from leaderboard.page.columns import COST, PROBABILITIES, Column
from leaderboard.page.models import bare, size
from leaderboard.page.scale import Scale, scale_of
from leaderboard.rows import Group, Place, Row, Section, encode_s_per_hour

if TYPE_CHECKING:
    from leaderboard.page.contents import Line
    from leaderboard.tables import TaskTable
    from leaderboard.twins import Twin

SHORT = 12  # digits of a digest
PLACES = 5  # decimals of what is known of a pair, as integers
SPEAKER_PLACES = 3  # of the score of a speaker, likewise
APART = (COST, PROBABILITIES)  # columns that a card tells elsewhere
MOST_SPEAKERS = 150  # of whom each is shown; of more, as many at even distances by score


@dataclass(frozen=True, eq=False)
class People:
    """The speakers of a task.

    Attributes:
        metric: Of what a speaker alone would give.
        labels: Their names, as far as each is shown, from the lowest score over all systems to the highest.
        genders: Of them; empty texts where not known.
        total: How many there are.
        scores: Of each complete system, by name, in the order of the labels; where not each is shown, from the lowest.
        scale: For all of them.
        chance: What guessing would score for one of them; None where that is not known.
    """

    metric: Metric
    labels: tuple[str, ...]
    genders: tuple[str, ...]
    total: int
    scores: dict[str, tuple[float, ...]]
    scale: Scale
    chance: float | None


def speakers_of(section: Section) -> People | None:
    """The speakers of a task with their own scores; None where the corpus knows none, or no system is complete."""
    cells = section.analysis.cells
    if not cells or any(cell.cluster != "speaker" or cell.speakers != cells[0].speakers for cell in cells):
        return None
    found = {cell.name: scores_of_speakers(cell) for cell in cells}
    metric = next(iter(found.values()))[0]
    table = np.array([scores for _, scores, _ in found.values()])
    total = table.shape[1]
    labels: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()
    if total > MOST_SPEAKERS:
        chosen = np.linspace(0, total - 1, MOST_SPEAKERS).round().astype(int)
        table = np.sort(table, axis=1)[:, chosen]
    else:
        places = np.argsort(np.round(table.mean(axis=0), 9), kind="stable")
        table, names = table[:, places], [cells[0].speakers[place] for place in places]
        labels = tuple(clean(label_of(cells[0], name)) for name in names)
        gender = {name: one for cell in cells for name, one in cell.gender.items()}
        genders = tuple(clean(gender.get(name, "")) for name in names)
    scale = scale_of([float(table.min()), float(table.max()), *((0.0, 1.0) if metric.percent else ())], metric)
    scores = dict(zip(found, map(tuple, table.tolist()), strict=True))
    return People(metric, labels, genders, total, scores, scale, chance_level(section.task, metric.name))


def task_data(
    section: Section, words: TaskTable, anchor: str, scale: Scale, twin: Twin | None, people: People | None
) -> dict[str, Any]:
    """What the script knows of a task: its protocol, and the comparison of every two of its systems."""
    task, analysis = section.task, section.analysis
    names = [cell.name for cell in analysis.cells]
    # Each pair once: which is better (1 the first, 0 nobody knows), and five numbers as integers, or null.
    pairs = [_pair(analysis, a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    any_pair = next(iter(analysis.pairs.values()), None)
    return {
        "name": clean(task.name),
        "title": words.heading,
        "anchor": anchor,
        "metric": analysis.metric.title,
        "percent": analysis.metric.percent,
        "higher": analysis.metric.higher_is_better,
        "level": None if any_pair is None else round(100 * any_pair.level),
        "facts": [
            ["protocol", f"version {task.version}, sha256 {clean(task.sha256[:SHORT])}"],
            ["recordings", f"sha256 {clean(task.corpus.audio_sha256[:SHORT])}"],
        ],
        "grid": scale.grid,
        "ticks": scale.ticks,
        "chance": scale.chance,
        "guessed": scale.guessed,
        "share": chance_level(task, "wa"),
        "twin": None if twin is None else clean(twin.name),
        "people": None if people is None else _people_data(people),
        "systems": [clean(name) for name in names],
        "pairs": pairs,
    }


def _people_data(people: People) -> dict[str, Any]:
    return {
        "metric": people.metric.title,
        "percent": people.metric.percent,
        "labels": people.labels,
        "genders": people.genders,
        "total": people.total,
        "low": round(people.scale.low, SPEAKER_PLACES),
        "high": round(people.scale.high, SPEAKER_PLACES),
        "ticks": people.scale.ticks,
        "chance": people.chance,
    }


def _pair(analysis: TaskAnalysis, a: str, b: str) -> list[int | None]:
    pair = analysis.pairs[a, b]
    verdict = int(analysis.better(a, b)) - int(analysis.better(b, a))
    values = (pair.delta, pair.low, pair.high, pair.p, pair.p_adjusted)
    return [verdict, *map(_whole, values)]


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value * 10**PLACES)


def row_data(
    place: Place,
    line: Line,
    group: Group,
    columns: Sequence[Column],
    of: tuple[int, Section],
    known: float | None,
    people: People | None,
) -> dict[str, Any]:
    """What the script shows of a row: what stands behind its score in words, and what its card draws."""
    row, cell, (number, section) = place.row, place.row.cell, of
    metric = section.analysis.metric
    names = [one.name for one in section.analysis.cells]
    found = row.intervals.get(metric.name)
    mark = line.mark
    scores = None if people is None else people.scores.get(cell.name)
    return {
        "task": number,
        "system": names.index(cell.name) if cell.name in names else None,
        "names": [clean(cell.upstream.name), clean(cell.downstream.name)],
        "family": line.family,
        "group": group.name,
        "rank": None if place.rank is None else f"{place.rank} of {len(group.ranked)}",
        "span": line.span.text,
        "letters": line.letters,
        "leads": line.leads,
        "score": line.score.text,
        "interval": line.interval.text,
        "mean": _whole(row.scores[metric.name].mean) if row.scores else None,
        "mark": None if mark is None else [mark.middle, mark.low, mark.high],
        "known": None if known is None else measured(known, metric.percent),
        "flags": cell.flags(),
        "numbers": [[column.title, column.entry(row).text] for column in columns if column.kind not in APART],
        "size": size(cell.upstream),
        "facts": [
            ["tested on", _tested(cell, found)],
            ["seeds", str(len(cell.seeds))],
            ["folds", f"{cell.complete_folds}/{len(cell.task.folds)}"],
            ["upstream", f"sha256 {clean(cell.upstream.sha256[:SHORT])}"],
            ["downstream", f"sha256 {clean(cell.downstream.sha256[:SHORT])}"],
        ],
        "cost": _cost(cell),
        "command": command(cell),
        "speakers": None if scores is None else [round(one * 10**SPEAKER_PLACES) for one in scores],
        "layers": _layers(row),
        "believed": believed_data(row),
    }


def command(cell: Cell) -> str:
    """What makes a row again: all its folds and seeds, under the task's own protocol."""
    named = (
        ("--task", cell.task.name),
        ("--upstream", bare(cell.upstream.name)),
        ("--downstream", cell.downstream.name),
    )
    return " ".join(["bench run", *(f"{option} {shlex.quote(clean(value))}" for option, value in named)])


def _cost(cell: Cell) -> list[list[str]]:
    """What the row took where it was run, as its records say."""
    costs = [record.cost for record in cell.records.values()]
    encoding, time = encode_s_per_hour(cell), took(cell)
    peak = max((cost.peak_bytes for cost in costs if cost.peak_bytes is not None), default=None)
    head = cell.downstream.parameters
    said = {
        "encoding": None if encoding is None else f"{encoding:.3g} s for an hour of speech",
        "computing": _computing(time, len(costs)),
        "head": None if head is None else f"{human(head)} parameters",
        "memory": None if peak is None else f"{bytes_text(peak)} at most",
        "device": ", ".join(sorted({clean(cost.device) for cost in costs if cost.device})) or None,
        "made": f"{clean(cell.created[:10])}, serbench {', '.join(_versions(cell))}",
    }
    return [[name, value] for name, value in said.items() if value is not None]


def _computing(time: Took, units: int) -> str | None:
    """How long a row took: encoding, which other rows may share, and fitting."""
    encoding = None if time.encode_s is None else f"{duration(time.encode_s)} encoding"
    fitting = None if time.fit_s is None else f"{duration(time.fit_s)} fitting {count(units, 'unit')}"
    return ", ".join(text for text in (encoding, fitting) if text) or None


def _versions(cell: Cell) -> list[str]:
    return sorted({clean(record.provenance.version) for record in cell.records.values()})


def _layers(row: Row) -> list[int] | None:
    """The weight of each layer in thousandths, the mean over folds and seeds; None where the head learns none."""
    if not row.scores:
        return None
    try:
        weights = layer_weights(row.cell).mean(axis=0)
    except BenchError:
        return None
    return [round(1000 * weight) for weight in weights.tolist()]


def _tested(cell: Cell, found: Interval | None) -> str:
    first = {fold: cell.records[fold, seed] for fold, seed in reversed(cell.completed)}
    said = count(sum(record.counts.test for record in first.values()), "utterance")
    if cell.cluster == "utterance":
        return f"{said}, speakers not known"
    worth = "" if found is None else f" (worth {decimal(found.effective_clusters, 1)} of equal weight)"
    return f"{said} of {count(len(cell.speakers), 'speaker')}{worth}"


def tracks_data(tracks: Sequence[Track]) -> list[dict[str, Any]]:
    """What the tests over corpora say of every two systems of a track: on how many one is better, and Wilcoxon's p."""
    found = []
    for track in tracks:
        names = [one.name for one in track.standings]
        number = {name: index for index, name in enumerate(names)}
        found.append(
            {
                "name": track.name,
                "systems": [clean(name) for name in names],
                "wins": [[number[one.a], number[one.b], one.count, len(one.corpora)] for one in track.wins],
                "signed": [[number[one.a], number[one.b], _whole(one.p_adjusted), one.corpora] for one in track.signed],
            }
        )
    return found
