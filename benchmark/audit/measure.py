"""Measuring a dataset: counts, overlaps and giveaways, without judging them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmark.audit.columns import Coded, Columns, Positions, columns
from benchmark.audit.findings import judge
from benchmark.audit.giveaways import contingency, from_durations, from_groups
from benchmark.audit.overlaps import across, overlaps
from benchmark.audit.report import (
    COMPARED,
    SETS,
    Audit,
    Copy,
    CorpusAudit,
    Distribution,
    Durations,
    FoldAudit,
    Giveaway,
    Identical,
    MeanAndDeviation,
    Overlap,
    SentenceOverlap,
    SetAudit,
    SetName,
)
from benchmark.base import Corpus
from benchmark.data.listening import Heard
from benchmark.protocol.dataset import Dataset
from benchmark.types import Fold


def audit(dataset: Dataset, heard: Mapping[str, Heard] | None = None) -> Audit:
    """Audit the folds of a task.

    Args:
        dataset: The task with its utterances.
        heard: Digest and duration of each utterance; without it durations and identical audio are not looked for.
    """
    task, table = dataset.task, columns(dataset, heard or {})
    overlapping, crowds = overlaps(table, dataset, heard or {})
    result = Audit(
        task=task.name,
        version=task.version,
        kind=task.kind,
        outputs=task.outputs,
        corpora=tuple(_corpus(corpus, i, table, dataset) for i, corpus in enumerate(dataset.corpora)),
        folds=tuple(_fold(fold, table, dataset, overlapping) for fold in dataset.folds),
        identical=_identical(table, dataset),
        overlaps=overlapping,
        crowds=crowds,
    )
    return replace(result, findings=judge(dataset, result, heard or {}))


def _corpus(corpus: Corpus, number: int, table: Columns, dataset: Dataset) -> CorpusAudit:
    task = dataset.task
    rows = np.flatnonzero(table.corpora.codes[: table.examples] == number)
    classes, speakers = table.classes.codes[rows], table.speakers.codes[rows]
    giveaways: dict[str, Giveaway | None] = dict.fromkeys(("speaker", "sentence", "duration"))
    single: tuple[str, ...] = ()
    if task.labels:
        known = speakers >= 0
        own = contingency(speakers[known], classes[known], len(table.speakers.names), len(task.labels))
        single = table.speakers.named((own > 0).sum(axis=1) == 1)
        giveaways["speaker"] = from_groups(speakers, classes, len(task.labels))
        giveaways["sentence"] = from_groups(table.sentences.codes[rows], classes, len(task.labels))
        if task.context is None:
            giveaways["duration"] = from_durations(table.durations[rows], classes, len(task.labels))
    return CorpusAudit(
        name=corpus.name,
        utterances=len(rows),
        speakers=int(table.speakers.marks(rows).sum()),
        without_speaker=int((speakers < 0).sum()),
        genders=_seen(table.genders, rows),
        durations=_durations(rows, table),
        values={name: _spread(corpus, name, k, rows, table) for k, name in enumerate(task.dimensions) if len(rows)},
        one_class_speakers=single,
        sentences=int(table.sentences.marks(rows).sum()) or None,
        giveaways=giveaways,
    )


def _seen(column: Coded, rows: Positions) -> dict[str, int]:
    return {name: number for name, number in column.counts(rows).items() if number}


def _durations(rows: Positions, table: Columns) -> dict[str, Durations]:
    seconds, classes = table.durations[rows], table.classes.codes[rows]
    heard = np.isfinite(seconds)
    groups = {name: heard & (classes == i) for i, name in enumerate(table.classes.names)} or {"all": heard}
    found = {}
    for name, members in groups.items():
        if members.any():
            own = seconds[members]
            found[name] = Durations(
                utterances=len(own),
                total=float(own.sum()),
                median=float(np.median(own)),
                shortest=float(own.min()),
                longest=float(own.max()),
            )
    return found


def _spread(corpus: Corpus, dimension: str, k: int, rows: Positions, table: Columns) -> Distribution:
    values, scale = table.values[rows, k], corpus.scales.get(dimension)
    outside = np.zeros(len(rows), dtype=np.bool_)
    if scale is not None:
        outside = (values < scale[0]) | (values > scale[1])
    return Distribution(
        mean=float(values.mean()),
        sd=float(values.std()),
        lowest=float(values.min()),
        highest=float(values.max()),
        scale=scale,
        outside=tuple(table.ids[row] for row in rows[outside]),
    )


def _fold(fold: Fold, table: Columns, dataset: Dataset, overlapping: Sequence[Overlap]) -> FoldAudit:
    ids: dict[SetName, tuple[str, ...]] = {"train": fold.train, "dev": fold.dev, "test": fold.test, "adapt": fold.adapt}
    rows = {part: table.of(names) for part, names in ids.items()}
    # What the examples hear: themselves, or what was said before them.
    heard = {part: _heard(names, table, dataset) for part, names in ids.items()} if dataset.context else rows
    speakers = {part: table.speakers.marks(rows[part]) | table.speakers.marks(heard[part]) for part in SETS}
    # With dev = test the dev set is the test set by declaration; only train can leak.
    fitted: tuple[SetName, ...] = ("train",) if fold.dev == fold.test else ("train", "dev")
    in_fitted = speakers["train"] | speakers["dev"] if "dev" in fitted else speakers["train"]
    shared_with_dev = speakers["dev"] & speakers["train"] if "dev" in fitted else np.zeros_like(in_fitted)
    return FoldAudit(
        name=fold.name,
        sets={part: _set(rows[part], int(speakers[part].sum()), table, dataset) for part in SETS},
        shared_speakers=table.speakers.named(speakers["test"] & in_fitted),
        dev_speakers_in_train=table.speakers.named(shared_with_dev),
        test_speakers_in_adapt=table.speakers.named(speakers["test"] & speakers["adapt"]),
        copies=_copies(heard, table, {*fitted, "test", "adapt"}),
        overlaps=across(heard, table, {*fitted, "test", "adapt"}, overlapping),
        sentences=_sentences(rows["test"], np.concatenate([rows[part] for part in fitted]), table),
        missing=tuple(
            f"{part}: {label}"
            for part in ("train", "dev", "test")
            for label, number in table.classes.counts(rows[part]).items()
            if len(rows[part]) and not number
        ),
    )


def _heard(ids: Iterable[str], table: Columns, dataset: Dataset) -> Positions:
    spoken = (name for i in ids for turn in dataset.context[i] for name in turn)
    return table.of(dict.fromkeys(spoken))


def _set(rows: Positions, speakers: int, table: Columns, dataset: Dataset) -> SetAudit:
    values = table.values[rows]
    return SetAudit(
        utterances=len(rows),
        speakers=speakers,
        genders=_seen(table.genders, rows),
        per_class=table.classes.counts(rows),
        values={
            name: MeanAndDeviation(float(values[:, k].mean()), float(values[:, k].std()))
            for k, name in enumerate(dataset.task.dimensions)
            if len(rows)
        },
    )


def _copies(heard: Mapping[SetName, Positions], table: Columns, parts: set[SetName]) -> tuple[Copy, ...]:
    digests = table.audio.codes
    found = []
    for part, other in COMPARED:
        if not {part, other} <= parts or not (len(heard[part]) and len(heard[other])):
            continue
        first = np.full(len(table.audio.names), -1, dtype=np.int64)
        there = heard[other][digests[heard[other]] >= 0][::-1]  # the first of several is written last
        first[digests[there]] = there
        own = heard[part][digests[heard[part]] >= 0]
        for row in own[first[digests[own]] >= 0]:
            found.append(Copy(table.ids[row], part, table.ids[first[digests[row]]], other))
    return tuple(found)


def _sentences(test: Positions, fitted: Positions, table: Columns) -> SentenceOverlap | None:
    seen, own = table.sentences.marks(fitted), table.sentences.codes[test]
    own = own[own >= 0]
    if not len(own):
        return None
    tested: NDArray[np.bool_] = table.sentences.marks(test)
    return SentenceOverlap(len(own), int(seen[own].sum()), int(tested.sum()), int((tested & seen).sum()))


def _identical(table: Columns, dataset: Dataset) -> tuple[Identical, ...]:
    codes = table.audio.codes
    times = np.bincount(codes[codes >= 0], minlength=len(table.audio.names))
    groups: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(codes >= 0):
        if times[codes[row]] > 1:
            groups[int(codes[row])].append(int(row))

    def label(row: int) -> str | None:
        if row >= table.examples:
            return None
        return dataset.labels[table.ids[row]] if dataset.task.labels else _text(table.values[row])

    def different(names: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(sorted({name for name in names if name is not None}))

    utterances = dataset.recordings
    return tuple(
        Identical(
            ids=tuple(table.ids[row] for row in rows),
            speakers=different(utterances[row].speaker for row in rows),
            labels=different(label(row) for row in rows),
        )
        for rows in sorted(groups.values())
    )


def _text(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:g}" for value in values)
