"""How long the heads of a whole grid take: every fold and seed of a leave-one-speaker-out task, from synthetic means.

The sizes are those of URDU (400 utterances of 29 speakers, four classes, about 300 utterances in train) and of a base
model (13 layers of 768), unless others are given. The classes differ by `--signal` in every dimension, in units of the
noise, since early stopping decides how long a head trains. Prints one line of JSON: seconds for all units in one thread
and in several, each of them one core's, and milliseconds for one optimiser step of one member, among all learning rates
of the recipe, which are trained together, and alone.

`--folder` measures the downstreams of another version beside this one, in a process of its own and in turn, so that
both meet the same machine. Of several repeats the fastest counts, since other work on it only makes them slower.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

CLASSES = ("angry", "happy", "neutral", "sad")
DEV_SHARE = 0.2  # of the speakers that are not tested on
ROOT = Path(__file__).resolve().parents[2]


def corpus(options: argparse.Namespace) -> Any:
    """All utterances as `Examples`, dealt to speakers and classes in turn."""
    import numpy as np

    from benchmark.types import Examples

    random = np.random.default_rng(0)
    n, layers, dim = options.utterances, options.layers, options.dim
    y = np.arange(n) % len(CLASSES)
    centres = options.signal * random.standard_normal((len(CLASSES), layers, dim), dtype=np.float32)
    voices = 0.5 * random.standard_normal((options.speakers, layers, dim), dtype=np.float32)
    speaker = np.arange(n) // len(CLASSES) % options.speakers
    x = random.standard_normal((n, layers, dim), dtype=np.float32)
    x += centres[y]
    x += voices[speaker]
    return Examples(
        ids=tuple(f"u{i}" for i in range(n)),
        x=x,
        y=y.astype(np.int64),
        speakers=tuple(f"s{i}" for i in speaker),
        outputs=CLASSES,
        kind="classification",
        metric="uar",
    )


def part(examples: Any, speakers: Sequence[str]) -> Any:
    """The utterances of some speakers."""
    rows = [i for i, speaker in enumerate(examples.speakers) if speaker in speakers]
    ids, names = (tuple(values[i] for i in rows) for values in (examples.ids, examples.speakers))
    return replace(examples, ids=ids, x=examples.x[rows], y=examples.y[rows], speakers=names)


def folds(examples: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Train, dev and test of every fold."""
    names = sorted(set(examples.speakers))
    for number, tested in enumerate(names):
        others = [names[(number + 1 + i) % len(names)] for i in range(len(names) - 1)]
        held_out = max(1, round(DEV_SHARE * len(others)))
        yield part(examples, others[held_out:]), part(examples, others[:held_out]), part(examples, [tested])


def one_thread() -> None:
    """What the run does in each of its threads."""
    import torch

    torch.set_num_threads(1)


def grid_seconds(examples: Any, options: argparse.Namespace, threads: int) -> float:
    """Fit and predict every seed of `--folds` folds, evenly taken; the time that all would take [s].

    A thread fits a fold's seeds one after the other, as in a run. Every unit has arrays of its own, as there.
    """
    from benchmark.registry.registry import Registry

    registry = Registry()
    every: int = options.speakers
    step = max(1, every // (options.folds or every))
    chosen = list(islice(folds(examples), 0, None, step))

    def fit(fold: tuple[Any, Any, Any]) -> None:
        for seed in range(options.seeds):
            train, dev, test = (replace(examples, x=examples.x.copy()) for examples in fold)
            head = registry.downstream(options.recipe)
            head.fit(train, dev, seed=seed)
            head.predict(test)

    with ThreadPoolExecutor(1, initializer=one_thread) as pool:
        list(pool.map(fit, chosen[:1]))  # what is loaded once is no part of the time; a thread that ended forgets
    with ThreadPoolExecutor(threads, initializer=one_thread) as pool:
        started = time.perf_counter()
        list(pool.map(fit, chosen))
        seconds: float = time.perf_counter() - started
    return seconds * every / len(chosen)


def step_seconds(examples: Any, options: argparse.Namespace, rates: int, epochs: int = 4) -> float:
    """One optimiser step of one of so many members, with its share of what is done once a step and an epoch [s]."""
    from benchmark.registry.registry import Registry

    train, dev, _ = next(folds(examples))
    recipe = Registry().downstream(options.recipe)
    searched = recipe.params.learning_rates[-rates:]

    def fit(maximum: int) -> float:
        changes = {"unit": "epochs", "maximum": maximum, "evaluate_every": 1, "patience": None}
        head = type(recipe)(recipe.params.model_copy(update={**changes, "learning_rates": searched}))
        started = time.perf_counter()
        head.fit(train, dev, seed=0)
        return time.perf_counter() - started

    fit(2 + epochs)  # what is remembered of a fit, if anything, is of another maximum
    steps: int = -(-len(train) // recipe.params.batch_size) * epochs
    return (fit(1 + epochs) - fit(1)) / (steps * len(searched))


def measure(options: argparse.Namespace) -> dict[str, float]:
    """The figures of one repeat, of the downstreams that are importable here."""
    import torch

    torch.use_deterministic_algorithms(True)  # as in a run
    one_thread()
    examples = corpus(options)
    figures = {f"grid_s_{threads}_threads": grid_seconds(examples, options, threads) for threads in options.threads}
    all_rates = 1000 * step_seconds(examples, options, 0)
    return {**figures, "ms_per_step_and_member": all_rates, "ms_alone": 1000 * step_seconds(examples, options, 1)}


def in_a_process(folder: Path, arguments: Sequence[str]) -> dict[str, float]:
    """One repeat, with the package `downstreams` of a folder."""
    paths = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), *arguments, "--once"]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipe", default="superb", help="a recipe of this version (superb)")
    for name, default in (("utterances", 400), ("speakers", 29), ("layers", 13), ("dim", 768), ("seeds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"({default})")
    parser.add_argument("--signal", type=float, default=0.1, help="how far classes lie apart; 0 for noise (0.1)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="(1 2)")
    parser.add_argument("--folds", type=int, help="fit so many, evenly taken, and extrapolate (all)")
    parser.add_argument("--repeats", type=int, default=3, help="of which the fastest counts (3)")
    parser.add_argument("--folder", type=Path, help="folder with another version of the package downstreams")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.once:
        sys.stdout.write(json.dumps(measure(options)) + "\n")
        return
    folders = {"this": ROOT} | ({"other": options.folder.resolve()} if options.folder else {})
    repeats: dict[str, list[dict[str, float]]] = {name: [] for name in folders}
    for _ in range(options.repeats):
        for name, folder in folders.items():
            repeats[name].append(in_a_process(folder, arguments))
    fastest = {
        name: {key: round(min(figures[key] for figures in found), 3) for key in found[0]}
        for name, found in repeats.items()
    }
    sizes = {name: getattr(options, name) for name in ("utterances", "speakers", "layers", "dim", "seeds", "signal")}
    sys.stdout.write(json.dumps({"recipe": options.recipe, **sizes, **fastest}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
