"""A task with its data: read as its protocol says, listened to and audited, before any work."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.audit import audit
from benchmark.data.listening import Heard
from benchmark.progress import Progress
from benchmark.protocol.dataset import load_dataset
from benchmark.protocol.emobox import with_emobox_folds
from benchmark.protocol.hearing import listen
from benchmark.registry.registry import Registry
from benchmark.run.suiting import check_head
from benchmark.run.unit import Material, Setup, task_part
from benchmark.text import count


def read_material(
    name: str,
    registry: Registry,
    setup: Setup,
    progress: Progress,
    min_durations: Mapping[str, float],
    heads: tuple[str, ...],
) -> Material:
    """Read a task, its corpora and its folds, and say what a reader should know of them.

    Args:
        name: A registered name or a YAML file.
        registry: Knows tasks, corpora and heads.
        setup: Where corpora lie, and what the user asked for.
        progress: Told what is done, and what a reader should know of the data.
        min_durations: Shortest duration that each upstream accepts [s].
        heads: Names of downstreams that the task must suit.

    Raises:
        BenchError: The corpus is not as expected, audio is unusable, a head does not suit, or a split leaks.
    """
    task = registry.task(name)
    for head in heads:
        registry.downstream_entry(head)
    corpora = registry.corpora_of(task)
    dataset = load_dataset(task, corpora, setup.settings, allow_partial=setup.allow_partial)
    if setup.folds_from is not None:
        dataset = with_emobox_folds(dataset, setup.folds_from)
        progress.note(f"{task.name}: the folds of {setup.folds_from.name} replace those of the protocol")
        listed = {i for fold in dataset.folds for i in (*fold.train, *fold.dev, *fold.test)}
        if len(listed) < len(dataset.utterances):
            progress.note(f"{task.name}: they leave {count(len(dataset.utterances) - len(listed), 'utterance')} out")
    for head in heads:
        check_head(dataset.task, head, registry)
    if dataset.differences:
        progress.note(f"{task.name}: partial corpus, off the leaderboard: {', '.join(dataset.differences)}")
    heard: dict[str, Heard] = {}
    if setup.without_audio:
        progress.note(f"{task.name}: no recording is heard, so nothing shows of what the features are")
    else:
        with progress.stage(f"listen to {task.name}", len(dataset.recordings)) as advance:
            heard = listen(dataset, setup.settings, min_durations, advance)
    report = audit(dataset, heard)
    report.stop_on_error(name)
    for finding in report.findings:
        if finding.severity == "warning":
            progress.note(f"{task.name}: {finding.text}")
    return Material(dataset, heard, task_part(dataset, heard))
