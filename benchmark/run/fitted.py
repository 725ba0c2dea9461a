"""What was fitted, found again by names: records say which unit it is, and its file has what was learnt.

No recording of the task is needed for it.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.base import Downstream, Upstream
from benchmark.base.tuned import Training, Tuned, Weighted, tuned_in, with_weights
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.io.kept import is_whole
from benchmark.io.settings import Settings
from benchmark.records import Protocol, Record, RecordStore, WeightsPart
from benchmark.registry.registry import Registry
from benchmark.run.tuning import kept_path, take
from benchmark.text import join, nearest, some

HEADS = "heads"  # folder beside the records of a task
PREFERRED: tuple[Protocol, ...] = ("official", "modified", "partial")  # of several heads of one fold and seed
NAMED = 5  # folds, or values, that a message names


def head_path(results: Path, task: str, unit_id: str) -> Path:
    """Where a head lies that was kept because it was asked for."""
    return results / task / HEADS / f"{unit_id}.safetensors"


def parts_lost(record: Record, own: Path, cache: Path) -> list[Path]:
    """The files of a completed unit that are not there, or are no longer what was recorded.

    Args:
        record: Of the unit.
        own: Where what it has learnt is kept.
        cache: Where the weights are that were trained for its upstream.
    """
    weights = record.weights or WeightsPart()
    files = [(own, weights.trained_sha256)]
    files += [(kept_path(cache, step.unit), step.weights_sha256) for step in weights.steps if step.unit is not None]
    return [path for path, sha256 in files if not is_whole(path) or sha256 not in (None, file_sha256(path))]


@dataclass(frozen=True)
class KeptUnit:
    """A unit whose head is kept.

    Attributes:
        record: Of the unit.
        path: What its head has learnt.
    """

    record: Record
    path: Path


class Shelf:
    """The fitted heads of one cell.

    Args:
        cell: TASK/UPSTREAM/DOWNSTREAM as it was asked for.
        registry: Where the names are looked up.
        settings: Where records, cache and weights are.

    Attributes:
        task: Its task.
        row: Its upstream, which waits for weights where a run has trained them.
        head_name: Of its downstream.
        tasks: By name, its own and those that its upstream was trained on, of files too.

    Raises:
        UsageError: A name is unknown.
    """

    def __init__(self, cell: Training, registry: Registry, settings: Settings) -> None:
        self._cell, self._registry, self._settings = cell, registry, settings
        self.task = registry.task(cell.task)
        self.row = registry.upstream(cell.upstream, settings.find_weights)
        self.head_name = registry.downstream_entry(cell.downstream).name
        self.tasks = {
            task.name: task for task in (self.task, *(registry.task(one.task) for one in _trainings(self.row)))
        }

    def find(self, fold: str | None = None, seed: int | None = None) -> list[KeptUnit]:
        """Those of some folds and seeds that were fitted with what is asked for now; in the order of the folds.

        Of several of one fold and seed that of an official record is taken, and of these the newest.

        Args:
            fold: Only of this one.
            seed: Only of this one.

        Raises:
            UsageError: There is no such fold.
            MissingError: None is kept; the message says which others are, and has the command that keeps them.
        """
        kept = self._kept()
        fitting = [unit for unit in kept if not self._differences(unit.record)]
        folds = list(dict.fromkeys(name for unit in fitting for name in unit.record.task.folds))
        if fold is not None and folds and fold not in folds:
            raise UsageError(f"the task {self.task.name!r} has no fold {fold!r}", nearest(fold, folds))
        found: dict[tuple[str, int], KeptUnit] = {}
        for unit in sorted(fitting, key=_preference):
            if fold in (None, unit.record.fold) and seed in (None, unit.record.seed):
                found[unit.record.fold, unit.record.seed] = unit
        if not found:
            raise self._none(kept, fitting, fold, seed)
        return [found[unit] for unit in sorted(found, key=lambda unit: (folds.index(unit[0]), unit[1]))]

    def command(self, fold: str | None = None, seed: int | None = None) -> str:
        """The command that keeps heads of the cell: of one fold and seed, or of all."""
        cell, settings = self._cell, self._settings
        options = [("--task", cell.task), ("--upstream", cell.upstream), ("--downstream", cell.downstream)]
        options += [("--fold", fold)] if fold is not None else []
        options += [("--seed", str(seed))] if seed is not None else []
        options += [("--plugin", plugin) for plugin in self._registry.plugins]
        options += [("--weights", f"{name}={path}") for name, path in settings.weights.items()]
        words = [word for option in [*options, ("--results", str(settings.results))] for word in option]
        return shlex.join(["bench", "run", *words, "--keep-heads"])

    def _kept(self) -> list[KeptUnit]:
        """All that is kept under the names of the cell, whatever it was fitted with."""
        names = (self.row.name, self.head_name)
        records = [
            record
            for record in RecordStore(self._settings.results).read(self.task.name).records
            if (record.upstream.name, record.downstream.name) == names and record.status == "completed"
        ]
        units = [KeptUnit(record, self._path(record)) for record in records]
        return [unit for unit in units if unit.path.is_file()]

    @functools.cached_property
    def _weights_sha256(self) -> str | None:
        return self.row.weights_sha256()

    @functools.cached_property
    def _params(self) -> dict[str, object]:
        return dict(self._registry.declared_head(self._cell.downstream).params)

    def _differences(self, record: Record) -> list[str]:
        """In what a unit is another one than is asked for, in words."""
        found = []
        if record.task.sha256 != self.task.sha256:
            found.append(f"the protocol of {self.task.name} is another one now")
        if record.upstream.weights_sha256 != self._weights_sha256:
            found.append(f"{self.row.name} has other weights now")
        then, now = record.downstream.params, self._params
        for key in sorted(then.keys() | now.keys()):
            if then.get(key) != now.get(key):
                found.append(f"{key} of {self.head_name} was {then.get(key)!r:.80} and is {now.get(key)!r:.80}")
        return found

    def _none(
        self, kept: Sequence[KeptUnit], fitting: Sequence[KeptUnit], fold: str | None, seed: int | None
    ) -> MissingError:
        """Why there is no head, and how there will be one."""
        cell = f"{self.task.name} / {self.row.name} / {self.head_name}"
        asked = [f"fold {fold!r}"] if fold is not None else []
        asked += [f"seed {seed}"] if seed is not None else []
        message = f"no head{' of ' if asked else ''}{', '.join(asked)} is kept of {cell} in {self._settings.results}"
        hint = self.command(fold, seed)
        if fitting:
            message += f": kept are {_told(unit.record for unit in fitting)}"
        elif kept:
            newest = max(kept, key=_preference).record
            message += f" with what is asked for: {some(self._differences(newest), NAMED)}"
        if seed is not None and not self._is_seeded():
            hint = f"{self.head_name} ignores the seed: leave --seed out"
        return MissingError(message, hint)

    def _is_seeded(self) -> bool:
        """Whether the units of the cell depend on the seed: by its head, or by the weights that encode."""
        heads = [self._cell.downstream, *(one.downstream for one in _trainings(self.row))]
        return any(self._registry.head_facts(head).stochastic for head in heads)

    def _path(self, record: Record) -> Path:
        if record.downstream.needs == "waveform":
            return kept_path(self._settings.cache, record.id)
        return head_path(self._settings.results, record.task.name, record.id)

    def upstream(self, fitted: KeptUnit) -> Upstream:
        """The upstream that a unit had, with the weights of its fold.

        Raises:
            MissingError: Weights that were trained are not here any more.
            BenchError: They are damaged.
        """
        return with_weights(self.row, lambda row: self._weighted(row, fitted.record))

    def _weighted(self, row: Tuned, record: Record) -> Upstream:
        title, steps = row.title, () if record.weights is None else record.weights.steps
        alike = [step for step in steps if (step.start, step.downstream) == (title.upstream, title.downstream)]
        step = next((step for step in alike if step.task == title.task), alike[0] if alike else None)
        path = None if step is None or step.unit is None else kept_path(self._settings.cache, step.unit)
        again = self.command(record.fold, record.seed)
        if step is None or path is None or not path.is_file():
            where = self._settings.cache if path is None else path.parent
            raise MissingError(f"the weights of {row.name!r} for fold {record.fold!r} are not kept in {where}", again)
        start = with_weights(row.start, lambda below: self._weighted(below, record))
        head = self._registry.downstream(row.training.downstream)
        head.upstream = start
        self._take(path, step.weights_sha256, head, record)
        return Weighted(head.tuned(), row, digest([start.weights_sha256(), step.weights_sha256]))

    def head(self, fitted: KeptUnit, upstream: Upstream, device: str = "cpu") -> Downstream:
        """The head of a unit, as it was fitted.

        Args:
            fitted: The unit.
            upstream: Its upstream.
            device: Where to compute.

        Raises:
            BenchError: The file is damaged, or was changed since it was recorded.
        """
        record, head = fitted.record, self._registry.downstream(self._cell.downstream, device)
        if head.needs == "waveform":
            head.upstream = upstream
        self._take(fitted.path, None if record.weights is None else record.weights.trained_sha256, head, record)
        return head

    def _take(self, path: Path, sha256: str | None, head: Downstream, record: Record) -> None:
        """Give a head what a file holds, if that is still what a record says of it."""
        again = self.command(record.fold, record.seed)
        if sha256 not in (None, file_sha256(path)):
            raise BenchError(f"{path} is not what was recorded", again)
        try:
            take(path, head)
        except BenchError as error:
            raise BenchError(f"{path.parent}: {error.message}", f"remove it, then {again}") from error


def _trainings(upstream: Upstream) -> Iterator[Training]:
    """The cells that have trained an upstream, step by step, as they were asked for."""
    for row in tuned_in(upstream):
        yield from (*_trainings(row.start), row.training)


def _preference(unit: KeptUnit) -> tuple[int, str]:
    """Larger for what is rather taken."""
    return (-PREFERRED.index(unit.record.protocol), unit.record.provenance.created)


def _told(records: Iterable[Record]) -> str:
    """Which folds and seeds: "folds 0, 1 (seed 0)"."""
    seeds: dict[str, set[int]] = {}
    for record in sorted(records, key=lambda one: one.task.folds.index(one.fold)):
        seeds.setdefault(record.fold, set()).add(record.seed)
    folds: dict[tuple[int, ...], list[str]] = {}
    for fold, some_seeds in seeds.items():
        folds.setdefault(tuple(sorted(some_seeds)), []).append(fold)
    return join(
        [
            f"fold{'s' if len(names) > 1 else ''} {some(names, NAMED)} "
            f"(seed{'s' if len(of) > 1 else ''} {some([str(one) for one in of], NAMED)})"
            for of, names in folds.items()
        ]
    )
