"""The record of one unit of work: what happened, with everything needed to trust it.

A unit is (task, upstream, downstream, fold, seed). Its id is a digest of what decides the number and of nothing else,
so the same work is recognised wherever and however it was run. Records carry per-speaker statistics from which every
metric and interval is computed again; they hold no label of an utterance and no path. A file that is read
(`file_format`) is bounded, made of today's shape (`upgrades`), checked against the schema (`schema`) and against
itself (`verify`).
"""

from benchmark.records.file_format import check_seals, pack, parse_records, read_file, sealed
from benchmark.records.schema import (
    CalibrationPart,
    ClustersPart,
    CodePart,
    CorpusPart,
    Cost,
    Counts,
    DownstreamPart,
    Protocol,
    Provenance,
    Record,
    SelectionPart,
    StepPart,
    TaskPart,
    UpstreamPart,
    WeightsPart,
)
from benchmark.records.store import Reading, RecordStore
from benchmark.records.verify import all_statistics, metrics_of, statistics_of, verify

__all__ = [
    "CalibrationPart",
    "ClustersPart",
    "CodePart",
    "CorpusPart",
    "Cost",
    "Counts",
    "DownstreamPart",
    "Protocol",
    "Provenance",
    "Reading",
    "Record",
    "RecordStore",
    "SelectionPart",
    "StepPart",
    "TaskPart",
    "UpstreamPart",
    "WeightsPart",
    "all_statistics",
    "check_seals",
    "metrics_of",
    "pack",
    "parse_records",
    "read_file",
    "sealed",
    "statistics_of",
    "verify",
]
