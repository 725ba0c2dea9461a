"""`bench analyse layer-similarity`: of two corpora by emotion, and by phones; of two upstreams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.analyse_answers import FOLDER, Answer, Out, give
from benchmark.cli.analyse_stored import FoldName, fold_of, heard_of_target, worker_of
from benchmark.cli.options import Data, Json, Phones, Plugin, Weights, examples
from benchmark.cli.terminal import TerminalProgress
from benchmark.errors import UsageError
from benchmark.text import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.protocol.dataset import Dataset
    from benchmark.run.worker import Worker

    Chosen = Callable[[Dataset], tuple[str, ...]]

EPILOG = examples(
    "bench analyse layer-similarity whisper-tiny --task urdu --task emovo",
    "bench analyse layer-similarity wavlm-base --task ravdess-to-urdu --most 3",
    "bench analyse layer-similarity whisper-tiny whisper-base --task urdu",
    "bench analyse layer-similarity whisper-tiny --task emovo-to-ravdess --phones alignments",
)


def layer_similarity(
    context: typer.Context,
    upstream: Annotated[list[str], typer.Argument(metavar="UPSTREAM [UPSTREAM]", help="One, or two.")],
    task: Annotated[
        list[str], typer.Option("--task", "-t", help="A task between two corpora, or two tasks; one for two upstreams.")
    ],
    fold: FoldName = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many layers are chosen.")] = 3,
    phones: Phones = None,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Likeness of corpora or of upstreams, by layer. Cosine by emotion and phone, or CKA and SVCCA; train alone."""
    if phones is not None and len(upstream) != 1:
        raise UsageError("--phones is for one upstream and two corpora", "leave it out")
    if len(upstream) == 2 and upstream[0] == upstream[1]:
        raise UsageError(f"{upstream[0]!r} would be compared with itself", "give two upstreams")
    worker = worker_of(task, plugin, data, weights)
    if len(upstream) == 2 and len(task) == 1:
        answer = _between_upstreams(worker, upstream[0], upstream[1], task[0], fold)
    elif len(upstream) == 1 and len(task) in (1, 2):
        sides = _sides(task, fold)
        if phones is None:
            answer = _between_corpora(worker, upstream[0], sides, most)
        else:
            answer = _by_phone(worker, upstream[0], sides, most, phones)
    else:
        raise UsageError(
            f"{count(len(upstream), 'upstream')} and {count(len(task), 'task')} cannot be compared",
            "one upstream on a task between two corpora or on two tasks; or two upstreams on one task",
        )
    give(answer, context, out, as_json)


def _sides(tasks: Sequence[str], fold: str | None) -> list[tuple[str, Chosen]]:
    """Which utterances of which task are compared with which: the train of two tasks, or source and target of one."""
    sides: list[tuple[str, Chosen]] = [(task, lambda dataset: fold_of(dataset, fold).train) for task in tasks]
    if len(tasks) == 1:
        sides.append((tasks[0], lambda dataset: heard_of_target(dataset, fold)))
    return sides


def _between_corpora(worker: Worker, upstream: str, sides: Sequence[tuple[str, Chosen]], most: int) -> Answer:
    from benchmark.analyses import cosine_by_class, most_similar

    parts = [_means(worker, upstream, task, chosen) for task, chosen in sides]
    names, left = _shared(worker, sides, parts[0][1], parts[1][1])
    similarity = cosine_by_class(parts[0][0], parts[1][0], (parts[0][1], parts[1][1]), names)
    mean = similarity.mean(axis=0)
    chosen = most_similar(mean, most)
    sizes = [len(labels) for _, labels in parts]
    titles = _titles(worker, sides)
    between = " and ".join(titles)
    rows = [
        [name, layer, float(value)]
        for name, values in zip(names, similarity, strict=True)
        for layer, value in enumerate(values)
    ]
    note = (
        "Mean cosine of an utterance of one corpus and one of the other, over all pairs of the same class; train "
        f"alone: {sizes[0]} and {sizes[1]} utterances. Grey: the {len(chosen)} most similar layers, over all classes."
    )
    return Answer(
        stem=f"layer-similarity-{'-'.join(titles)}-{upstream}",
        numbers={"upstream": upstream, "tasks": titles, "classes": names, "cosine": similarity, "chosen": chosen},
        columns=["class", "layer", "cosine"],
        rows=rows,
        draw=lambda figures, command: figures.layer_similarity(
            similarity, names, chosen, command, title=f"Similarity of layers of {upstream}, {between}", note=note
        ),
        remarks=[f"most similar layers: {', '.join(map(str, chosen))}", *left],
    )


