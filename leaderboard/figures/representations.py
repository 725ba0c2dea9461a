"""Representations: how far two are apart, how alike their layers are, and how they lie in a plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.text import count, decimal
from leaderboard.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    LINES,
    MARKERS,
    PALETTE,
    PURPLE,
    VERMILION,
    bare,
    blank,
    drawn,
    made_by,
    percent,
    shown,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.analyses import EmbeddingDistance, Neighbours

# For labels of more than four kinds: those of the canvas, lighter ones, and then no other.
MANY = (BLUE, VERMILION, GREEN, PURPLE, GREY, "#56b4e9", "#e69f00", "#000000")
MOST_KINDS = 24  # more could not be told apart: colours times markers
MOST_BESIDE = 3  # panels in a row


@drawn
def embedding_distance(found: EmbeddingDistance, a: str, b: str, task: str, command: str) -> Figure:
    """The histogram of distances, its threshold, and the match of decisions on both sides.

    Args:
        found: What was compared.
        a: The first upstream.
        b: The second one.
        task: The task's name.
        command: What made it.
    """
    rule = "given" if found.is_given else "the smallest that takes in 70 %"
    figure = blank(
        3.0,
        f"Cosine distance of {shown(a)} and {shown(b)} on {shown(task)}",
        f"Share of the {len(found.distances)} utterances in each of ten bins, drawn at its middle. Threshold: {rule}; "
        f"{percent(found.within)} % of the utterances are within.",
        _matches(found),
        made_by(command),
    )
    axes = figure.add_subplot()
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    axes.plot(middles, 100 * found.counts / found.counts.sum(), "o-", color=BLUE, linewidth=1.4, markersize=5)
    label = f"threshold {decimal(found.threshold, 3)}"
    axes.axvline(found.threshold, color=VERMILION, linestyle="--", linewidth=1.2, label=label)
    axes.set_xlabel("cosine distance")
    axes.set_ylabel("utterances [%]")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.legend(loc="best")
    return figure


@drawn
def layer_similarity(
    similarity: NDArray[np.float64],
    classes: Sequence[str],
    chosen: Sequence[int],
    command: str,
    *,
    title: str,
    note: str,
) -> Figure:
    """The similarity of each layer, a line for each class, the chosen layers marked.

    Args:
        similarity: (K, L) for K classes and L layers.
        classes: Their names.
        chosen: Places of the layers that are chosen.
        command: What made it.
        title: Above it.
        note: What is shown.
    """
    figure = blank(3.1, title, note, made_by(command))
    axes = figure.add_subplot()
    for place in chosen:
        label = "most similar layers" if place == chosen[0] else None
        axes.axvspan(place - 0.4, place + 0.4, color=GREY, alpha=0.22, linewidth=0, label=label)
    colours, markers = cycle(PALETTE[:4]), cycle(MARKERS)
    for index, (name, values) in enumerate(zip(classes, similarity, strict=True)):
        axes.plot(
            range(len(values)), values, color=next(colours), marker=next(markers), markersize=4.5, linewidth=1.2,
            linestyle=LINES[index // 4 % len(LINES)], label=shown(name, 20),
        )  # fmt: skip
    layers = similarity.shape[1]
    axes.set_xticks(range(0, layers, 1 if layers <= 26 else 4))
    axes.set_xlim(-0.6, layers - 0.4)
    axes.set_xlabel("layer (0 is the first that the upstream returns)")
    axes.set_ylabel("mean cosine")
    figure.legend(loc="outside lower left", ncols=4)
    return figure


@drawn
def projection(
    places: NDArray[np.float64],
    labels: Mapping[str, Sequence[str]],
    measured: Mapping[str, Neighbours],
    command: str,
    *,
    title: str,
    note: str,
) -> Figure:
    """Utterances in a plane, a panel for each label that colours them, the numbers of the whole space above it.

    Args:
        places: (n, 2).
        labels: The n labels by what they are, such as "emotion".
        measured: What the whole space says, likewise.
        command: What made it.
        title: Above all.
        note: How they were projected.
    """
    columns = min(len(labels), MOST_BESIDE)
    rows = -(-len(labels) // columns)
    figure = blank(
        5.2 if columns == 1 else (3.9 if columns == 2 else 3.5) * rows,
        title,
        note,
        "The distances of the plane say little: the numbers are of all dimensions. Purity: share of the 10 nearest "
        "neighbours with the same label (in brackets: by chance); among other speakers: of their utterances alone.",
        made_by(command),
        width=4.8 if columns == 1 else 6.4,
    )
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in panels[len(labels) :]:
        unused.set_axis_off()
    for axes, (name, found) in zip(panels, labels.items(), strict=False):
        kinds = sorted(set(found))
        values = np.asarray(found)
        for index, kind in enumerate(kinds):
            chosen = places[values == kind]
            axes.scatter(
                chosen[:, 0], chosen[:, 1], s=9, alpha=0.75, linewidth=0, color=MANY[index % len(MANY)],
                marker=MARKERS[index // len(MANY) % len(MARKERS)], label=shown(kind, 16),
            )  # fmt: skip
        said = [name, *_numbers(measured[name])] if columns > 2 else [name, *_joined(_numbers(measured[name]))]
        axes.set_title("\n".join(said), fontsize=7 if columns > 2 else 8)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_box_aspect(1)
        bare(axes)
        if len(kinds) <= MOST_KINDS // 2:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2, markerscale=1.6, fontsize=7)
        else:
            axes.set_xlabel(f"{count(len(kinds), 'kind')}, too many to name", fontsize=7)
    return figure


def _matches(found: EmbeddingDistance) -> str:
    if found.match_within is None:
        return "How decisions match is not known: no predictions were given."
    beyond = "" if found.match_beyond is None else f", beyond it {percent(found.match_beyond.value)} %"
    return f"Decisions match within the threshold: {percent(found.match_within.value)} %{beyond}."


def _numbers(one: Neighbours) -> list[str]:
    silhouette = [] if one.silhouette is None else [f"silhouette {decimal(one.silhouette, 2)}"]
    elsewhere = [] if one.elsewhere is None else [f"purity among other speakers {percent(one.elsewhere)} %"]
    return [*silhouette, f"purity {percent(one.purity)} % ({percent(one.chance)} %)", *elsewhere]


def _joined(said: list[str]) -> list[str]:
    """In two lines, where there is room: what is of all, and what is among other speakers."""
    *first, last = said
    return [", ".join(first), last] if last.startswith("purity among") else [", ".join(said)]
