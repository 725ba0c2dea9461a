"""What a process does for a run elsewhere: encode some recordings, fit some units. Plain values in, plain values out.

What is made lies in the cache and in the results, which all processes share; only digests and reasons travel back.
"""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import benchmark
from benchmark.errors import BenchError, MissingError
from benchmark.io.packages import versions
from benchmark.progress import Unheard
from benchmark.records import RecordStore
from benchmark.run.provenance import hub_sha256
from benchmark.run.unit import Names, PlannedUnit, Setup
from benchmark.run.worker import Worker
from benchmark.threads import resolve_device, threads

# What must be the same in every process of a run. Numbers can depend on it.
SAME = ("torch", "numpy", "scikit-learn", "transformers", "soundfile", "soxr", "safetensors")


@dataclass(frozen=True)
class Briefing:
    """What every job of a run is told.

    Attributes:
        setup: Where things are.
        folder: The folder in which the run was started: what it names relatively is looked for there.
        versions: Of the process that made the plan.
        device: "auto", "cpu" or "cuda".
        run: A name of its own for each run, so that a process that outlives one reads everything again for the next.
    """

    setup: Setup
    folder: str
    versions: tuple[tuple[str, str], ...]
    device: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Piece:
    """Recordings that are encoded by one job.

    Attributes:
        names: A cell that needs them.
        folder: Name of the folder of the feature store that they go into.
        keys: Digest of the audio of each.
        audio_s: Duration of all [s].
    """

    names: Names
    folder: str
    keys: tuple[str, ...]
    audio_s: float


@dataclass(frozen=True)
class FinishedUnit:
    """What became of a unit.

    Attributes:
        label: Its fold and seed.
        id: Of its record, which is written.
        reason: Why it failed; None where it is completed.
        encode_s: Time once spent on encoding the utterances of its task [s]; None where that is not known.
        fit_s: Time from the features to the record [s].
    """

    label: str
    id: str
    reason: str | None
    encode_s: float | None
    fit_s: float


def versions_here() -> tuple[tuple[str, str], ...]:
    """Versions of what decides numbers, of this process."""
    ours = {
        "python": platform.python_version(),
        "serbench": benchmark.__version__,
        "code of serbench": hub_sha256()[:12],
    }
    return (*ours.items(), *versions(SAME).items())


def about(briefing: Briefing, cells: Sequence[Names]) -> dict[str, str]:
    """What a process has of all that some cells need, by what it is: a digest or version each, or why it is not there.

    Equal everywhere, but for whoever lacks something.
    """
    with TURN:
        return _about(briefing, cells)


def _about(briefing: Briefing, cells: Sequence[Names]) -> dict[str, str]:
    found = dict(versions_here())
    try:
        worker = _worker(briefing)
    except (BenchError, OSError) as error:
        return {**found, "plug-ins and folders": f"not there: {error}"}
    for name in dict.fromkeys(cell.upstream for cell in cells):
        try:
            found[f"weights of {name}"] = worker.upstream(name).weights_sha256() or "none"
        except BenchError as error:
            found[f"weights of {name}"] = f"not there: {error}"
    tasks = [name for cell in cells for name in (cell.task, *worker.tuning.tasks(cell.upstream))]
    for name in dict.fromkeys(tasks):
        for corpus in worker.registry.corpora_of(worker.registry.task(name)):
            try:
                place = worker.settings.find_data(name, corpus.name)
            except BenchError as error:
                found[f"corpus {corpus.name}"] = f"not there: {error}"
                continue
            found[f"corpus {corpus.name}"] = "made here" if place is None else str(Path(place).absolute())
    if briefing.setup.phones is not None:
        place = briefing.setup.phones.absolute()
        found["phone alignments"] = str(place) if place.is_dir() else f"not there: {place}"
    return found


def encode(briefing: Briefing, piece: Piece) -> float:
    """Encode what is not stored yet of some recordings.

    Returns:
        The time it took [s].

    Raises:
        EncodingError: The upstream fails on a recording.
        BenchError: What would be encoded here is not what the plan means.
    """
    with TURN:
        return _encode(briefing, piece)


def _encode(briefing: Briefing, piece: Piece) -> float:
    worker = _checked(briefing)
    material = worker.material(piece.names.task, Unheard())
    worker.upstream(piece.names.upstream).device = resolve_device(briefing.device)
    started = time.perf_counter()
    store = next((one for one in worker.view(piece.names).stores() if one.folder.name == piece.folder), None)
    if store is None:
        raise BenchError(
            f"the features of {piece.names.upstream!r} are other ones on {platform.node()} than in the plan",
            "code, weights and versions must be the same wherever a run works",
        )
    store.store(material.dataset, material.heard, piece.keys, Unheard())
    return time.perf_counter() - started


def fit(briefing: Briefing, units: Sequence[PlannedUnit]) -> list[FinishedUnit]:
    """Fit and record some units of one cell, one after another in one thread.

    Raises:
        BenchError: What would be fitted here is not what the plan means, or a record cannot be written.
    """
    with TURN:
        return _fit(briefing, units)


def _fit(briefing: Briefing, units: Sequence[PlannedUnit]) -> list[FinishedUnit]:
    worker, done = _checked(briefing), []
    records, device = RecordStore(worker.settings.results), resolve_device(briefing.device)
    with threads(1):
        for unit in units:
            started = time.perf_counter()
            result = worker.fit(unit, device, Unheard())
            records.write(result.record, result.predictions)
            worker.forget(unit)
            taken = time.perf_counter() - started
            done.append(FinishedUnit(unit.label, unit.id, result.record.reason, result.record.cost.encode_s, taken))
    return done


# A process works on one job at a time, for whatever run: what a run names relatively is looked for in its folder, and a
# process is in one folder.
TURN = threading.Lock()
_kept: tuple[Briefing, Worker] | None = None


def _worker(briefing: Briefing) -> Worker:
    """The worker of this process, which keeps what it has loaded from one job of a run to the next."""
    global _kept  # noqa: PLW0603 - one for each process, as long as the process lives
    if _kept is None or _kept[0] != briefing:
        if not Path(briefing.folder).is_dir():
            raise MissingError(
                f"the folder {briefing.folder} in which the run was started is not on {platform.node()}",
                "start it in a folder that all workers see",
            )
        os.chdir(briefing.folder)
        _kept = briefing, Worker(briefing.setup)
    return _kept[1]


def _checked(briefing: Briefing) -> Worker:
    """The worker of this process, which may have joined when the others had been asked already.

    Raises:
        BenchError: Versions here are not those of the plan.
    """
    here = dict(versions_here())
    differing = [
        f"{name} {here[name]} instead of {version}" for name, version in briefing.versions if here[name] != version
    ]
    if differing:
        raise BenchError(f"{platform.node()} has {', '.join(differing)}", "install the same versions everywhere")
    return _worker(briefing)
