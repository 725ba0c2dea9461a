"""What was fitted, found again by names: records say which unit it is, and its file has what was learnt.

No recording of the task is needed for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.base import Downstream, Upstream
from benchmark.base.tuned import Training, Tuned, Weighted, with_weights
from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import digest, file_sha256
from benchmark.io.settings import Settings
from benchmark.records import Record, RecordStore, StepPart
from benchmark.registry.registry import Registry
from benchmark.run.tuning import kept_path, take
from benchmark.text import nearest

HEADS = "heads"  # folder beside the records of a task


def head_path(results: Path, task: str, unit_id: str) -> Path:
    """Where a head lies that was kept because it was asked for."""
    return results / task / HEADS / f"{unit_id}.safetensors"


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

    Raises:
        UsageError: A name is unknown.
    """

    def __init__(self, cell: Training, registry: Registry, settings: Settings) -> None:
        self._cell, self._registry, self._settings = cell, registry, settings
        self.task = registry.task(cell.task)
        self.row = registry.upstream(cell.upstream, settings.find_weights)
        self.head_name = registry.downstream_entry(cell.downstream).name

    def find(self, fold: str | None = None, seed: int | None = None) -> list[KeptUnit]:
        """Those of some folds and seeds, the newest of each; in the order of the folds.

        Args:
            fold: Only of this one.
            seed: Only of this one.

        Raises:
            UsageError: There is no such fold.
            MissingError: None is kept; the message has the command that keeps them.
        """
        names = (self.row.name, self.head_name)
        records = [
            record
            for record in RecordStore(self._settings.results).read(self.task.name).records
            if (record.upstream.name, record.downstream.name) == names
            and record.task.sha256 == self.task.sha256
            and record.status == "completed"
        ]
        folds = list(dict.fromkeys(name for record in records for name in record.task.folds))
        if fold is not None and folds and fold not in folds:
            raise UsageError(f"the task {self.task.name!r} has no fold {fold!r}", nearest(fold, folds))
        found: dict[tuple[str, int], KeptUnit] = {}
        for record in sorted(records, key=lambda one: one.provenance.created):
            path = self._path(record)
            if fold in (None, record.fold) and seed in (None, record.seed) and path.is_file():
                found[record.fold, record.seed] = KeptUnit(record, path)
        if not found:
            where = "" if fold is None else f" of fold {fold!r}"
            more = "" if fold is None else f" --fold {fold}"
            raise MissingError(
                f"no head{where} is kept of {self.task.name} / {self.row.name} / {self.head_name}",
                f"bench run --task {self._cell.task} --upstream {self._cell.upstream} "
                f"--downstream {self._cell.downstream}{more} --keep-heads",
            )
        return [found[unit] for unit in sorted(found, key=lambda unit: (folds.index(unit[0]), unit[1]))]

    def _path(self, record: Record) -> Path:
        if record.downstream.needs == "waveform":
            return kept_path(self._settings.cache, record.id)
        return head_path(self._settings.results, record.task.name, record.id)

    def upstream(self, fitted: KeptUnit) -> Upstream:
        """The upstream that a unit had, with the weights of its fold.

        Raises:
            MissingError: Weights that were trained are not here any more.
            BenchError: The weights here are other ones than the unit had.
        """
        record = fitted.record
        if self.row.weights_sha256() != record.upstream.weights_sha256:
            raise BenchError(
                f"the weights of {self.row.name!r} are other ones than {self.task.name}, fold {record.fold!r}, had",
                "give the same weights, or run again",
            )
        steps = () if record.weights is None else tuple(record.weights.steps)
        return with_weights(self.row, lambda row: self._weighted(row, steps))

    def _weighted(self, row: Tuned, steps: Sequence[StepPart]) -> Upstream:
        title = row.title
        alike = [step for step in steps if (step.start, step.downstream) == (title.upstream, title.downstream)]
        step = next((step for step in alike if step.task == title.task), alike[0] if alike else None)
        path = None if step is None or step.unit is None else kept_path(self._settings.cache, step.unit)
        if step is None or path is None or not path.is_file() or file_sha256(path) != step.weights_sha256:
            raise MissingError(f"the weights of {row.name!r} are not kept any more", "run the cell again: --rerun all")
        start = with_weights(row.start, lambda below: self._weighted(below, steps))
        head = self._registry.downstream(row.training.downstream)
        head.upstream = start
        take(path, head)
        return Weighted(head.tuned(), row, digest([start.weights_sha256(), step.weights_sha256]))

    def head(self, fitted: KeptUnit, upstream: Upstream, device: str = "cpu") -> Downstream:
        """The head of a unit, as it was fitted.

        Args:
            fitted: The unit.
            upstream: Its upstream.
            device: Where to compute.

        Raises:
            BenchError: The file is damaged, or was changed since it was recorded; or the recipe has other values.
        """
        record, head = fitted.record, self._registry.downstream(self._cell.downstream, device)
        trained = None if record.weights is None else record.weights.trained_sha256
        if trained not in (None, file_sha256(fitted.path)):
            raise BenchError(f"{fitted.path.name} is not what was recorded", "remove it and run again")
        if head.params.model_dump(mode="json") != record.downstream.params:
            raise BenchError(
                f"{self.head_name!r} was fitted with other values than its recipe has", "give the same recipe or --set"
            )
        if head.needs == "waveform":
            head.upstream = upstream
        take(fitted.path, head)
        return head
