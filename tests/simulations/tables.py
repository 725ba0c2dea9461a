"""Print the tables of leaderboard/METHODS.md: how often its statistics err in worlds whose truth is known.

    OMP_NUM_THREADS=1 python tests/simulations/tables.py --draws 600

Worlds of 200 speakers are drawn half as often, equal boards a third, split boards a tenth.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import measures
from measures import Layout, Share
from worlds import World

COUNTS = (2, 3, 4, 6, 10, 24, 200)
MANY = 200
# In a corpus of fewer speakers, most of one class each, a class would have a single one.
DESIGNS = (("balanced", COUNTS), ("uneven", COUNTS), ("one class", (10, 24, 200)), ("seeds", (6, 10, 24)))
CEILING = 0.98
Row = list[str]


def percent(share: Share | None) -> str:
    """A share as the tables show it."""
    return "" if share is None else f"{100 * share.share:.1f}"


def draws_of(world: World, draws: int) -> int:
    """How often a world is drawn."""
    return max(2, draws // 2) if world.speakers >= MANY else draws


def worlds(seeds: dict[str, tuple[int, ...]]) -> Iterator[World]:
    """Every world of a table, with the numbers of seeds of each design."""
    for metric in ("uar", "ccc"):
        for design, counts in DESIGNS:
            for number in seeds.get(design, ()):
                for count in counts:
                    yield World(metric, count, number, design)


def names(world: World) -> Row:
    """The first columns of a row."""
    return [world.metric.upper(), world.design, str(world.speakers), str(world.seeds) if world.seeds > 1 else "none"]


FIRST = ["metric", "design", "speakers", "seeds"]


def intervals(draws: int) -> Iterator[Row]:
    """Coverage and width of intervals."""
    methods = ["product", "percentile", "BCa", "bootstrap-t", "naive"]
    yield [*FIRST, *(f"{method}: covers, width" for method in methods), "s.e."]
    for world in worlds({"balanced": (5, 1), "uneven": (5,), "one class": (5,)}):
        found = measures.intervals(world, draws_of(world, draws))
        scale = 100 if world.metric == "uar" else 1
        width = {name: f"{scale * value:.{0 if scale > 1 else 2}f}" for name, value in found.width.items()}
        cells = [f"{percent(found.covered[method])}, {width[method]}" for method in methods]
        yield [*names(world), *cells, percent(Share(found.covered["product"].error, 1))]


def pairs(draws: int) -> Iterator[Row]:
    """False positives of tests of two systems, and coverage of the interval of their difference."""
    methods = ["product", "0.005", "swaps, no seeds", "naive", "McNemar"]
    titles = ["below 0.005" if method == "0.005" else method for method in methods]
    yield [*FIRST, *titles, "s.e.", "interval covers"]
    for world in worlds({"balanced": (1, 3, 5), "uneven": (1, 5), "one class": (1, 5), "seeds": (3, 5)}):
        found = measures.pairs(world, draws_of(world, draws))
        cells = [percent(found.significant.get(method)) for method in methods]
        yield [*names(world), *cells, percent(Share(found.significant["product"].error, 1)), percent(found.covered)]


def interval_corners() -> Iterator[World]:
    """Where intervals are hard to make."""
    for seeds in (1, 5):
        yield from (World("uar", count, seeds, "balanced", CEILING) for count in (2, 4, 10, 24))
    yield from (World("uar", count, seeds, "fails") for seeds in (1, 5) for count in (4, 10, 24))
    yield from (World("uar", count, 5, "collapse") for count in (4, 10, 24))
    yield from (World("uar", count, seeds, "one model") for seeds in (1, 5) for count in (10, 24, MANY))
    yield from (World("uar", count, 2, "balanced") for count in (4, 10, 24))


def corners_of_intervals(draws: int) -> Iterator[Row]:
    """Coverage and width where the assumptions are strained."""
    yield [*FIRST, "true score", "covers", "width", "s.e."]
    for world in interval_corners():
        found = measures.intervals(world, draws_of(world, draws), others=False)
        covered = found.covered["product"]
        width = f"{100 * found.width['product']:.0f}"
        yield [*names(world), f"{100 * world.recall:.0f}", percent(covered), width, percent(Share(covered.error, 1))]


def corners_of_pairs(draws: int) -> Iterator[Row]:
    """Equal systems told apart where the assumptions are strained."""
    yield [*FIRST, "product", "below 0.005", "s.e.", "interval covers"]
    for design, every, counts in (
        ("few", (1, 5), (3, 6, 10)),
        ("heavy", (1, 5), (6, 10, 24)),
        ("fails", (1, 5), (6, 10, 24)),
        ("collapse", (5,), (6, 10, 24)),
        ("one model", (1, 5), (10, 24, MANY)),
        ("balanced", (2,), (3, 6, 10, 24, MANY)),
        ("seeds", (2,), (6, 10, 24)),
    ):
        for world in (World("uar", count, seeds, design) for seeds in every for count in counts):
            found = measures.pairs(world, draws_of(world, draws), others=False)
            share, far = found.significant["product"], found.significant["0.005"]
            yield [*names(world), percent(share), percent(far), percent(Share(share.error, 1)), percent(found.covered)]


def power(draws: int) -> Iterator[Row]:
    """How often true differences of three sizes are found, and how often the product says that they would be."""
    yield [*FIRST, "true difference", "said", "found", "s.e.", "interval covers"]
    for metric in ("uar", "ccc"):
        for seeds in (1, 5):
            for count in (3, 4, 6, 10, 24):
                world = World(metric, count, seeds, "balanced")
                for difference in (0.05, 0.1, 0.2):
                    found = measures.pairs(world, draws_of(world, draws), difference, others=False)
                    shown = f"{100 * difference:.0f}" if metric == "uar" else f"{difference:.2f}"
                    mean, low, high = (f"{100 * value:.0f}" for value in found.told)
                    share = found.significant["product"]
                    row = [shown, f"{mean} ({low} to {high})", percent(share)]
                    yield [*names(world), *row, percent(Share(share.error, 1)), percent(found.covered)]


BOARDS = (
    *(World("uar", count, seeds, "balanced") for seeds in (1, 5) for count in COUNTS[1:]),
    *(World("uar", 10, seeds, "uneven") for seeds in (1, 5)),
    *(World("uar", 24, seeds, "one class") for seeds in (1, 5)),
    *(World("uar", 10, seeds, design) for design in ("heavy", "fails") for seeds in (1, 5)),
    *(World("uar", 24, 1, design) for design in ("heavy", "fails")),
    *(World("ccc", count, 5, "balanced") for count in (6, 10, 24)),
)


def equal_boards(draws: int) -> Iterator[Row]:
    """Boards of eight systems that are all equally good."""
    methods = ["product", "letters", "Holm", "Holm, swaps", "max-T", "uncorrected"]
    yield [*FIRST, *methods, "s.e."]
    for world in BOARDS:
        found = measures.families(world, max(2, draws // 3), equal=True).wrong
        yield [
            *names(world),
            *(percent(found[method]) for method in methods),
            percent(Share(found["product"].error, 1)),
        ]


def split_boards(draws: int) -> Iterator[Row]:
    """Boards of four good and four better systems: wrong, and the share of the true differences that are found."""
    methods = ["product", "Holm", "Holm, swaps", "max-T", "uncorrected"]
    yield [*FIRST, *(f"{method}: wrong, found" for method in methods)]
    for world in BOARDS:
        found = measures.families(world, max(2, draws // 10), equal=False)
        cells = [f"{percent(found.wrong[method])}, {100 * found.power[method]:.0f}" for method in methods]
        yield [*names(world), *cells]


def top_rows(draws: int) -> Iterator[Row]:
    """The interval of the first row, whose score is the largest of several that are equally good."""
    yield [*FIRST, "systems", "covers", "s.e."]
    for count in (4, 10, 24):
        for systems in (2, 8, 30):
            world = World("uar", count, 5, "balanced")
            found = measures.top_rows(world, max(2, draws // 2), systems)
            yield [*names(world), str(systems), percent(found), percent(Share(found.error, 1))]


# As many tasks of each corpus as the registry has.
REGISTRY = (6, 5, 4, 3, 3, 2, 2, *(1,) * 13)


def over_corpora(draws: int) -> Iterator[Row]:
    """Tests over tasks of equal systems, with corpora and with tasks for blocks."""
    tests = ["Friedman", "Nemenyi", "Wilcoxon", "wins"]
    yield ["tasks", "corpora", "systems", *(f"{test}: product, naive" for test in tests), "s.e."]
    for layout in (Layout(REGISTRY, 5), Layout(REGISTRY, 10), Layout((1,) * 20, 5), Layout((3,) * 5, 5)):
        found = measures.over_corpora(layout, draws)
        cells = [f"{percent(found[test][0])}, {percent(found[test][1])}" for test in tests]
        sizes = [str(sum(layout.tasks)), str(len(layout.tasks)), str(layout.systems)]
        yield [*sizes, *cells, percent(Share(found["Friedman"][0].error, 1))]


def closer_look(draws: int) -> Iterator[Row]:
    """What looked high in the other tables, drawn more often: equal systems found different."""
    yield [*FIRST, "what", "draws", "wrong", "s.e."]
    for metric in ("uar", "ccc"):
        for seeds in (1, 3):
            world = World(metric, MANY, seeds, "balanced")
            found = measures.pairs(world, 2 * draws, others=False).significant["product"]
            yield [*names(world), "pair", str(found.draws), percent(found), percent(Share(found.error, 1))]
    boards = ((10, 1, "heavy"), (24, 1, "balanced"), (24, 1, "one class"), (MANY, 5, "balanced"))
    for count, seeds, design in boards:
        world = World("uar", count, seeds, design)
        found = measures.families(world, 2 * draws, equal=True, others=False).wrong["product"]
        yield [*names(world), "equal board", str(found.draws), percent(found), percent(Share(found.error, 1))]


TABLES: dict[str, Callable[[int], Iterable[Row]]] = {
    "intervals": intervals,
    "corners of intervals": corners_of_intervals,
    "pairs": pairs,
    "corners of pairs": corners_of_pairs,
    "power": power,
    "equal boards": equal_boards,
    "split boards": split_boards,
    "top rows": top_rows,
    "over corpora": over_corpora,
    "closer look": closer_look,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--table", action="append", choices=list(TABLES), help="only these")
    options = parser.parse_args()
    for name in options.table or TABLES:
        began = time.process_time()
        sys.stdout.write(f"\n{name}\n\n")
        for number, row in enumerate(TABLES[name](options.draws)):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            if number == 0:
                sys.stdout.write("|" + "---|" * len(row) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.process_time() - began:.0f} s of processor time\n")


if __name__ == "__main__":
    main()
