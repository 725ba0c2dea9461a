"""Whether a record agrees with itself, and its statistics as arrays: nothing that it states has to be believed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.metrics import Metric, find
from benchmark.records.schema import Record
from benchmark.sufficient import CALIBRATION, SufficientStatistics
from benchmark.types import UNKNOWN_SPEAKER

# How far a stated metric may lie from the computed one, relative or absolute: room for float64, not for another score.
TOLERANCE = 1e-9
MAX_UNITS = 1_000_000  # folds times seeds
PSEUDONYM = re.compile(r"[0-9a-f]{16}")  # see benchmark/records/hiding.py
SHA256 = re.compile(r"[0-9a-f]{64}")


def verify(*records: Record) -> None:
    """Check that records agree with themselves, so that nothing they state has to be believed.

    Digests must be hexadecimal. Of a completed one the counts of the test set and every metric must be those of its
    per-speaker statistics, which some utterances must be able to give; a failed one has neither metrics nor statistics.

    Raises:
        BenchError: One does not; the message names the record, what it states and what its statistics give.
    """
    completed = [record for record in records if record.status == "completed"]
    found = _at_once(completed)
    known = {} if found is None else dict(zip(map(id, completed), found, strict=True))
    totals: dict[tuple[str, ...], list[tuple[Record, NDArray[np.float64]]]] = {}
    shared: set[tuple[int, ...]] = set()
    for record in records:
        parts = tuple(map(id, (record.task, record.upstream, record.downstream, record.provenance)))
        if parts not in shared:
            _verify_parts(record)
            shared.add(parts)
        total = _verified_total(record, known.get(id(record)))
        if total is not None:
            key = (record.task.kind, *record.task.metrics, str(total.shape))
            totals.setdefault(key, []).append((record, total))
    # Those of a file are computed at once: one by one, reading a board would take several times as long.
    for alike in totals.values():
        stacked = np.stack([total for _, total in alike])
        for metric in metrics_of(alike[0][0]):
            for (record, _), computed in zip(alike, metric.compute(stacked).tolist(), strict=True):
                score = record.metrics[metric.name]
                if not math.isclose(score, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                    text = f"metrics.{metric.name} is {score}, but its statistics give {computed}"
                    raise BenchError(f"{_named(record)}: {text}", "remove it and run again")


def digests_of(record: Record) -> dict[str, str]:
    """Every sha256 in a record, by the key where it stands."""
    task, upstream = record.task, record.upstream
    digests = {
        "task.sha256": task.sha256,
        "task.folds_sha256": task.folds_sha256,
        "task.corpus.index_sha256": task.corpus.index_sha256,
        "task.corpus.audio_sha256": task.corpus.audio_sha256,
        "upstream.sha256": upstream.sha256,
        "downstream.sha256": record.downstream.sha256,
        "provenance.code_sha256": record.provenance.code_sha256,
    }
    if upstream.weights_sha256 is not None:
        digests["upstream.weights_sha256"] = upstream.weights_sha256
    for name, part in (("upstream", record.provenance.upstream), ("downstream", record.provenance.downstream)):
        if part is not None:
            digests[f"provenance.{name}.code_sha256"] = part.code_sha256
    return digests


def _named(record: Record) -> str:
    return f"record {record.id!r} ({record.task.name}, fold {record.fold!r}, seed {record.seed})"


def _verified_total(record: Record, known: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """The sum of a record's statistics, once all but its metrics is verified; None for a failed one.

    Args:
        record: It.
        known: Its statistics (S, a, b), where they are known to be possible.
    """
    where, again = _named(record), "remove it and run again"
    _verify_clusters(record, where)
    if record.status == "failed":
        if record.metrics or record.by_speaker or record.calibration is not None:
            raise BenchError(f"{where} failed, but has metrics or statistics", again)
        return None
    if record.metrics.keys() != set(record.task.metrics):
        raise BenchError(f"{where} has the metrics {sorted(record.metrics)}, not {record.task.metrics}", again)
    kind = record.task.statistics
    statistics = statistics_of(record) if known is None else known
    if known is None and not (possible := kind.are_possible(statistics)).all():
        speaker = list(record.by_speaker)[int(possible.argmin())]
        raise BenchError(f"{where} has for speaker {speaker!r} {kind.impossible}", again)
    total: NDArray[np.float64] = statistics.sum(axis=0)
    for key, found in _counted(record, total).items():
        stated = getattr(record.counts, key)
        if stated != found:
            raise BenchError(f"{where}: counts.{key} is {stated}, but its statistics give {found}", again)
    _verify_calibration(record, statistics, where)
    return total


def _verify_parts(record: Record) -> None:
    """Check what the units of a cell share: protocol, system and provenance."""
    where, again = _named(record), "remove it and run again"
    metrics_of(record)
    if len(record.task.folds) * len(record.task.seeds) > MAX_UNITS:
        raise BenchError(f"{where} is of a task of more than {MAX_UNITS} folds and seeds", again)
    for key, value in digests_of(record).items():
        if not SHA256.fullmatch(value):
            raise BenchError(f"{where}: {key} is {value!r:.80}, which is no sha256 in hexadecimal", again)


def _verify_clusters(record: Record, where: str) -> None:
    """Check what a record says of its clusters."""
    clusters, again = record.clusters, "remove it and run again"
    if surplus := sorted(clusters.gender.keys() - record.by_speaker.keys()):
        raise BenchError(f"{where} has the gender of {surplus[0]!r}, who is not tested", again)
    if not clusters.salted:
        return
    if clusters.salt is not None:
        raise BenchError(f"{where} hides its speakers and has the salt that tells them", again)
    names = [*record.by_speaker, *([record.fold, *record.task.folds] if clusters.folds else ())]
    for name in names:
        if name != UNKNOWN_SPEAKER and not PSEUDONYM.fullmatch(name):
            raise BenchError(f"{where} says that names are hidden, and has {name!r:.80}", again)


def _verify_calibration(record: Record, statistics: NDArray[np.float64], where: str) -> None:
    """Check the sums of probabilities: they are of the decisions that are counted, and possible."""
    found, again = record.calibration, "remove it and run again"
    if found is None:
        return
    if record.task.kind != "classification":
        raise BenchError(f"{where} has probabilities of classes, and is of a task of {record.task.kind}", again)
    is_fitted = found.temperature is not None
    if {is_fitted} != {found.after is not None, found.on is not None, found.without is None}:
        raise BenchError(f"{where}: calibration has a temperature without what belongs to it, or the reverse", again)
    if found.temperature is not None and found.temperature <= 0:
        raise BenchError(f"{where}: calibration.temperature is {found.temperature}", again)
    for key, by_speaker in (("before", found.before), ("after", found.after)):
        if by_speaker is None:
            continue
        sums = arrays_of(by_speaker, CALIBRATION, record, f"{where}: calibration.{key}")
        if list(by_speaker) != list(record.by_speaker):
            raise BenchError(f"{where}: calibration.{key} is of other speakers than by_speaker", again)
        counted = np.stack([statistics.sum(axis=(-2, -1)), np.trace(statistics, axis1=-2, axis2=-1)])
        said = np.stack([CALIBRATION.utterances(sums), CALIBRATION.right(sums)])
        if not (apart := (counted != said).any(axis=0)).any() and CALIBRATION.are_possible(sums).all():
            continue
        speaker = list(by_speaker)[int((apart | ~CALIBRATION.are_possible(sums)).argmax())]
        text = "other decisions than are counted" if apart.any() else CALIBRATION.impossible
        raise BenchError(f"{where}: calibration.{key} has for speaker {speaker!r} {text}", again)


def metrics_of(record: Record) -> list[Metric]:
    """The metrics of a record's task, primary first.

    Raises:
        BenchError: There is none, or one is unknown or of another kind than the task.
    """
    metrics = [find(name) for name in record.task.metrics]
    if len(set(record.task.metrics)) < len(metrics):
        raise BenchError(f"record {record.id!r} of {record.task.name!r} has a metric twice", "each stands there once")
    if {metric.kind for metric in metrics} != {record.task.kind}:
        raise BenchError(
            f"record {record.id!r} of {record.task.name!r} has the metrics {record.task.metrics}",
            f"a task has at least one metric, and all of them for {record.task.kind}",
        )
    return metrics


def statistics_of(record: Record) -> NDArray[np.float64]:
    """The statistics of a completed record as an array, once they can be statistics at all.

    Returns:
        (S, K, K) confusion counts or (S, k, 6) moments of S speakers, in the order of `by_speaker`.

    Raises:
        BenchError: There is no speaker; or a speaker's statistics do not suit the task, or no utterances can give them.
    """
    where = f"record {record.id!r} ({record.task.name}, fold {record.fold!r})"
    if not record.by_speaker:
        raise BenchError(f"{where} has no test speaker", "remove the record and run again")
    return arrays_of(record.by_speaker, record.task.statistics, record, where)


def all_statistics(records: Sequence[Record]) -> list[NDArray[np.float64]]:
    """`statistics_of` of several records, those of a cell at once: one by one takes several times as long.

    Raises:
        BenchError: As `statistics_of`, of the first that is at fault.
    """
    found = _at_once(records)
    return [statistics_of(record) for record in records] if found is None else found


def _at_once(records: Sequence[Record]) -> list[NDArray[np.float64]] | None:
    """The statistics of completed records of one shape; None where anything is wrong, which one by one shows."""
    if len({(record.task.kind, len(record.task.outputs)) for record in records}) != 1:
        return None
    kind, outputs = records[0].task.statistics, len(records[0].task.outputs)
    speakers = [rows for record in records for rows in record.by_speaker.values()]
    try:
        array = np.array(speakers, dtype=np.float64)
    except ValueError:  # they have several shapes
        return None
    ends = list(accumulate(len(record.by_speaker) for record in records))
    starts = [0, *ends[:-1]]
    if array.shape != (len(speakers), *kind.shape(outputs)) or starts[-1] == ends[-1] or len({*starts}) < len(starts):
        return None
    if not (kind.have_whole_numbers(array) & kind.are_possible(array)).all():
        return None
    return [array[start:end] for start, end in zip(starts, ends, strict=True)]


def arrays_of(
    by_speaker: Mapping[str, Sequence[Sequence[float]]], kind: SufficientStatistics, record: Record, where: str
) -> NDArray[np.float64]:
    """Statistics of speakers as an array (S, a, b), once they can be statistics at all.

    Args:
        by_speaker: Of at least one.
        kind: What they are.
        record: In which they stand.
        where: What to call it in an error.

    Raises:
        BenchError: They do not suit the task, or no utterances can give them.
    """
    again = "remove the record and run again"
    shape = list(kind.shape(len(record.task.outputs)))
    for speaker, values in by_speaker.items():
        if [len(values), *{len(row) for row in values}] != shape:
            text = f"{where} has for speaker {speaker!r} statistics that are not {shape[0]} x {shape[1]}"
            raise BenchError(text, again)
    array = np.array(list(by_speaker.values()), dtype=np.float64).reshape(-1, *shape)
    if not (whole := kind.have_whole_numbers(array)).all():
        speaker = list(by_speaker)[int(whole.argmin())]
        raise BenchError(f"{where} has for speaker {speaker!r} impossible numbers of utterances", again)
    return array


def _counted(record: Record, total: NDArray[np.float64]) -> dict[str, int | dict[str, int]]:
    """What the counts of a record must be, from the total (a, b) of its statistics."""
    kind = record.task.statistics
    known = len(record.by_speaker.keys() - {UNKNOWN_SPEAKER}) if record.clusters.unit == "speaker" else 0
    return {
        "test": int(kind.utterances(total)),
        "test_speakers": known,
        "per_class": kind.per_class(total, record.task.outputs),
    }
