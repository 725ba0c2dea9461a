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
from measures import Share
from worlds import World

COUNTS = (4, 6, 10, 24, 200)
MANY = 200
# In a corpus of fewer speakers, most of one class each, a class would have a single one.
DESIGNS = (("balanced", COUNTS), ("uneven", COUNTS), ("one class", (10, 24, 200)), ("seeds", (6, 10, 24)))
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
    methods = ["product", "swaps, no seeds", "naive", "McNemar"]
    yield [*FIRST, *methods, "s.e.", "interval covers"]
    for world in worlds({"balanced": (1, 3, 5), "uneven": (1, 5), "one class": (1, 5), "seeds": (3, 5)}):
        found = measures.pairs(world, draws_of(world, draws))
        cells = [percent(found.significant.get(method)) for method in methods]
        yield [*names(world), *cells, percent(Share(found.significant["product"].error, 1)), percent(found.covered)]


def power(draws: int) -> Iterator[Row]:
    """How often a true difference as large as the detectable one is found."""
    yield [*FIRST, "detectable", "found", "s.e.", "interval covers"]
    for metric in ("uar", "ccc"):
        for seeds in (1, 5):
            for count in COUNTS[1:]:
                world = World(metric, count, seeds, "balanced")
                number = draws_of(world, draws)
                detectable = measures.pairs(world, number, others=False, detect=True).detectable
                found = measures.pairs(world, number, detectable, others=False)
                shown = f"{100 * detectable:.1f}" if metric == "uar" else f"{detectable:.3f}"
                share = found.significant["product"]
                yield [*names(world), shown, percent(share), percent(Share(share.error, 1)), percent(found.covered)]


BOARDS = (
    *(World("uar", count, seeds, "balanced") for seeds in (1, 5) for count in COUNTS),
    *(World("uar", 10, seeds, "uneven") for seeds in (1, 5)),
    *(World("uar", 24, seeds, "one class") for seeds in (1, 5)),
    *(World("ccc", count, 5, "balanced") for count in (6, 10, 24)),
)


def equal_boards(draws: int) -> Iterator[Row]:
    """Boards of eight systems that are all equally good."""
    methods = ["product", "letters", "Holm, swaps only", "max-T", "uncorrected"]
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
    methods = ["product", "Holm, swaps only", "max-T", "uncorrected"]
    yield [*FIRST, *(f"{method}: wrong, found" for method in methods)]
    for world in BOARDS:
        found = measures.families(world, max(2, draws // 10), equal=False)
        cells = [f"{percent(found.wrong[method])}, {100 * found.power[method]:.0f}" for method in methods]
        yield [*names(world), *cells]


def closer_look(draws: int) -> Iterator[Row]:
    """What looked high in the other tables, drawn more often: equal systems found different."""
    yield [*FIRST, "what", "draws", "wrong", "s.e."]
    for metric in ("uar", "ccc"):
        for seeds in (1, 3):
            world = World(metric, MANY, seeds, "balanced")
            found = measures.pairs(world, 2 * draws, others=False).significant["product"]
            yield [*names(world), "pair", str(found.draws), percent(found), percent(Share(found.error, 1))]
    boards = ((4, "equal board", 2 * draws), (MANY, "equal board", draws), (MANY, "split board", 2 * draws))
    for count, what, number in boards:
        world = World("uar", count, 5, "balanced")
        found = measures.families(world, number, equal=what == "equal board", others=False).wrong["product"]
        yield [*names(world), what, str(found.draws), percent(found), percent(Share(found.error, 1))]


TABLES: dict[str, Callable[[int], Iterable[Row]]] = {
    "intervals": intervals,
    "pairs": pairs,
    "power": power,
    "equal boards": equal_boards,
    "split boards": split_boards,
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
