"""The picture above the leaderboard: every score with its interval, and what the same system scores on known speakers.

It is written by hand and not by matplotlib, because its bytes are compared like those of the tables: they must not
depend on the version of a library. `leaderboard.figures` has the other figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from benchmark.metrics import Metric, find
from benchmark.text import clean, decimal, interval, measured
from leaderboard.chance import chance_level
from leaderboard.figures.canvas import shown as shown_name
from leaderboard.languages import in_order
from leaderboard.overview import counts
from leaderboard.rows import Place, Section
from leaderboard.twins import Twin, complete, system, twin_of

MOST, LEAST, ROWS = 16, 5, 64  # systems of a task, the best ones: at most, at least, and of all tasks together, about
# A column of text: narrow enough that its letters can be read on a phone. Lengths are in pixels.
WIDTH, MARGIN = 480, 12
LEFT, RIGHT = 198, 424  # where the axis begins and ends
LINE, HEAD, FOOT = 24, 58, 30  # heights of a row, of what stands above the rows of a task and of the axis below them
KEY = 38  # height of the first line of the legend
NAME = 26  # characters
TICKS = 5
# Text and lines, background, score, score on known speakers: on light pages and on dark ones. The two scores are of
# Okabe, Ito (2008), "Color universal design", the dark ones lightened.
LIGHT = {"ink": "#1b1b1d", "faint": "#d5d5da", "paper": "#ffffff", "score": "#0072b2", "known": "#d55e00"}
DARK = {"ink": "#e8e8ea", "faint": "#45454c", "paper": "#0d1117", "score": "#56b4e9", "known": "#ff9e4a"}
OnAxis = Callable[[float], str]


@dataclass(frozen=True, eq=False)
class Panel:
    """A task with its systems, the best first, and their scores where test speakers are also in train.

    Attributes:
        section: The task.
        places: Its complete systems, without contaminated ones.
        twin: The task on the same corpus and classes with known speakers; None where there is none.
        shown: How many of the systems are drawn.
    """

    section: Section
    places: tuple[Place, ...]
    twin: Twin | None
    shown: int

    @property
    def metric(self) -> Metric:
        """By which the task ranks."""
        return find(self.section.task.metrics[0])

    @property
    def drawn(self) -> tuple[Place, ...]:
        """The systems that are drawn."""
        return self.places[: self.shown]


def picture(sections: Sequence[Section]) -> str | None:
    """Draw the tasks that count in mean ranks; where none does, all of them.

    Args:
        sections: The tasks of a board.

    Returns:
        An SVG that follows the reader's light or dark colours; None where no system is complete.
    """
    ordered = in_order(sections)
    chosen = [section for section in ordered if counts(section.task) and _ranked(section)] or ordered
    shown = min(MOST, max(LEAST, ROWS // max(1, len(chosen))))
    drawn = [panel for section in chosen if (panel := _panel(section, sections, shown))]
    if not drawn:
        return None
    twins = any(panel.twin for panel in drawn)
    guessing = any(chance_level(panel.section.task) is not None for panel in drawn)
    body, top = _key(twins, guessing), float(KEY + LINE * (twins + guessing))
    for panel in drawn:
        body += _drawn(panel, top)
        top += HEAD + LINE * len(panel.drawn) + FOOT
    title = f"Scores with 95 % intervals: {', '.join(clean(panel.section.task.name) for panel in drawn)}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:g}" width="{WIDTH}" height="{top:g}" '
        f'role="img" font-family="sans-serif" font-size="13">'
    )
    style = f"<style>{_rules(LIGHT)}@media(prefers-color-scheme:dark){{{_rules(DARK)}}}text.ink{{stroke:none}}</style>"
    paper = f'<rect class="paper" width="{WIDTH}" height="{top:g}"/>'
    return "\n".join([opening, f"<title>{escape(title)}</title>", style, paper, *body, "</svg>"]) + "\n"


def _rules(colours: dict[str, str]) -> str:
    return "".join(f".{name}{{fill:{colour};stroke:{colour}}}" for name, colour in colours.items())


def _panel(section: Section, sections: Sequence[Section], shown: int) -> Panel | None:
    """A task with the first of those that differ from it in that test speakers are also in train."""
    places = _ranked(section)
    if not places:
        return None
    metric = find(section.task.metrics[0])
    sign = -1 if metric.higher_is_better else 1
    places.sort(key=lambda place: (round(sign * place.row.scores[metric.name].mean, 9), place.row.cell.name))
    return Panel(section, tuple(places), twin_of(section, sections), shown)


def _ranked(section: Section) -> list[Place]:
    return [place for place in complete(section) if not place.row.cell.contaminated]


def _key(twins: bool, guessing: bool) -> list[str]:
    """What dots and lines mean."""
    rows = [("score", 'r="4.5"', "test speakers held out, with 95 % interval")]
    if twins:
        rows.append(("known", 'r="4" fill-opacity="0" stroke-width="1.8"', "the same, with test speakers in train too"))
    else:
        rows = [("score", 'r="4.5"', "score, with 95 % interval")]
    made = []
    for index, (kind, shape, words) in enumerate(rows):
        y = 22 + LINE * index
        if kind == "score":
            made.append(f'<path class="score" d="M{MARGIN} {y}h28" stroke-width="2"/>')
        made.append(f'<circle class="{kind}" cx="{MARGIN + 14}" cy="{y}" {shape}/>')
        made.append(_text(MARGIN + 38, y, words))
    if guessing:
        y = 22 + LINE * len(rows)
        made.append(f'<path class="ink" d="M{MARGIN + 14} {y - 9}v18" stroke-width="1" stroke-dasharray="2 3"/>')
        made.append(_text(MARGIN + 38, y, "guessing"))
    return made


def _drawn(panel: Panel, top: float) -> list[str]:
    metric, task, shown = panel.metric, panel.section.task, panel.drawn
    level = chance_level(task)
    low, high, step = _scale(panel)

    def x(value: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * (value - low) / (high - low):.1f}"

    more = f", the best {len(shown)} of {len(panel.places)} systems" if len(panel.places) > len(shown) else ""
    synthetic = " (synthetic)" if task.corpus.synthetic else ""
    beside = f"; hollow: {shown_name(panel.twin.name, 30)}" if panel.twin else ""
    unit = " in %" if metric.percent else ""
    first, last = top + HEAD, top + HEAD + LINE * len(shown)
    made = [
        f'<path class="faint" d="M{MARGIN} {top:g}H{WIDTH - MARGIN}" stroke-width="1"/>',
        _text(MARGIN, top + 22, f"{shown_name(task.name, 40)}{synthetic}", 'font-weight="bold" font-size="15"'),
        _text(MARGIN, top + 42, f"{metric.title}{unit}{more}{beside}"),
    ]
    for index in range(round((high - low) / step) + 1):
        value = low + index * step
        made.append(f'<path class="faint" d="M{x(value)} {first:g}V{last:g}" stroke-width="1"/>')
        label = decimal(100 * value, 0) if metric.percent else f"{round(value, 6):g}"
        made.append(_text(x(value), last + 14, label, 'text-anchor="middle"'))
    if level is not None:
        made.append(f'<path class="ink" d="M{x(level)} {first:g}V{last:g}" stroke-width="1" stroke-dasharray="2 3"/>')
    for index, place in enumerate(shown):
        made += _row(panel, place, first + LINE * (index + 0.5), x)
    return made


def _row(panel: Panel, place: Place, y: float, x: OnAxis) -> list[str]:
    metric = panel.metric
    score, ends = place.row.scores[metric.name].mean, place.row.intervals[metric.name]
    known = None if panel.twin is None else panel.twin.scores.get(system(place))
    words = f"{clean(place.row.cell.name)}: {measured(score, metric.percent)}"
    words += f" {interval(ends.low, ends.high, metric.percent)}" if ends else ""
    words += (
        f"; {clean(panel.twin.name)}: {measured(known, metric.percent)}" if panel.twin and known is not None else ""
    )
    made = [f"<g><title>{escape(words)}</title>", _text(MARGIN, y, shown_name(place.row.cell.name, NAME))]
    if ends:
        made.append(f'<path class="score" d="M{x(ends.low)} {y:g}H{x(ends.high)}" stroke-width="2"/>')
    if known is not None:
        made.append(f'<circle class="known" cx="{x(known)}" cy="{y:g}" r="4" fill-opacity="0" stroke-width="1.8"/>')
    made.append(f'<circle class="score" cx="{x(score)}" cy="{y:g}" r="4.5"/>')
    made.append(_text(WIDTH - MARGIN, y, measured(score, metric.percent), 'text-anchor="end"'))
    return [*made, "</g>"]


def _scale(panel: Panel) -> tuple[float, float, float]:
    """Where the axis begins and ends, and the distance of its ticks: round numbers."""
    if panel.metric.percent:
        return 0.0, 1.0, 0.25
    values = [0.0, *(panel.twin.scores.values() if panel.twin else ())]
    for place in panel.drawn:
        ends = place.row.intervals[panel.metric.name]
        values += [place.row.scores[panel.metric.name].mean, *((ends.low, ends.high) if ends else ())]
    low, high = min(values), max(values)
    rough = (high - low or 1.0) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return step * math.floor(low / step), step * math.ceil((high or step) / step), step


def _text(x: float | str, y: float, words: str, attributes: str = "") -> str:
    place = x if isinstance(x, str) else f"{x:g}"
    return f'<text class="ink" x="{place}" y="{y + 4.5:g}" {attributes}>{escape(words)}</text>'.replace(" >", ">")
