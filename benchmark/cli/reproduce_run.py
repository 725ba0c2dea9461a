"""What `bench reproduce` runs, and what it says of that before: units, hours and disk, with what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.terminal import TerminalProgress, print_json, print_table, stdout
from benchmark.errors import BenchError, MissingError
from benchmark.text import NONE, bytes_text, decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmark.io.settings import Settings
    from benchmark.records import Record
    from benchmark.registry.registry import Registry
    from benchmark.run.plan import CellPlan, Request
    from benchmark.run.unit import Material

HOUR = 3600


def do(requests: Iterable[Request], registry: Registry, settings: Settings) -> bool:
    """Run cells; whether something failed. One that cannot be run stops no other."""
    from benchmark.run.loop import run

    progress, failed = TerminalProgress(), False
    for request in requests:
        try:
            outcomes = run(request, registry, settings, progress)
            failed = failed or any(one.failed or one.failed_earlier for one in outcomes)
        except BenchError as error:
            failed = failed or not isinstance(error, MissingError)
            progress.problem(f"{request.upstreams[0]} + {request.downstreams[0]} on {request.tasks[0]}: {error}")
    return failed


def foresee(requests: Sequence[Request], registry: Registry, settings: Settings, *, as_json: bool) -> None:
    """Print what running some cells would take."""
    from benchmark.features.views import total_bytes, total_encodings
    from benchmark.run.plan import make_plan, setup_of, weights_bytes
    from benchmark.run.worker import Worker

    progress = TerminalProgress()
    folders = [one for one in record_folders([settings.results], True) if one.is_dir()]
    found = read_records(folders).records if requests else ()
    records = list({one.id: one for each in found for one in each if one.status == "completed"}.values())
    plans: list[dict[str, Any]] = []
    cells: list[CellPlan] = []
    workers: dict[object, Worker] = {}
    for request in requests:
        worker = workers.setdefault(request.phones, Worker(setup_of(request, settings, registry.plugins), registry))
        try:
            (cell,) = make_plan(request, worker, progress)
        except BenchError as error:
            progress.problem(f"{request.upstreams[0]} + {request.downstreams[0]} on {request.tasks[0]}: {error}")
            continue
        cells.append(cell)
        plans.append(_plan(cell, worker.material(cell.names.task, progress), records))
    if as_json:
        print_json(plans)
        return
    if not plans:
        stdout().print("nothing can be run here", markup=False)
        return
    columns = ["task", "upstream", "downstream", "units", "to encode", "hours of audio", "encoding h", "fitting h"]
    rows = [
        [
            *(plan[key] for key in ("task", "upstream", "downstream", "units", "to_encode")),
            decimal(plan["audio_h"], 2),
            *(NONE if plan[key] is None else decimal(plan[key], 2) for key in ("encoding_h", "fitting_h")),
            bytes_text(plan["disk_bytes"]),
        ]
        for plan in plans
    ]
    print_table("plan", [*columns, "disk"], rows, right=[*columns[3:], "disk"])
    demands = [demand for cell in cells for demand in cell.demands]
    features = total_bytes(demands)
    disk = None if features is None else features + weights_bytes(cells)[0]
    unknown = sum(plan["fitting_h"] is None for plan in plans)
    hours = sum(plan["encoding_h"] + (plan["fitting_h"] or 0.0) for plan in plans)
    more = f", and what {unknown} of {len(plans)} cells take to fit, which is not known" if unknown else ""
    told = [
        f"in all: {total_encodings(demands)} utterances to encode, {bytes_text(disk)} of disk, "
        f"{decimal(hours, 2)} hours{more}; features that cells share are counted for each",
        *dict.fromkeys(f"encoding: {plan['encoding_rests_on']}" for plan in plans),
        *dict.fromkeys(f"fitting: {plan['fitting_rests_on']}" for plan in plans),
        "hours are those of the machines that made the records",
    ]
    for line in told:
        stdout().print(line, markup=False, style="dim", soft_wrap=True)


def _plan(cell: CellPlan, material: Material, records: Sequence[Record]) -> dict[str, Any]:
    from benchmark.reproduction.costs import encoding, fitting

    durations = {heard.sha256: heard.duration for heard in material.heard.values()}
    audio_s = sum(durations.get(key, 0.0) for key in {key for demand in cell.demands for key in demand.bytes})
    sizes = {fold.name: len(fold.train) for fold in material.dataset.folds}
    upstream, head = cell.parts.upstream.name, cell.parts.downstream.name
    encoded = encoding(upstream, audio_s, records)
    fitted = fitting(upstream, head, [sizes[unit.fold] for unit in cell.todo], records)
    return {
        "task": cell.parts.task.name,
        "upstream": upstream,
        "downstream": head,
        "units": len(cell.todo),
        "to_encode": cell.to_encode,
        "audio_h": audio_s / HOUR,
        "encoding_h": (encoded.seconds or 0.0) / HOUR,
        "encoding_rests_on": encoded.rests_on,
        "fitting_h": None if fitted.seconds is None else fitted.seconds / HOUR,
        "fitting_rests_on": fitted.rests_on,
        "disk_bytes": cell.disk_bytes,
    }
