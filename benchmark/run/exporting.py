"""A trained upstream as a folder of its own: configuration, weights, and a card that says where it comes from."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.io.files import check_writable, temporary_prefix
from benchmark.metrics import find
from benchmark.records import Record
from benchmark.registry.building import NOTE
from benchmark.registry.registry import Registry
from benchmark.run.fitted import KeptUnit, Shelf
from benchmark.text import measured

CARD = """---
library_name: transformers
license: other
tags:
- speech-emotion-recognition
- {start}
---

# {name}

The encoder of `{start}`, trained by the downstream `{downstream}` on the task `{task}` (fold `{fold}`, seed {seed}).

    bench run --upstream hf:THIS-FOLDER --task TASK

## Training

{steps}
- Corpus: {corpus}. {title}.
- Recipe: {source}
- Digest of what was trained: `{weights}`

It has heard speakers and recordings of {corpora}. On tasks of these the leaderboard marks it as contaminated, for who
loads this folder may test it on whom it has heard; `tuned:{task}/{start}/{downstream}` is ranked, because there each
fold is encoded by weights that have not.

## Scores

The head that it was trained with, on the test set of this fold alone, {test} utterances:

{scores}

## Licence

- Recordings of the task: {licence}
- The weights that training started from: {start_licence}
"""


def export(shelf: Shelf, fitted: KeptUnit, registry: Registry, folder: Path) -> None:
    """Write the upstream of a unit with its trained weights, low-rank matrices added.

    Args:
        shelf: Has the head.
        fitted: The unit.
        registry: What is known of names.
        folder: Made; it is not there, or empty. It may be a link to an empty one.

    Raises:
        UsageError: Something is in the folder, the cell trains no upstream, or the upstream cannot be written.
        BenchError: What was kept cannot be read, or nothing can be written to the folder.
    """
    record = fitted.record
    if record.downstream.needs != "waveform":
        raise UsageError(
            f"the downstream {record.downstream.name!r} trains no upstream", "finetune, lora and others do"
        )
    check_free(folder)
    head = shelf.head(fitted, shelf.upstream(fitted))
    is_there = folder.exists()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(), dir=folder if is_there else folder.parent) as name:
        written = Path(name) / "model"
        written.mkdir()
        head.write_tuned(written)
        (written / "README.md").write_text(card(shelf, record, registry), encoding="utf-8")
        note = {"trained_on": corpora(shelf, record), "record": record.id}
        (written / NOTE).write_text(json.dumps(note, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        if not is_there:
            written.replace(folder)
            return
        for path in written.iterdir():  # the folder stays: somebody may be in it, or lead to it by a link
            path.replace(folder / path.name)


def check_free(folder: Path) -> None:
    """Refuse a folder that cannot be made, or filled, before anything is read.

    Raises:
        UsageError: There is something.
        BenchError: Nothing can be written there.
    """
    hint = "--out names a folder that is not there, or is empty"
    if folder.is_symlink() and not folder.exists():
        raise UsageError(f"{folder} is a link to {folder.readlink()}, which is not there", hint)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint)
    check_writable(folder, "--out names a folder that can be written")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is there, and not empty", hint)


def corpora(shelf: Shelf, record: Record) -> list[str]:
    """All corpora that the weights have heard recordings of, as far as this benchmark knows."""
    steps = [] if record.weights is None else record.weights.steps
    found = [*record.upstream.trained_on, *(part.corpus for step in steps for part in shelf.tasks[step.task].uses)]
    return list(dict.fromkeys([*found, *record.task.corpus.names]))


def card(shelf: Shelf, record: Record, registry: Registry) -> str:
    """The text of README.md."""
    entry = registry.downstream_entry(record.downstream.name) if _is_known(record, registry) else None
    entries = registry.upstream_entries(record.upstream.name)
    licences = [one.licence for one, _ in entries if one.licence]
    earlier = [] if record.weights is None else record.weights.steps
    steps = [f"- Before: {one.start} by {one.downstream} on {one.task}, fold {one.fold}" for one in earlier]
    rows = [f"| {find(name).title} | {measured(value, find(name).percent)} |" for name, value in record.metrics.items()]
    return CARD.format(
        name=f"{record.upstream.name}, {record.downstream.name} on {record.task.name}",
        start=record.upstream.name,
        downstream=record.downstream.name,
        task=record.task.name,
        title=record.task.title,
        fold=record.fold,
        seed=record.seed,
        steps="\n".join([*steps, f"- {_counted(record)}"]),
        corpus=record.task.corpus.name,
        corpora=", ".join(corpora(shelf, record)),
        source=(entry.source if entry is not None and entry.source else record.downstream.name),
        weights="" if record.weights is None else record.weights.trained_sha256,
        test=record.counts.test,
        scores="\n".join(["| metric | value |", "|---|---|", *rows]),
        licence=shelf.task.licence,
        start_licence=", ".join(licences) or "see where it comes from",
    )


def _counted(record: Record) -> str:
    is_inner = record.selection is not None and record.selection.inner_folds is not None
    dev = "of which the first inner fold selects" if is_inner else f"{record.counts.dev} to select on"
    return f"{record.counts.train} utterances for training, {dev}"


def _is_known(record: Record, registry: Registry) -> bool:
    return record.downstream.name in {entry.name for entry in registry.downstreams()}
