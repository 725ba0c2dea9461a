"""Figures: they draw what the records hold, in bytes that do not change, whatever names are in them."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from records_factory import cell, failed, record
from scipy import stats

from benchmark.errors import BenchError, MissingError
from benchmark.records import RecordStore
from benchmark.records.cells import Cell
from benchmark.records.grouping import group
from benchmark.statistics import cell_interval, cell_scores
from benchmark.statistics.tasks import Across, across_tasks
from benchmark.text import decimal, measured
from leaderboard import figures
from leaderboard.figures.canvas import BLUE, DARKEST, GREY, INK, PALETTE, VERMILION
from leaderboard.figures.costs import Point, front
from leaderboard.figures.voices import scores_of_speakers
from leaderboard.rows import Section, section

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '$\\alpha$ <script>x</script> & "q" \' {0} %s'
DIMENSIONS = ["arousal", "valence", "dominance"]


def one(*args: Any, **changes: Any) -> Cell:
    return group(cell(*args, **changes)).cells[0]


def counts_by(seed_matters: bool = True) -> Callable[[str, int], dict[str, np.ndarray]]:
    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        truth = np.random.default_rng(len(fold))
        decided = np.random.default_rng([len(fold), seed if seed_matters else 0])
        out = {}
        for name in ("anna", "bela", "carl"):
            sizes = truth.integers(1, 9, 4)
            out[f"{fold}-{name}"] = np.stack(
                [decided.multinomial(n, [0.6 if a == b else 0.4 / 3 for b in range(4)]) for a, n in enumerate(sizes)]
            )
        return out

    return by_speaker


def values(fold: str, seed: int) -> dict[str, np.ndarray]:
    """True and predicted values of three speakers: (n, 3, 2)."""
    truth, noise = np.random.default_rng(len(fold)), np.random.default_rng([len(fold), seed])
    out = {}
    for name in ("anna", "bela", "carl"):
        t = truth.normal(3, 1, (20, 3))
        out[f"{fold}-{name}"] = np.stack([t, 0.5 * t + 1 + noise.normal(0, 0.3, t.shape)], axis=-1)
    return out


def sums(pairs: np.ndarray) -> np.ndarray:
    t, p = pairs[..., 0], pairs[..., 1]
    n = np.full(t.shape[1], len(t))
    return np.stack([n, t.sum(0), p.sum(0), (t * t).sum(0), (p * p).sum(0), (t * p).sum(0)], axis=-1)


COST = {"encode_s": 1.0, "fit_s": 2.0, "peak_bytes": 3, "audio_s": 3600.0, "device": "encode cpu, fit cpu"}
REGRESSION: dict[str, Any] = {
    "task__kind": "regression",
    "task__outputs": DIMENSIONS,
    "task__metrics": ["ccc", "rmse"],
    "primary": "ccc",
}


def dimensional() -> Cell:
    return one(lambda fold, seed: {name: sums(pairs) for name, pairs in values(fold, seed).items()}, **REGRESSION)


def weighted(weights: Callable[[str, int], list[float] | None], **changes: Any) -> Cell:
    def selection(fold: str, seed: int) -> dict[str, Any]:
        return {"on": "uar", "score": 0.5, "epoch": 1, "layer_weights": weights(fold, seed), "chosen": {}}

    records = [
        record(fold=fold, seed=seed, selection=selection(fold, seed), **changes)
        for fold in ("one", "two")
        for seed in (0, 1, 2)
    ]
    return group(records).cells[0]


def learnt(fold: str, seed: int) -> list[float]:
    raw = np.random.default_rng([len(fold), seed, ord(fold[0])]).random(5)
    return list(raw / raw.sum())


def sections(*cells: Cell) -> list[Section]:
    by_task: dict[str, list[Cell]] = {}
    for each in cells:
        by_task.setdefault(each.task.name, []).append(each)
    return [section(by_task[name]) for name in sorted(by_task)]


def systems() -> list[Cell]:
    """Of two tasks, one of them speaker-dependent; a contaminated system, and one without a score."""

    def wrong(fold: str, _: int) -> dict[str, np.ndarray]:
        return {f"{fold}-{name}": 3 * np.roll(np.eye(4, dtype=int), 1, axis=1) for name in ("anna", "bela")}

    small = one(wrong, upstream__name="small", upstream__parameters=0, upstream__sha256="1" * 64, cost=COST)
    large = one(upstream__name="large", upstream__parameters=9_000_000, cost={**COST, "encode_s": 40.0})
    spoilt = one(upstream__name="spoilt", upstream__sha256="2" * 64, upstream__trained_on=["toys"])
    dependent = one(upstream__name="large", task__name="open", task__speaker_independent=False)
    return [small, large, spoilt, dependent]


def across() -> Across:
    scores = {f"t{index}": {"a": 3.0 + index, "b": 2.0, HOSTILE: 1.0} for index in range(1, 6)}
    found = across_tasks(scores, {task: task for task in scores})
    assert found is not None
    return found


DRAWN: dict[str, Callable[[], Figure]] = {
    "confusion": lambda: figures.confusion(one(counts_by())),
    "recalls": lambda: figures.recalls([one(counts_by()), one(counts_by(), upstream__name=HOSTILE)]),
    "layers": lambda: figures.layer_weights([weighted(learnt)]),
    "speakers": lambda: figures.speakers([one(counts_by())]),
    "dimensions": lambda: figures.predicted_true(dimensional()),
    "intervals": lambda: figures.intervals(sections(*systems())[1]),
    "heat-map": lambda: figures.heat_map(sections(*systems())),
    "pareto": lambda: figures.pareto(sections(*systems())),
    "critical-difference": lambda: figures.critical_difference(across()),
}


@functools.cache
def made(kind: str) -> Figure:
    return DRAWN[kind]()


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def tips(figure: Figure, axes: int = 0) -> list[Any]:
    """The artists of an axes that stand for a system or a speaker, from left to right or top to bottom as drawn."""
    return [artist for artist in figure.axes[axes].get_children() if (artist.get_gid() or "").startswith("tip:")]


# -- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DRAWN)
def test_the_same_records_give_the_same_bytes_whatever_the_user_has_set(kind: str) -> None:
    figure = made(kind)
    first = figures.svg(figure)
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "mine", "lines.linewidth": 9}):
        again = DRAWN[kind]()
        assert figures.svg(again) == first
        assert figures.png(again, dpi=50) == figures.png(figure, dpi=50)
        assert mpl.rcParams["font.size"] == 30
    assert dict(mpl.rcParams) == before
    assert figures.svg(figure) == first  # writing changes nothing


@pytest.mark.parametrize("kind", DRAWN)
def test_svg_stands_in_a_page(kind: str) -> None:
    svg = figures.svg(made(kind))
    root = ET.fromstring(svg)
    assert svg.startswith("<svg ")
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(set(ids)) == len(ids)
    named = root.attrib["aria-labelledby"].split()
    assert [element.attrib.get("id") for element in root[:2]] == named
    assert [element.tag for element in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert all(element.text for element in root[:2])
    referred = re.findall(r"url\(#([^)]+)\)", svg) + re.findall(r'href="#([^"]+)"', svg)
    assert set(referred) <= set(ids)
    assert not re.findall(r'href="(?!#)', svg)
    allowed = {"title", "desc", "g", "path", "use", "text", "defs", "clipPath", "rect", "pattern"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} - {"svg"} <= allowed
    assert not [element for element in root.iter() if "style" in element.attrib]
    # the page decides the colours of text and axes, and its background shows through
    assert {element.attrib.get("fill") for element in root.iter(f"{SVG}text")} <= {"currentColor", GREY}
    assert f'"{INK}"' not in svg
    assert all("font-size" in element.attrib for element in root.iter(f"{SVG}text"))
    assert "#000000" not in svg
    assert "#ffffff" not in svg


def test_several_figures_share_no_id() -> None:
    page = [figures.svg(made(kind)) for kind in DRAWN]
    page += [figures.svg(made("confusion"), name=name) for name in ("a", "b")]
    ids = [each for svg in page for each in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(set(ids)) == len(ids)


def test_a_file_of_its_own_is_ink_on_white() -> None:
    root = ET.fromstring(figures.svg(made("confusion"), alone=True))
    assert root.attrib["color"] == INK
    assert (root[0].tag, root[0].attrib["fill"]) == (f"{SVG}rect", "#ffffff")


def test_png_is_opaque_and_as_large_as_asked() -> None:
    figure = made("intervals")
    png = figures.png(figure, dpi=40)
    assert png.startswith(b"\x89PNG")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == tuple(int(40 * side) for side in figure.get_size_inches())
    assert b"Software" not in png


def luminance(colour: str) -> float:
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgba(colour)[:3]]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("background", ["#ffffff", "#121212"])
def test_colours_stand_out_from_light_and_dark(background: str) -> None:
    """At least 3 : 1, what WCAG 2.1 asks of graphics; text on the darkest cell at least 4.5 : 1."""

    def contrast(a: float, b: float) -> float:
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)

    for colour in PALETTE:
        assert contrast(luminance(colour), luminance(background)) >= 3
    ink = INK if background == "#ffffff" else "#eeeeee"
    mixed = DARKEST * np.array(to_rgba(BLUE)[:3]) + (1 - DARKEST) * np.array(to_rgba(background)[:3])
    assert contrast(luminance(mpl.colors.to_hex(mixed)), luminance(ink)) >= 4.5 * (0.95 if ink == INK else 1)


# -- names ------------------------------------------------------------------------------------------------------------


def hostile_figures() -> dict[str, Figure]:
    other = {"upstream__name": HOSTILE, "downstream__name": "h"}
    named = one(counts_by(), task__name=HOSTILE, **other)
    return {
        "confusion": figures.confusion(named),
        "recalls": figures.recalls([named]),
        "speakers": figures.speakers([named]),
        "layers": figures.layer_weights([weighted(learnt, **other)]),
        "intervals": figures.intervals(section([named])),
        "heat-map": figures.heat_map([section([named])]),
        "pareto": figures.pareto([section([named])]),
        "critical-difference": figures.critical_difference(across()),
    }


def test_names_appear_as_they_are() -> None:
    for kind, figure in hostile_figures().items():
        root = ET.fromstring(figures.svg(figure))
        written = "".join(" ".join("".join(element.itertext()).split()) for element in root.iter(f"{SVG}text"))
        assert "$\\alpha$ <scr" in written, kind
        assert " {0} %s" in written.replace("\xa0", " "), kind
        assert not list(root.iter(f"{SVG}script"))
        assert not list(root.iter("script"))
        assert figures.png(figure, dpi=40)


def test_names_of_classes_and_speakers_are_no_formulas_and_no_markup() -> None:
    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        return {f"{fold} $_<b>$": 3 * np.eye(4, dtype=int)}

    gender = {"one $_<b>$": "<i>$x$"}
    named = one(by_speaker, task__outputs=["$a$", "<b>", "c", "d"], clusters__gender=gender)
    drawn = [figures.confusion(named), figures.recalls([named]), figures.speakers([named])]
    written = ["".join(ET.fromstring(figures.svg(figure)).itertext()) for figure in drawn]
    assert all("$a$" in text and "<b>" in text for text in written[:2])
    assert "one $_<b>$" in written[2]
    assert "<i>$x$" in written[2]


def test_long_names_stay_inside_and_other_scripts_draw() -> None:
    long, script = one(upstream__name="b" * 5000), one(upstream__name="日本語 😀\u202e\x07", upstream__sha256="3" * 64)
    figure = figures.recalls([long, script])
    assert all(len(text) < 120 for text in texts(figure))
    assert min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels()) >= 0
    root = ET.fromstring(figures.svg(figure))
    assert "日本語 😀\ufffd\ufffd + superb" in "".join(root.itertext())
    assert figures.png(figure, dpi=40)


# -- one system or some -----------------------------------------------------------------------------------------------


def test_confusion_shows_the_counts_of_all_folds_and_seeds() -> None:
    drawn = one(counts_by())
    total = np.zeros((4, 4))
    for each in drawn.records.values():
        for counts in each.by_speaker.values():
            total += counts
    axes = figures.confusion(drawn).axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown[1::2] == [f"{count:.0f}" for count in total.ravel()]
    share = total / total.sum(axis=1, keepdims=True)
    assert shown[::2] == [decimal(100 * one, 1) for one in share.ravel()]
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    np.testing.assert_allclose([patch.get_facecolor()[3] for patch in squares], share.ravel() * DARKEST)
    centres = [(patch.get_x() + 0.48, patch.get_y() + 0.48) for patch in squares]
    np.testing.assert_allclose(centres, [(column, row) for row in range(4) for column in range(4)])
    assert [label.get_text() for label in axes.get_yticklabels()] == drawn.task.outputs
    assert [label.get_text() for label in axes.get_xticklabels()] == drawn.task.outputs


def test_a_class_that_was_not_tested_is_hatched_and_has_no_recall() -> None:
    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        counts = np.eye(4, dtype=int)
        counts[1] = 0
        return {f"{fold}-{name}": counts for name in ("anna", "bela")}

    drawn = one(by_speaker)
    assert [bool(patch.get_hatch()) for patch in figures.confusion(drawn).axes[0].patches] == [
        *[False] * 4, *[True] * 4, *[False] * 8,
    ]  # fmt: skip
    panel = figures.recalls([drawn]).axes[1]
    assert [text.get_text() for text in panel.texts] == ["not tested"]


@pytest.mark.parametrize("pool", ["utterances", "folds"])
def test_recalls_and_their_intervals_are_those_of_the_speakers_who_have_the_class(pool: str) -> None:
    """Computed again: jackknife over speakers, or independent decisions, on the logit scale; Student's t; one seed."""

    def by_speaker(fold: str, seed: int) -> dict[str, np.ndarray]:
        found = counts_by()(fold, seed)
        found[f"{fold}-bela"][2] *= fold != "two"  # has none of the class
        return found

    drawn = one(by_speaker, seeds=(0,), folds=("one", "two", "three"), task__pool=pool)
    figure = figures.recalls([drawn])
    rows = [np.array(counts)[2] for each in drawn.records.values() for counts in each.by_speaker.values()]
    rows = [row for row in rows if row.sum()]
    assert len(rows) == 8
    hits, sizes = np.array([row[2] for row in rows]), np.array([row.sum() for row in rows])
    recall = hits.sum() / sizes.sum()
    without = (hits.sum() - hits) / (sizes.sum() - sizes)
    likely = (hits.sum() + 0.5) / (sizes.sum() + 1)
    variance = max(7 / 8 * ((without - recall) ** 2).sum(), likely * (1 - likely) / sizes.sum())
    shares = sizes / sizes.sum()
    reach = stats.t.ppf(0.975, 1 / (shares**2).sum() - 1) * np.sqrt(variance) / (recall * (1 - recall))
    ends = 1 / (1 + np.exp(-(np.log(recall / (1 - recall)) + np.array([-reach, reach]))))
    bar, point, guessing = figure.axes[2].lines
    assert guessing.get_xdata() == [25, 25]
    np.testing.assert_allclose(point.get_xdata(), [100 * recall])
    np.testing.assert_allclose(bar.get_xdata(), 100 * ends, rtol=1e-5)
    assert point.get_gid().startswith(f"tip:ears + superb, neutral: {decimal(100 * recall, 1)}")
    assert ("mean over folds" in " ".join(texts(figure))) == (pool == "folds")


