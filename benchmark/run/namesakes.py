"""Systems of one name that are not one: refused where a run asks for both, told of where records have the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from benchmark.base.identity import identity_of
from benchmark.errors import UsageError
from benchmark.records import RecordStore, UpstreamPart
from benchmark.text import some

if TYPE_CHECKING:
    from benchmark.run.plan import CellPlan, Request
    from benchmark.run.worker import Worker


def told_apart(worker: Worker, request: Request) -> list[str]:
    """The upstreams that are asked for, each once. Records tell upstreams and tasks apart by their names alone.

    Raises:
        UsageError: Two upstreams or two tasks that are not one have one name, such as folders of one last name.
    """
    chosen: dict[str, str] = {}
    for asked in dict.fromkeys(request.upstreams):
        upstream = worker.upstream(asked)
        first = chosen.setdefault(upstream.name, asked)
        if first != asked and identity_of(worker.upstream(first)) != identity_of(upstream):
            raise UsageError(
                f"{first!r} and {asked!r} are both called {upstream.name!r}, and are not one",
                "a row has the last name of its folder: rename one, or give it the name of a checkpoint by --weights",
            )
    tasks: dict[str, tuple[str, str]] = {}
    for asked in dict.fromkeys(request.tasks):
        task = worker.registry.task(asked)
        first, digest = tasks.setdefault(task.name, (asked, task.sha256))
        if digest != task.sha256:
            raise UsageError(f"{first!r} and {asked!r} are both called {task.name!r}, and are not one", "rename one")
    return list(chosen.values())


def namesakes(cells: Sequence[CellPlan], records: RecordStore) -> Iterator[str]:
    """What to say of new cells that have a namesake here: records of another upstream of the same name."""
    new = [cell for cell in cells if len(cell.todo) == len(cell.units)]
    if not new:
        return
    here = records.read(new[0].parts.task.name).without_doubtful()
    for cell in new:
        mine = cell.parts
        others = {
            record.upstream.weights_sha256 or record.upstream.sha256
            for record in here
            if (record.upstream.name, record.downstream.name) == (mine.upstream.name, mine.downstream.name)
            and record.upstream.sha256 != mine.upstream.sha256
        }
        if others:
            known = some(sorted(one[:12] for one in others), 3)
            yield (
                f"{mine.upstream.name} + {mine.downstream.name} on {mine.task.name} has records of other weights, "
                f"parameters or version ({known}; now {_digest_of(mine.upstream)}): a board shows the newest that are "
                "complete; rename the folder of the weights to keep both"
            )


def _digest_of(upstream: UpstreamPart) -> str:
    return (upstream.weights_sha256 or upstream.sha256)[:12]