def _by_phone(worker: Worker, upstream: str, sides: Sequence[tuple[str, Chosen]], most: int, folder: Path) -> Answer:
    import numpy as np

    from benchmark.analyses import most_similar
    from benchmark.analyses.by_phone import PARTS, similarity_by_part

    parts = [_spoken(worker, upstream, task, chosen, folder) for task, chosen in sides]
    told = list(dict.fromkeys(remark for _, _, remarks in parts for remark in remarks))
    names, left = _shared(worker, sides, parts[0][1], parts[1][1])
    found = similarity_by_part(parts[0][0], parts[1][0], (parts[0][1], parts[1][1]), names)
    means = {part: values.mean(axis=0) for part, values in found.items()}
    layers = {part: most_similar(mean, most) for part, mean in means.items()}
    by_class = {part: [most_similar(row, most) for row in values] for part, values in found.items()}
    titles = _titles(worker, sides)
    between = " and ".join(titles)
    rows = [
        [part, name, layer, float(value)]
        for part, values in found.items()
        for name, row in zip(names, values, strict=True)
        for layer, value in enumerate(row)
    ]
    lacking = [part for part in PARTS if part not in found]
    note = (
        "Mean cosine of a part of an utterance of one corpus and of one of the other, over all pairs of the same "
        f"class, the mean over classes; train alone: {len(parts[0][1])} and {len(parts[1][1])} utterances. Grey: the "
        f"{len(layers['utterance'])} most similar layers of whole utterances."
    )
    return Answer(
        stem=f"layer-similarity-phones-{'-'.join(titles)}-{upstream}",
        numbers={
            "upstream": upstream, "tasks": titles, "classes": names, "cosine": found, "chosen": layers,
            "chosen_by_class": by_class, "not_spoken": lacking, "alignments": told,
        },
        columns=["part", "class", "layer", "cosine"],
        rows=rows,
        draw=lambda figures, command: figures.layer_similarity(
            np.stack(list(means.values())), list(means), layers["utterance"], command,
            title=f"Similarity of layers of {upstream} by phones, {between}", note=note,
        ),
        remarks=[
            *(f"most similar layers, {part}: {', '.join(map(str, places))}" for part, places in layers.items()),
            *([f"not spoken in every class of both: {', '.join(lacking)}"] if lacking else []),
            *left,
            *told,
        ],
    )  # fmt: skip


def _between_upstreams(worker: Worker, a: str, b: str, task: str, fold: str | None) -> Answer:
    from benchmark.analyses import cka, pairwise, svcca

    title = worker.registry.task(task).name
    first, second = (_means(worker, name, task, lambda dataset: fold_of(dataset, fold).train)[0] for name in (a, b))
    panels = {"CKA": pairwise(cka, first, second), "SVCCA": pairwise(svcca, first, second)}
    rows = [
        [i, j, *(float(values[i, j]) for values in panels.values())]
        for i in range(first.shape[1])
        for j in range(second.shape[1])
    ]
    note = (
        f"Utterance means of {len(first)} utterances of train. SVCCA keeps 99 % of the variance; hatched: as many "
        "directions as utterances, so that it says nothing."
    )
    return Answer(
        stem=f"layer-similarity-{title}-{a}-{b}",
        numbers={"a": a, "b": b, "task": title, "utterances": len(first), **panels},
        columns=["layer of A", "layer of B", *panels],
        rows=rows,
        draw=lambda figures, command: figures.heat_maps(
            panels, command, title=f"Layers of {a} and {b} on {title}", note=note, across=f"layer of {b}",
            down=f"layer of {a}", largest=1.0,
        ),
    )  # fmt: skip


def _shared(
    worker: Worker, sides: Sequence[tuple[str, Chosen]], first: Sequence[str], second: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The classes that both have, and what is said of those that one alone has.

    Raises:
        UsageError: There is none.
    """
    names = sorted(set(first) & set(second))
    tasks = [worker.registry.task(task).name for task, _ in sides]
    alone = [sorted(set(own) - set(names)) for own in (first, second)]
    told = [f"of {task} alone: {', '.join(own)}" for task, own in zip(tasks, alone, strict=True) if own]
    if not names:
        raise UsageError(
            f"{' and '.join(dict.fromkeys(tasks))} have no class in common ({'; '.join(told)})",
            "choose tasks with the same labels, or a task between the two corpora, which maps them",
        )
    left = [f"left out, {one}" for one in told] if len(set(tasks)) > 1 else []
    if all(alone) and left:
        left.append("a class goes by its name: a task between the two corpora maps them")
    return names, left


def _titles(worker: Worker, sides: Sequence[tuple[str, Chosen]]) -> list[str]:
    return list(dict.fromkeys(worker.registry.task(task).name for task, _ in sides))


def _means(worker: Worker, upstream: str, task: str, chosen: Chosen) -> tuple[NDArray[np.float64], list[str]]:
    """Means (n, L, D) of all layers of some utterances, and their classes (none for values)."""
    import numpy as np

    from benchmark.analyses.stored import stored_means

    progress = TerminalProgress()
    dataset = worker.material(task, progress).dataset
    ids = chosen(dataset)
    means = stored_means(worker, task, upstream, progress)
    values = np.stack([means[i] for i in ids]).astype(np.float64)
    return values, [dataset.labels[i] for i in ids] if dataset.labels else []


def _spoken(
    worker: Worker, upstream: str, task: str, chosen: Chosen, folder: Path
) -> tuple[list[dict[str, Any]], list[str], tuple[str, ...]]:
    """Means of what is spoken in some utterances, their classes (none for values), and what is said of alignments."""
    from benchmark.analyses.by_phone import part_means
    from benchmark.analyses.stored import stored_frames
    from benchmark.run.aligning import alignments_of

    progress = TerminalProgress()
    material = worker.material(task, progress)
    dataset, ids = material.dataset, chosen(material.dataset)
    alignments = alignments_of(material, ids, folder)
    encoded, rate = stored_frames(worker, task, upstream, progress)
    means = [part_means(encoded[i], i, alignments, rate) for i in ids]
    return means, [dataset.labels[i] for i in ids] if dataset.labels else [], alignments.remarks