def test_a_class_may_be_missing_in_a_fold() -> None:
    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        counts = np.diag([1, 1, 0 if fold == "one" else 2, 1])
        return {f"{fold}-{name}": counts for name in ("anna", "bela")}

    figure = figures.recalls([one(by_speaker)])
    assert [line.get_xdata()[-1] for line in figure.axes[2].lines if line.get_marker() == "o"] == [100.0]


def test_layer_weights_are_means_over_folds_with_the_deviation_over_seeds() -> None:
    figure = figures.layer_weights([weighted(learnt)])
    by_seed = np.array([[learnt(fold, seed) for fold in ("one", "two")] for seed in (0, 1, 2)]).mean(axis=1)
    (bars,) = figure.axes[0].containers
    np.testing.assert_allclose(bars.lines[0].get_ydata(), by_seed.mean(axis=0))
    np.testing.assert_allclose(bars.lines[0].get_xdata(), range(5))
    segments = np.array(bars.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, 1, 1] - segments[:, 0, 1], 2 * by_seed.std(axis=0, ddof=1))
    alike = [line for line in figure.axes[0].lines if "alike" in str(line.get_label())]
    assert [line.get_ydata()[0] for line in alike] == [0.2]


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (lambda: one(upstream__layers=1), "no layer weights of ears + superb: ears has one layer"),
        (one, "no layer weights of ears + superb: superb learns none"),
        (lambda: weighted(lambda fold, _: None if fold == "two" else [0.5, 0.5]), "superb learns none"),
        (lambda: weighted(lambda fold, _: [0.5, 0.5] if fold == "two" else [1.0]), "weights of 1, 2 layers"),
    ],
)
def test_layer_weights_say_why_there_are_none(drawn: Callable[[], Cell], message: str) -> None:
    with pytest.raises(BenchError, match=re.escape(message)):
        figures.layer_weights([drawn()])


