"""In which order units are fitted: a thread stays with a fold, and threads begin different ones."""

from __future__ import annotations

from itertools import product

from benchmark.run.loop import take_next
from benchmark.run.worker import Names, Unit


def units(folds: str, seeds: int) -> list[Unit]:
    names = Names("task", "upstream", "downstream")
    return [Unit(f"{fold}{seed}", names, fold, seed, "official") for fold, seed in product(folds, range(seeds))]


def played(folds: str, seeds: int, threads: int) -> list[str]:
    """Units in the order in which they begin, where all take equally long."""
    todo, fitting, order = units(folds, seeds), list[Unit](), list[str]()

    def begin(finished: str | None) -> None:
        if todo:
            fitting.append(take_next(todo, finished, {unit.fold for unit in fitting}))
            order.append(fitting[-1].id)

    for _ in range(threads):
        begin(None)
    while fitting:
        begin(fitting.pop(0).fold)
    return order


def test_one_thread_takes_them_as_they_are() -> None:
    assert played("abc", 2, 1) == ["a0", "a1", "b0", "b1", "c0", "c1"]


def test_threads_begin_different_folds_and_stay_with_them() -> None:
    assert played("abc", 2, 2) == ["a0", "b0", "a1", "b1", "c0", "c1"]


def test_more_threads_than_folds_share_them() -> None:
    assert played("ab", 3, 3) == ["a0", "b0", "a1", "a2", "b1", "b2"]


def test_every_unit_is_taken_once() -> None:
    for threads in range(1, 9):
        assert sorted(played("abcde", 4, threads)) == sorted(unit.id for unit in units("abcde", 4))
