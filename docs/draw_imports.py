"""Draw which room imports which, from the source: `python docs/draw_imports.py` writes docs/imports.svg.

A room is a folder of `benchmark`, or a package beside it. A room stands above all that it imports. An arrow is left out
where a path of other arrows says the same. The drawing follows Sugiyama, Tagawa, Toda (1981), "Methods for visual
understanding of hierarchical system structures": levels by the longest path, long arrows led through the levels
between, order within a level by the mean place of the neighbours.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
SVG = Path(__file__).parent / "imports.svg"
HUB = "benchmark"
SPOKES = ("upstreams", "downstreams", "tasks", "leaderboard")
FOUNDATION = "errors, text, types, ..."  # modules of the hub that import nothing but each other, and one folder
FOLDER_OF_IT = "sufficient"
# Lengths are in pixels.
WIDTH, LINE, BOX, GAP, MARGIN = 420, 58, 34, 14, 16
SWEEPS = 24
LIGHT = {"paper": "#ffffff", "ink": "#1b1b1d", "line": "#8a8a93", "hub": "#dcebf7", "spoke": "#fbe6d6"}
DARK = {"paper": "#0d1117", "ink": "#e8e8ea", "line": "#7d7d88", "hub": "#1d3a52", "spoke": "#54331c"}

Graph = dict[str, set[str]]


def rooms(root: Path) -> Graph:
    """Which room imports which.

    Args:
        root: The folder that holds the packages.

    Returns:
        The rooms that each room imports, itself left out.

    Raises:
        ValueError: Rooms import each other in a circle.
    """
    found: Graph = {}
    for top in (HUB, *SPOKES):
        for path in sorted((root / top).rglob("*.py")):
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            if module == HUB:  # gives names of the rooms, and imports none until it is asked
                continue
            found.setdefault(_room(root, module), set()).update(_room(root, name) for name in _imports(path))
    for name, targets in found.items():
        targets -= {name, HUB}
    alone = {name for name in found if name == FOLDER_OF_IT or (root / HUB / f"{name}.py").is_file()}
    while beyond := {name for name in alone if found[name] - alone}:
        alone -= beyond
    merged: Graph = {FOUNDATION: set()}
    for name, targets in found.items():
        if name not in alone:
            merged[name] = {FOUNDATION if target in alone else target for target in targets}
    levels(merged)
    return merged


def _room(root: Path, module: str) -> str:
    """The room of a module: "benchmark.io.files" is in "io", "tasks.corpora.csv" in "tasks"."""
    top, *inner = module.split(".")
    return inner[0] if top == HUB and inner else top


def _imports(path: Path) -> Iterator[str]:
    """The names of the project's modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{HUB}.{alias.name}" for alias in node.names] if node.module == HUB else [node.module]
        yield from (name for name in names if name.split(".")[0] in (HUB, *SPOKES) and _is_module(path, name))


def _is_module(path: Path, name: str) -> bool:
    """Whether a name is a module's, and not that of a class which the hub hands on."""
    root = next(folder for folder in path.parents if (folder / HUB).is_dir())
    place = root.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def levels(graph: Graph) -> dict[str, int]:
    """The level of each room: 0 for what imports none, else one above the highest that it imports.

    Raises:
        ValueError: There is a circle.
    """

    @functools.cache
    def level(name: str) -> int:
        return max((level(target) for target in graph[name]), default=-1) + 1

    try:
        return {name: level(name) for name in graph}
    except RecursionError:
        raise ValueError("rooms import each other in a circle") from None


def reduced(graph: Graph) -> Graph:
    """Without arrows that a longer path says too."""

    @functools.cache
    def reached(name: str) -> frozenset[str]:
        return frozenset(graph[name]).union(*map(reached, graph[name]))

    return {
        name: {one for one in targets if not any(one in reached(other) for other in targets - {one})}
        for name, targets in graph.items()
    }