def test_speakers_show_each_ones_own_score_in_order() -> None:
    gender = {"one-anna": "female", "one-bela": "male"}
    drawn = one(counts_by(), clusters__gender=gender, task__metrics=["macro_f1", "uar"], primary="macro_f1")
    own: dict[str, list[float]] = {}
    size = {}
    for each in drawn.records.values():
        for name, counts in each.by_speaker.items():
            array = np.array(counts)
            own.setdefault(name, []).append(np.mean(np.diag(array) / array.sum(axis=1)))
            size[name] = array.sum()
    expected = sorted((round(float(np.mean(scores)), 9), name) for name, scores in own.items())
    figure = figures.speakers([drawn])
    points = tips(figure)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [name for _, name in expected]
    np.testing.assert_allclose(
        [point.get_offsets()[0] for point in points], [(i, 100 * score) for i, (score, _) in enumerate(expected)]
    )
    colours = {name: to_rgba(point.get_edgecolor()[0]) for (_, name), point in zip(expected, points, strict=True)}
    assert colours["one-anna"] == to_rgba(VERMILION)
    assert colours["one-bela"] == to_rgba(BLUE)
    assert colours["two-anna"] == to_rgba(GREY)
    assert {"female", "male", "gender not known"} <= set(texts(figure))
    areas = sorted((size[name], point.get_sizes()[0]) for (_, name), point in zip(expected, points, strict=True))
    assert [area for _, area in areas] == sorted(area for _, area in areas)
    line = next(line for line in figure.axes[0].lines if isinstance(line, Line2D))
    assert line.get_ydata()[0] == pytest.approx(100 * cell_scores(drawn, "uar").mean)


