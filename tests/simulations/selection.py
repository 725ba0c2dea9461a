"""Print the tables on selection of leaderboard/SELECTION.md: heads selected on a dev set and on inner folds by speaker.

    OMP_NUM_THREADS=1 python tests/simulations/selection.py --task emovo --upstream mfcc --upstream moonshine-tiny

Corpora, weights and stored features are found as `bench run` finds them. Each line is one way to select on one task and
upstream: the score of each seed over all folds, its mean and deviation, seconds of the processor for all folds and
seeds, and how often each learning rate was chosen. `--dev` takes ways by name, `--select-on` what selects, `--rates`
other learning rates.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package of this checkout

import numpy as np
import torch
from pydantic import TypeAdapter
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmark.base import Downstream
from benchmark.io.settings import load_settings
from benchmark.metrics import METRICS
from benchmark.protocol.dataset import Dataset
from benchmark.protocol.dev_schemes import AnyDevScheme
from benchmark.protocol.folds import make_folds
from benchmark.registry.registry import Registry
from benchmark.run.fitting import fit_and_score
from benchmark.run.unit import Names, Setup
from benchmark.run.worker import Worker
from benchmark.sufficient import STATISTICS
from benchmark.types import Examples, Selection

DEV: dict[str, dict[str, Any] | None] = {
    "own": None,
    "one speaker": {"scheme": "one-group", "group": "speaker"},
    "inner": {"scheme": "inner", "k": 5, "group": "speaker"},
}
SILENCE = SimpleNamespace(
    note=lambda text: None,
    problem=lambda text: None,
    stage=lambda title, total: nullcontext(lambda count: None),
    encoding=lambda title, utterances, seconds: nullcontext(lambda count, audio: None),
)


class Logistic(Downstream):
    """Logistic regression on standardised means of the last layer, or of all, fitted on train and dev."""

    name = "logistic"
    stochastic = False
    layers = "last"

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit; C = 0.01 as the recipe svm."""
        del seed
        x = np.concatenate([self._vectors(part) for part in (train, dev)])
        y = np.concatenate([np.asarray(part.y) for part in (train, dev)])
        self._scaler = StandardScaler().fit(x)
        self._model = LogisticRegression(C=0.01, max_iter=2000).fit(self._scaler.transform(x), y)
        self._outputs = len(train.outputs)
        return Selection()

    def predict(self, examples: Examples) -> np.ndarray:
        """Log-probabilities."""
        scores = np.full((len(examples), self._outputs), -np.inf)
        scores[:, self._model.classes_] = self._model.predict_log_proba(self._scaler.transform(self._vectors(examples)))
        return np.maximum(scores, -1e9)

    def _vectors(self, examples: Examples) -> np.ndarray:
        x = np.asarray(examples.x, dtype=np.float64)
        vectors: np.ndarray = x[:, -1] if self.layers == "last" else x.reshape(len(x), x.shape[1] * x.shape[2])
        return vectors


class LogisticAll(Logistic):
    """Of all layers."""

    name = "logistic-all"
    layers = "all"


def with_dev(dataset: Dataset, dev: dict[str, Any] | None) -> Dataset:
    """The same task with another dev rule."""
    if dev is None:
        return dataset
    task = dataset.task.model_copy(update={"dev": TypeAdapter(AnyDevScheme).validate_python(dev)})
    return replace(dataset, task=task, folds=tuple(make_folds(task, dataset.utterances, dataset.labels)))


def line(dataset: Dataset, encoded: Any, make: Any, seeds: int) -> dict[str, Any]:
    """Every fold and seed of one way."""
    scores, chosen, chance, started = [], Counter[str](), 0, time.process_time()
    totals: dict[int, Any] = {}
    epochs = []
    for fold in dataset.folds:
        for seed in range(seeds):
            found = fit_and_score(dataset, encoded, make, fold.name, seed)
            if isinstance(found, str):
                raise SystemExit(found)
            total = STATISTICS[dataset.task.kind].total(found.by_speaker.values())
            totals[seed] = totals.get(seed, 0) + total
            chosen[str(found.selection.chosen.get("learning_rate", ""))] += 1
            chance += found.selection.above_chance is False
            epochs.append(found.selection.epoch or 0)
    seconds = time.process_time() - started
    scores = [100 * float(METRICS[dataset.task.primary].compute(total)) for total in totals.values()]
    sd = np.std(scores, ddof=1) if len(scores) > 1 else 0.0
    return {
        "score": f"{np.mean(scores):.1f} ± {sd:.1f}",
        "seconds": f"{seconds:.1f}",
        "epochs": f"{np.median(epochs):.0f}",
        "at chance": f"{chance}/{len(epochs)}",
        "rates": dict(chosen.most_common()),
    }


def ways(options: argparse.Namespace, registry: Registry) -> Iterator[tuple[str, dict[str, Any] | None, Any, int]]:
    """Name, dev rule, head and number of seeds of each way."""
    for head in (Logistic, LogisticAll) if options.references else ():
        yield head.name, None, lambda head=head: head(Downstream.Params()), 1
    for name in ("svm",) if options.references else ():
        yield name, None, lambda name=name: registry.downstream(name), 1
    for dev in options.dev:
        for on in options.select_on:

            def make(on: str = on) -> Downstream:
                head = registry.downstream(options.recipe)
                update: dict[str, Any] = {"select_on": on}
                if options.rates:
                    update["learning_rates"] = tuple(options.rates)
                return type(head)(head.params.model_copy(update=update))

            yield f"{options.recipe}, {dev}, {on}", DEV[dev], make, options.seeds


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", required=True)
    parser.add_argument("--upstream", action="append", required=True)
    parser.add_argument("--recipe", default="superb")
    parser.add_argument("--dev", nargs="+", default=list(DEV), choices=list(DEV))
    parser.add_argument("--select-on", nargs="+", default=["primary", "loss"])
    parser.add_argument("--rates", nargs="*", type=float)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--references", action="store_true", help="logistic regressions and the recipe svm too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    registry = Registry()
    worker = Worker(Setup(load_settings([])), registry)
    for task in options.task:
        for upstream in options.upstream:
            encoded = worker.encode(Names(task, upstream, options.recipe), "cpu", SILENCE)
            dataset = worker.material(task, SILENCE).dataset
            for name, dev, make, seeds in ways(options, registry):
                found = line(with_dev(dataset, dev), encoded, make, seeds)
                print(" | ".join(map(str, (task, upstream, name, *found.values()))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