def layout(graph: Graph) -> tuple[list[list[str]], list[list[str]]]:
    """Order the rooms of each level so that few arrows cross.

    Returns:
        The levels, the lowest first, with names such as "run>features@6" where an arrow passes; and each arrow as the
        names it leads through, from the room that imports to the one that is imported.
    """
    height = levels(graph)
    ordered: list[list[str]] = [[] for _ in range(max(height.values()) + 1)]
    for name in sorted(graph):
        ordered[height[name]].append(name)
    arrows = []
    for name in sorted(graph):
        for target in sorted(graph[name]):
            passing = [f"{name}>{target}@{level}" for level in range(height[name] - 1, height[target], -1)]
            for level, one in zip(range(height[name] - 1, height[target], -1), passing, strict=True):
                ordered[level].append(one)
            arrows.append([name, *passing, target])
    beside: dict[str, list[str]] = {}
    for arrow in arrows:
        for upper, lower in itertools.pairwise(arrow):
            beside.setdefault(upper, []).append(lower)
            beside.setdefault(lower, []).append(upper)
    best, cost = ordered, _length(ordered, arrows)
    for sweep in range(SWEEPS):
        for index in range(len(ordered)) if sweep % 2 else reversed(range(len(ordered))):
            key = functools.partial(_mean_place, _places(ordered), beside)
            ordered = [sorted(row, key=key) if index == at else row for at, row in enumerate(ordered)]
        if _length(ordered, arrows) < cost:
            best, cost = ordered, _length(ordered, arrows)
    return best, arrows


def _length(ordered: Sequence[Sequence[str]], arrows: Sequence[Sequence[str]]) -> float:
    """How far arrows lead sideways in all, squared for each step; rounded, so that noise decides nothing."""
    places = _places(ordered)
    return round(sum((places[a] - places[b]) ** 2 for arrow in arrows for a, b in itertools.pairwise(arrow)), 3)


def _mean_place(places: Mapping[str, float], beside: Mapping[str, Sequence[str]], name: str) -> tuple[float, str]:
    """Where the neighbours of a name are in the mean; the name decides where that is equal."""
    around = beside.get(name, [])
    return round(sum(places[one] for one in around) / max(1, len(around)), 6), name


def _width(name: str) -> float:
    return 10.0 if ">" in name else 24 + 8.2 * len(name)


def _places(ordered: Sequence[Sequence[str]]) -> dict[str, float]:
    """The middle of each name on its level, every level centred."""
    places = {}
    for row in ordered:
        x = (WIDTH - sum(map(_width, row)) - GAP * (len(row) - 1)) / 2
        for name in row:
            places[name] = x + _width(name) / 2
            x += _width(name) + GAP
    return places


def draw(root: Path = ROOT) -> str:
    """The picture as SVG, which follows the reader's light or dark colours.

    Raises:
        ValueError: Rooms import each other in a circle.
    """
    graph = reduced(rooms(root))
    ordered, arrows = layout(graph)
    places, top = _places(ordered), len(ordered) - 1
    height = MARGIN * 2 + LINE * top + BOX
    y = {name: MARGIN + LINE * (top - level) + BOX / 2 for level, row in enumerate(ordered) for name in row}
    body = []
    for arrow in arrows:
        x, start, end = places[arrow[0]], y[arrow[0]] + BOX / 2, y[arrow[-1]] - BOX / 2
        path = [f"M{x:.1f} {start:g}"]
        for name in arrow[1:]:
            stop = end if name == arrow[-1] else y[name]
            path.append(
                f"C{x:.1f} {(start + stop) / 2:g} {places[name]:.1f} {(start + stop) / 2:g} {places[name]:.1f} {stop:g}"
            )
            x, start = places[name], stop
        body.append(f'<path d="{"".join(path)}" class="line" marker-end="url(#tip)"/>')
    for name in sorted(graph):
        kind = "spoke" if name in SPOKES else "hub"
        width = _width(name)
        body.append(
            f'<rect x="{places[name] - width / 2:.1f}" y="{y[name] - BOX / 2:g}" width="{width:.1f}" '
            f'height="{BOX}" rx="6" class="{kind}"/>'
            f'<text x="{places[name]:.1f}" y="{y[name] + 5:g}" text-anchor="middle" class="ink">{name}</text>'
        )
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="sans-serif" font-size="15">'
    )
    style = f"<style>{_rules(LIGHT)}@media(prefers-color-scheme:dark){{{_rules(DARK)}}}</style>"
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>'
    )
    title = "<title>Which room imports which: blue is the hub, orange the spokes</title>"
    paper = f'<rect width="{WIDTH}" height="{height}" class="paper"/>'
    return "\n".join([opening, title, style, tip, paper, *body, "</svg>"]) + "\n"


def _rules(colours: Mapping[str, str]) -> str:
    fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in colours.items() if name != "line")
    return f"{fills}.line{{fill:none;stroke:{colours['line']};stroke-width:1.4}}.tip{{fill:{colours['line']}}}"


if __name__ == "__main__":
    SVG.write_text(draw(), encoding="utf-8")