def test_a_speaker_with_one_class_has_its_recall() -> None:
    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        counts = np.zeros((4, 4), dtype=int)
        counts[0, :2] = (3, 1)
        return {f"{fold}-anna": counts, f"{fold}-bela": np.eye(4, dtype=int)}

    figure = figures.speakers([one(by_speaker)])
    assert [point.get_offsets()[0][1] for point in tips(figure)] == [75, 75, 100, 100]
    assert "Without all 4 classes: one-anna, two-anna." in " ".join(texts(figure))


def test_speakers_of_many_systems_fit_a_page_as_lines_of_dots() -> None:
    cells = [
        one(counts_by(), upstream__name=f"ears-{index:02}", upstream__sha256=f"{index:064x}") for index in range(40)
    ]
    figure = figures.speakers(cells)
    assert figure.get_size_inches()[1] < 10
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"ears-{index:02} + superb" for index in range(36)
    ]
    assert "the best 36 of 40 systems" in figure.get_label()
    dots = [
        line
        for line in axes.lines
        if (line.get_gid() or "").endswith("ears-00 + superb") and line.get_linestyle() == "None"
    ]
    scores = 100 * np.sort(scores_of_speakers(cells[0])[1])
    np.testing.assert_allclose(np.sort(np.concatenate([line.get_xdata() for line in dots])), scores)
    assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [25]


def test_speakers_need_speakers() -> None:
    with pytest.raises(BenchError, match="toy has no speakers"):
        figures.speakers([one(clusters__unit="utterance")])


def test_speakers_whose_names_are_hidden_have_the_beginning_of_their_digest() -> None:
    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        return {f"{digit}{fold}" + "f" * 28: np.eye(4, dtype=int) for digit in "ab"}

    figure = figures.speakers([one(by_speaker, clusters__salted=True)])
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert sorted(labels) == ["aoneff", "atwoff", "boneff", "btwoff"]


def test_systems_of_one_figure_are_complete_and_of_one_task() -> None:
    incomplete = group([*cell()[:-1], failed(fold="two", seed=2, task__seeds=[0, 1, 2])]).cells[0]
    with pytest.raises(BenchError, match="incomplete: 5 of 6 units"):
        figures.recalls([incomplete])
    with pytest.raises(BenchError, match="2 tasks: other, toy"):
        figures.recalls([one(), one(task__name="other")])
    with pytest.raises(BenchError, match="no system"):
        figures.speakers([])
    with pytest.raises(BenchError, match="toy has no dimensions"):
        figures.predicted_true(one())
    with pytest.raises(BenchError, match="toy has no classes"):
        figures.confusion(dimensional())


def test_many_classes_are_refused() -> None:
    names = [f"c{index}" for index in range(61)]

    def by_speaker(fold: str, _: int) -> dict[str, np.ndarray]:
        return {f"{fold}-anna": np.eye(61, dtype=int)}

    drawn = one(by_speaker, task__outputs=names)
    for draw in (figures.confusion, lambda which: figures.recalls([which])):
        with pytest.raises(BenchError, match="61 classes"):
            draw(drawn)


# -- dimensions -------------------------------------------------------------------------------------------------------


def test_line_and_ellipse_are_those_of_the_utterances() -> None:
    figure = figures.predicted_true(dimensional())
    pairs = np.concatenate(
        [each for fold in ("one", "two") for seed in (0, 1, 2) for each in values(fold, seed).values()]
    )
    for index, axes in enumerate(figure.axes):
        truth, predicted = pairs[:, index, 0], pairs[:, index, 1]
        lines = {str(line.get_label()): np.array(line.get_data()) for line in axes.lines}
        slope, intercept = np.polyfit(truth, predicted, 1)
        x, y = lines["regression"]
        np.testing.assert_allclose(y, slope * x + intercept)
        covariance = np.cov(truth, predicted, ddof=0)
        away = lines["one standard deviation"] - np.array([[truth.mean()], [predicted.mean()]])
        np.testing.assert_allclose(np.einsum("in,ij,jn->n", away, np.linalg.inv(covariance), away), 1)
        np.testing.assert_allclose(lines["means"].ravel(), [truth.mean(), predicted.mean()])
    assert "published records hold no predictions" in " ".join(texts(figure))


def test_each_dimension_has_its_ccc_with_an_interval() -> None:
    drawn = dimensional()
    figure = figures.predicted_true(drawn)
    by_seed = []
    for seed in (0, 1, 2):
        pairs = np.concatenate([each for fold in ("one", "two") for each in values(fold, seed).values()])[:, 1]
        (a, both), (_, b) = np.cov(pairs.T, ddof=0)
        by_seed.append(2 * both / (a + b + (pairs[:, 0].mean() - pairs[:, 1].mean()) ** 2))
    title = figure.axes[1].get_title()
    assert title.startswith(f"valence\nCCC {decimal(float(np.mean(by_seed)), 3)} [")


def written_predictions(folder: Path, drawn: Cell, spoil: Callable[[str], str] = str) -> None:
    store = RecordStore(folder)
    for (fold, seed), each in drawn.records.items():
        header = ",".join(["id", "speaker", *(f"true_{d}" for d in DIMENSIONS), *(f"score_{d}" for d in DIMENSIONS)])
        lines = [
            ",".join(["u", speaker, *map(repr, map(float, pair[:, 0])), *map(repr, map(float, pair[:, 1]))])
            for speaker, pairs in values(fold, seed).items()
            for pair in pairs
        ]
        store.write(each, spoil("\n".join([header, *lines]) + "\n").encode())


def test_predictions_of_the_first_seed_are_points(tmp_path: Path) -> None:
    drawn = dimensional()
    assert figures.read_predictions(tmp_path, drawn) is None
    written_predictions(tmp_path, drawn)
    found = figures.read_predictions(tmp_path, drawn)
    assert found is not None
    figure = figures.predicted_true(drawn, found)
    expected = np.concatenate([each for fold in ("one", "two") for each in values(fold, 0).values()])
    for index, axes in enumerate(figure.axes):
        np.testing.assert_allclose(axes.collections[0].get_offsets(), expected[:, index])
    assert "points: the test utterances of seed 0" in " ".join(texts(figure))


def test_many_predictions_are_counted_in_hexagons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboard.figures.dimensions.MANY", 100)
    drawn = dimensional()
    found = {unit: np.concatenate(list(values(*unit).values())) for unit in drawn.units}
    figure = figures.predicted_true(drawn, found)
    assert figure.axes[0].collections[0].get_array().sum() == 120


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace("true_arousal", "arousal"), "no true and predicted value"),
        (lambda text: text.replace("one-anna,", "one-anna,x"), "line 2: no true and predicted value"),
        (lambda text: text[: text.rindex("\n", 0, -1)] + "\n", "does not hold what its record counted"),
    ],
)
def test_predictions_that_are_not_the_records_are_refused(
    tmp_path: Path, spoil: Callable[[str], str], message: str
) -> None:
    drawn = dimensional()
    written_predictions(tmp_path, drawn, spoil)
    with pytest.raises(BenchError, match=message):
        figures.read_predictions(tmp_path, drawn)


# -- tasks ------------------------------------------------------------------------------------------------------------


def test_intervals_show_scores_ends_and_letters() -> None:
    drawn = sections(*systems())[1]
    figure = figures.intervals(drawn)
    axes = figure.axes[0]
    places = [place for each in drawn.groups for place in each.places]
    points = tips(figure)
    expected = [cell_scores(place.row.cell, "uar").mean for place in places]
    np.testing.assert_allclose([point.get_xdata()[0] for point in points], np.multiply(100, expected))
    guessing, *lines = axes.lines
    assert guessing.get_xdata() == [25, 25]
    bars = [line for line in lines if len(line.get_xdata()) == 2]
    ends = [cell_interval(place.row.cell, "uar") for place in places]
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], [(100 * e.low, 100 * e.high) for e in ends if e])
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["fixed", "large + superb", "small + superb", "contaminated", "spoilt + superb"]
    beside = [text.get_text() for text in axes.texts]
    assert beside == [
        each for place in places for each in (measured(place.row.scores["uar"].mean, True), place.letters)
    ]


def test_what_is_not_complete_shows_how_far_it_is() -> None:
    incomplete = group([*cell(upstream__name="half")[:-1]]).cells[0]
    figure = figures.intervals(section([one(), incomplete]))
    assert "5/6 units" in texts(figure)
    with pytest.raises(BenchError, match="no system on toy is complete"):
        figures.intervals(section([incomplete]))


def test_heat_map_has_a_scale_for_each_task_and_hatches_what_is_missing() -> None:
    figure = figures.heat_map(sections(*systems()))
    axes = figure.axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["large + superb", "spoilt + superb", "small + superb"]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == ["toy\nUAR", "open\nUAR"]  # the speaker-dependent one stands apart
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [bool(patch.get_hatch()) for patch in squares] == [False, False, False, False, True, True]
    alphas = [patch.get_facecolor()[3] for patch in squares[:4]]
    assert alphas == pytest.approx([DARKEST, DARKEST, 0.06, (DARKEST + 0.06) / 2])
    assert squares[3].get_x() - squares[0].get_x() > 1.2
    score = measured(cell_scores(one(), "uar").mean, True)
    assert [text.get_text() for text in axes.texts] == [score, f"{score}*", "0.0", score, "speaker-\ndependent"]


def test_heat_map_of_errors_is_dark_where_they_are_small() -> None:
    exact = {**REGRESSION, "task__metrics": ["rmse"], "primary": "rmse"}
    far = one(lambda f, s: {n: sums(p) for n, p in values(f, s).items()}, upstream__name="far", **exact)
    near = one(
        lambda f, s: {n: sums(np.repeat(p[..., :1], 2, axis=-1)) for n, p in values(f, s).items()},
        upstream__name="near",
        **exact,
    )
    axes = figures.heat_map([section([far, near])]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["near + superb", "far + superb"]
    assert [patch.get_facecolor()[3] for patch in axes.patches] == pytest.approx([DARKEST, 0.06])


def test_a_board_without_scores_has_no_figures() -> None:
    incomplete = section([group(cell()[:-1]).cells[0]])
    for draw in (figures.heat_map, figures.pareto):
        with pytest.raises(BenchError, match="no system is complete on any task"):
            draw([incomplete])


def test_the_front_is_what_none_beats_at_its_cost_or_below() -> None:
    rng = np.random.default_rng(5)
    for higher in (True, False):
        points = [
            Point(f"s{i}", rng.choice(["fixed", "contaminated"], p=[0.8, 0.2]), float(c), float(s), None, None)
            for i, (c, s) in enumerate(rng.integers(0, 8, (40, 2)))
        ]
        clean = [point for point in points if point.group != "contaminated"]

        def beaten(one: Point, among: list[Point], higher: bool = higher) -> bool:
            better = [(p.score > one.score) if higher else (p.score < one.score) for p in among]
            return any(
                p.cost <= one.cost and (b or (p.score == one.score and (p.cost < one.cost or p.name < one.name)))
                for p, b in zip(among, better, strict=True)
            )

        assert set(front(points, higher_is_better=higher)) == {one for one in clean if not beaten(one, clean)}


def test_pareto_shows_cost_and_score_and_names_the_front() -> None:
    control = one(upstream__name="chance", upstream__parameters=0, upstream__sha256="5" * 64)
    figure = figures.pareto(sections(*systems(), control))
    seconds, parameters = figure.axes[0], figure.axes[1]
    assert [seconds.get_xscale(), parameters.get_xscale()] == ["log", "log"]
    points = [point for point in tips(figure, 1) if isinstance(point, mpl.lines.Line2D) and len(point.get_xdata()) == 1]
    found = {re.split(r"[:\u2063]", point.get_gid())[1].split(" +")[0]: point for point in points}
    at = {name: point.get_xdata()[0] for name, point in found.items()}
    assert at["large"] == 9e6
    assert parameters.get_xticks()[0] == at["small"] < at["large"]
    assert parameters.get_xticklabels()[0].get_text() == "none"
    colours = {name: point.get_color() for name, point in found.items()}
    assert colours == {"small": BLUE, "large": BLUE, "spoilt": GREY}
    assert sorted(text.get_text() for text in parameters.texts) == ["large + superb", "small + superb"]
    assert all(
        text.xy[1] >= point.get_ydata()[0]
        for text, point in zip(parameters.texts, (found["small"], found["large"]), strict=True)
    )
    assert [line.get_ydata() for line in parameters.lines if line.get_linestyle() == ":" and line.get_ydata()[0] == 25]
    assert "cpu" in figure.get_label()
    assert seconds.get_xlabel() == "encoding [s for 1 h of audio]"


def test_pareto_names_what_it_cannot_place() -> None:
    unknown = one(upstream__name="bare", upstream__parameters=None, cost={**COST, "encode_s": None})
    figure = figures.pareto([section([unknown])])
    assert "Not shown, number of parameters not known: bare + superb." in figure.get_label()
    assert "Not shown, encoding time not known: bare + superb." in figure.get_label()
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["not known", "not known"]


def test_critical_difference_shows_mean_ranks_and_joins_what_does_not_differ() -> None:
    found = across()
    figure = figures.critical_difference(found, track="fixed")
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown[:2] == ["a (1.00)", "b (2.00)"]
    assert shown[2].startswith("(3.00) $\\alpha$ <scr")
    markers = [tuple(collection.get_offsets()[0]) for collection in axes.collections]
    assert sorted(markers) == [(1, 0), (2, 0), (3, 0)]
    bars = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2.5]
    different = found.p_nemenyi[0, 2] < 0.05
    assert [(min(bar), max(bar)) for bar in bars] == ([(1, 2), (2, 3)] if different else [(1, 3)])
    assert f"{decimal(found.critical_distance, 2)}. Friedman: p = {decimal(found.friedman_p, 4)}" in figure.get_label()
    assert "Mean ranks over 5 corpora, fixed" in texts(figure)


def test_critical_difference_needs_systems_and_tasks() -> None:
    with pytest.raises(BenchError, match=r"too little .* at least 3 systems .* same tasks of 5 corpora"):
        figures.critical_difference(None)


@pytest.mark.parametrize("package", ["matplotlib", "scikit_posthocs"])
def test_what_is_not_installed_is_named_with_the_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = across()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=re.escape('pip install "serbench[figures]"')):
        figures.critical_difference(found)
