"""`bench analyse`, of representations: distances, layers, projections and attention, from stored features and audio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.analyse_answers import FOLDER, Answer, Out, ends, give, text_of
from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Data, Json, Plugin, Results, Weights, examples, load
from benchmark.cli.systems import named
from benchmark.cli.terminal import TerminalProgress
from benchmark.errors import UsageError
from benchmark.text import count, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.protocol.dataset import Dataset
    from benchmark.run.worker import Worker
    from benchmark.types import Fold, Utterance

Upstream = Annotated[str, typer.Argument(help="UPSTREAM; layers are chosen as in NAME@3.")]
Task = Annotated[str, typer.Option("--task", "-t", help="Task.")]
Fold_ = Annotated[str | None, typer.Option("--fold", help="Whose train is looked at; the first where not given.")]
EMOTION = "emotion"
SHOWN_AT_ONCE = 3  # panels that a page is wide enough for


class Method(str, Enum):
    """How a plane is found."""

    TSNE = "tsne"
    UMAP = "umap"


def register(app: typer.Typer) -> None:
    """Add the commands to those of `bench analyse`."""
    app.command("embedding-distance", epilog=DISTANCE_EPILOG)(embedding_distance)
    app.command("layer-similarity", epilog=SIMILARITY_EPILOG)(layer_similarity)
    app.command("projection", epilog=PROJECTION_EPILOG)(projection)
    app.command("attention-distance", epilog=ATTENTION_EPILOG)(attention_distance)


DISTANCE_EPILOG = examples("bench analyse embedding-distance whisper-tiny whisper-tiny@bf16 --task urdu -d svm")
SIMILARITY_EPILOG = examples(
    "bench analyse layer-similarity whisper-tiny --task urdu --task emovo",
    "bench analyse layer-similarity wavlm-base --task ravdess-to-urdu --most 3",
    "bench analyse layer-similarity whisper-tiny whisper-base --task urdu",
)
PROJECTION_EPILOG = examples("bench analyse projection whisper-tiny --task urdu --colour emotion --colour speaker")
ATTENTION_EPILOG = examples("bench analyse attention-distance wav2vec2-base wav2vec2-base-960h --task urdu")


def embedding_distance(
    context: typer.Context,
    a: Upstream,
    b: Upstream,
    task: Task,
    downstream: Annotated[
        str | None, typer.Option("--downstream", "-d", help="Head of both, whose decisions are matched.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=2, help="By rule (70 % of the data) where not given.")
    ] = None,
    results: Results = None,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Cosine distance of two upstreams' utterance embeddings (means of the last layer), and the match of decisions."""
    from benchmark.analyses import embedding_distance as describe
    from benchmark.analyses.embeddings import cosine_distances

    worker = _worker([task], plugin, data, weights)
    title = worker.registry.task(task).name
    values, ids = _embeddings(worker, task, (a, b))
    agreeing, speakers = None, [_speaker(worker, task, name) for name in ids]
    if downstream is not None:
        agreeing = _agreeing(results, title, (f"{a}+{downstream}", f"{b}+{downstream}"), ids)
    found = describe(
        cosine_distances(values[0], values[1], ids), threshold=threshold, agreeing=agreeing, speakers=speakers
    )
    rows: list[list[Any]] = [
        [float(start), float(end), int(number), number / len(ids)]
        for start, end, number in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True)
    ]
    near, far = ends(found.match_within), ends(found.match_beyond)
    remarks = [f"threshold {found.threshold:.4f}: {100 * found.within:.1f} % of {len(ids)} utterances are within"]
    if near[0] is not None:
        remarks.append(f"decisions match within: {100 * near[0]:.1f} %")
    if far[0] is not None:
        remarks.append(f"decisions match beyond: {100 * far[0]:.1f} %")
    answer = Answer(
        stem=f"embedding-distance-{title}-{a}-{b}",
        numbers={"a": a, "b": b, "task": title, "ids": ids, "embedding_distance": found},
        columns=["from", "to", "utterances", "share"],
        rows=rows,
        draw=lambda figures, command: figures.embedding_distance(found, a, b, title, command),
        remarks=remarks,
    )
    give(answer, context, out, as_json)


def layer_similarity(
    context: typer.Context,
    upstream: Annotated[list[str], typer.Argument(metavar="UPSTREAM [UPSTREAM]", help="One, or two.")],
    task: Annotated[
        list[str], typer.Option("--task", "-t", help="A task between two corpora, or two tasks; one for two upstreams.")
    ],
    fold: Fold_ = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many layers are chosen.")] = 3,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Cosine of two corpora by layer and emotion; or CKA and SVCCA of two upstreams; on the audio of train alone."""
    worker = _worker(task, plugin, data, weights)
    if len(upstream) == 2 and len(task) == 1:
        answer = _between_upstreams(worker, upstream[0], upstream[1], task[0], fold)
    elif len(upstream) == 1 and len(task) in (1, 2):
        answer = _between_corpora(worker, upstream[0], task, fold, most)
    else:
        raise UsageError(
            f"{count(len(upstream), 'upstream')} and {count(len(task), 'task')} cannot be compared",
            "one upstream on a task between two corpora or on two tasks; or two upstreams on one task",
        )
    give(answer, context, out, as_json)


def projection(
    context: typer.Context,
    upstream: Upstream,
    task: Task,
    colour: Annotated[
        list[str] | None,
        typer.Option("--colour", help="emotion, speaker, gender, corpus, session, or a dimension; may be repeated."),
    ] = None,
    method: Annotated[Method, typer.Option("--method", help="How the plane is found.")] = Method.TSNE,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the method.")] = 0,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Utterance embeddings (means of the last layer) in a plane, with what all their dimensions say beside it."""
    from benchmark.analyses import neighbours, plane
    from benchmark.analyses.projection import standardised

    worker = _worker([task], plugin, data, weights)
    title = worker.registry.task(task).name
    (values,), ids = _embeddings(worker, task, (upstream,))
    dataset = worker.material(task, TerminalProgress()).dataset
    wanted = list(dict.fromkeys(colour or [EMOTION if dataset.labels else dataset.task.dimensions[0], "speaker"]))
    if len(wanted) > SHOWN_AT_ONCE:
        raise UsageError(f"{len(wanted)} colours are too many for a figure", f"at most {SHOWN_AT_ONCE}")
    labels = {name: [_label(dataset, i, name) for i in ids] for name in wanted}
    if dimensions := [name for name in wanted if name in dataset.task.dimensions]:
        labels |= {name: _thirds([float(one) for one in labels[name]]) for name in dimensions}
    speakers = [dataset.speaker(dataset.by_id[i]) for i in ids]
    known = standardised(values)
    measured = {name: neighbours(known, each, speakers, label=name) for name, each in labels.items()}
    places = plane(values, method.value, seed=seed)
    rows = [
        [i, float(x), float(y), *(each[n] for each in labels.values())]
        for n, (i, (x, y)) in enumerate(zip(ids, places, strict=True))
    ]
    remarks = [
        f"{one.label}: silhouette {text_of(one.silhouette)}, purity of the neighbours {text_of(one.purity)} (by chance "
        f"{text_of(one.chance)}), among those of other speakers {text_of(one.elsewhere)}"
        for one in measured.values()
    ]
    name = "UMAP" if method is Method.UMAP else "t-SNE"
    note = f"{name} of the means of the last layer, each dimension standardised; seed {seed}."
    answer = Answer(
        stem=f"projection-{title}-{upstream}-{method.value}",
        numbers={"upstream": upstream, "task": title, "method": method.value, "seed": seed, "neighbours": measured},
        columns=["id", "x", "y", *labels],
        rows=rows,
        draw=lambda figures, command: figures.projection(
            places, labels, measured, command, title=f"{upstream} on {title}: {count(len(ids), 'utterance')}", note=note
        ),
        remarks=remarks,
        shown=False,
    )
    give(answer, context, out, as_json)


def attention_distance(
    context: typer.Context,
    a: Upstream,
    b: Upstream,
    task: Task,
    utterances: Annotated[
        int, typer.Option("--utterances", min=1, help="How many are heard, drawn by their ids.")
    ] = 50,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Bhattacharyya distance of two checkpoints' attention, by block and head; each utterance is encoded anew."""
    from benchmark.analyses import attention_distance as average

    worker = _worker([task], plugin, data, weights)
    title = worker.registry.task(task).name
    found = average(_maps(worker, task, (a, b), utterances))
    note = (
        f"Bhattacharyya distance of what each frame attends to, mean over frames and {found.utterances} utterances, "
        f"divided by the largest, {found.distances.max():.4f}."
    )
    rows = [
        [block, head, float(value), float(found.normalised[block, head])]
        for block, heads in enumerate(found.distances)
        for head, value in enumerate(heads)
    ]
    answer = Answer(
        stem=f"attention-distance-{title}-{a}-{b}",
        numbers={"a": a, "b": b, "task": title, "attention_distance": found, "normalised": found.normalised},
        columns=["block", "head", "distance", "normalised"],
        rows=rows,
        draw=lambda figures, command: figures.heat_maps(
            {"normalised distance": found.normalised}, command, title=f"Attention of {a} and {b} on {title}", note=note,
            across="head", down="block", largest=1.0,
        ),
    )  # fmt: skip
    give(answer, context, out, as_json)


def _between_corpora(worker: Worker, upstream: str, tasks: Sequence[str], fold: str | None, most: int) -> Answer:
    from benchmark.analyses import cosine_by_class, most_similar

    parts = [_train(worker, upstream, task, fold) for task in tasks]
    if len(tasks) == 1:
        parts.append(_target(worker, upstream, tasks[0], fold))
    names = [name for name in sorted(set(parts[0][1])) if name in set(parts[1][1])]
    if not names:
        raise UsageError(f"{' and '.join(tasks)} have no class in common", "choose tasks with the same labels")
    similarity = cosine_by_class(parts[0][0], parts[1][0], (parts[0][1], parts[1][1]), names)
    mean = similarity.mean(axis=0)
    chosen = most_similar(mean, most)
    sizes = [len(labels) for _, labels in parts]
    titles = [worker.registry.task(task).name for task in tasks]
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
        remarks=[f"most similar layers: {', '.join(map(str, chosen))}"],
    )


def _between_upstreams(worker: Worker, a: str, b: str, task: str, fold: str | None) -> Answer:
    from benchmark.analyses import cka, pairwise, svcca

    title = worker.registry.task(task).name
    first, second = _train(worker, a, task, fold)[0], _train(worker, b, task, fold)[0]
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


def _worker(
    tasks: Sequence[str], plugin: list[str] | None, data: list[str] | None, weights: list[str] | None
) -> Worker:
    from benchmark.run.unit import Setup
    from benchmark.run.worker import Worker

    registry, settings = load(plugin, data, weights, tasks=tasks)
    return Worker(Setup(settings, tuple(registry.plugins)), registry)


def _embeddings(
    worker: Worker, task: str, upstreams: Sequence[str]
) -> tuple[list[NDArray[np.float64]], tuple[str, ...]]:
    """The mean of the last layer of each of the task's examples: (n, D) for each upstream, and the n ids."""
    import numpy as np

    from benchmark.analyses.stored import stored_means

    progress = TerminalProgress()
    found = [stored_means(worker, task, name, progress) for name in upstreams]
    ids = tuple(utterance.id for utterance in worker.material(task, progress).dataset.utterances)
    return [np.stack([means[i][-1] for i in ids]).astype(np.float64) for means in found], ids


def _fold(dataset: Dataset, name: str | None) -> Fold:
    folds = {fold.name: fold for fold in dataset.folds}
    if name is not None and name not in folds:
        raise UsageError(f"the task {dataset.task.name!r} has no fold {name!r}", nearest(name, folds))
    return dataset.folds[0] if name is None else folds[name]


def _train(worker: Worker, upstream: str, task: str, fold: str | None) -> tuple[NDArray[np.float64], list[str]]:
    """Means (n, L, D) of all layers of the utterances of train, and their classes (none for values)."""
    return _of_ids(worker, upstream, task, lambda dataset: _fold(dataset, fold).train)


def _target(worker: Worker, upstream: str, task: str, fold: str | None) -> tuple[NDArray[np.float64], list[str]]:
    """Likewise of what is heard of the target: its training utterances, whose classes no head is told."""

    def ids(dataset: Dataset) -> tuple[str, ...]:
        adapt = _fold(dataset, fold).adapt
        if not adapt:
            raise UsageError(
                f"{dataset.task.name} is of one corpus",
                "give a task between two corpora, or a second task: --task A --task B",
            )
        return adapt

    return _of_ids(worker, upstream, task, ids)


def _of_ids(worker: Worker, upstream: str, task: str, chosen: Any) -> tuple[NDArray[np.float64], list[str]]:
    import numpy as np

    from benchmark.analyses.stored import stored_means

    progress = TerminalProgress()
    dataset = worker.material(task, progress).dataset
    ids = chosen(dataset)
    means = stored_means(worker, task, upstream, progress)
    values = np.stack([means[i] for i in ids]).astype(np.float64)
    return values, [dataset.labels[i] for i in ids] if dataset.labels else []


def _speaker(worker: Worker, task: str, name: str) -> str:
    dataset = worker.material(task, TerminalProgress()).dataset
    return dataset.speaker(dataset.by_id[name])


def _agreeing(results: Any, task: str, systems: tuple[str, str], ids: Sequence[str]) -> NDArray[np.float64]:
    """How often two systems decide alike on each utterance: the mean over pairs of seeds, and over folds."""
    from itertools import product

    import numpy as np

    from benchmark.analyses import decisions_of
    from benchmark.analyses.decisions import check_alike, check_classes
    from benchmark.records.grouping import group

    folders = record_folders([results] if results else None, False)
    cells = [cell for cell in group(*read_records(folders).records).cells if cell.task.name == task]
    if not cells:
        raise UsageError(f"there are no records of the task {task!r}", f"bench run --task {task} makes some")
    a, b = (decisions_of(folders, named(system, cells)) for system in systems)
    check_alike(a, b)
    check_classes(a)
    alike = np.mean([one == other for one, other in product(a.decided, b.decided)], axis=0)
    found: dict[str, list[float]] = {}
    for (_, name), value in zip(a.tests, alike, strict=True):
        found.setdefault(name, []).append(float(value))
    lacking = [name for name in ids if name not in found]
    if lacking:
        raise UsageError(f"{lacking[0]!r} and {len(lacking) - 1} others are in no test set of {task}", "leave out -d")
    return np.array([np.mean(found[name]) for name in ids])


def _label(dataset: Dataset, name: str, what: str) -> str:
    """What an utterance is coloured by.

    Raises:
        UsageError: The corpus does not say it of all utterances.
    """
    utterance: Utterance = dataset.by_id[name]
    corpora = [corpus.name for corpus in dataset.corpora]
    known: Mapping[str, Any] = {
        EMOTION: dataset.labels.get(name, utterance.labels.get(EMOTION)),
        "speaker": dataset.speaker(utterance),
        "gender": utterance.gender,
        "session": utterance.session,
        "corpus": corpora[0] if len(corpora) == 1 else name.partition(":")[0],
        **{dimension: utterance.labels.get(dimension) for dimension in dataset.task.dimensions},
    }
    if what not in known:
        raise UsageError(f"utterances cannot be coloured by {what!r}", nearest(what, known))
    if known[what] is None:
        raise UsageError(f"{name!r} has no {what}", "choose another --colour")
    return str(known[what])


def _thirds(values: Sequence[float]) -> list[str]:
    """Values as the lowest, the middle and the highest third."""
    import numpy as np

    low, high = np.quantile(values, [1 / 3, 2 / 3])
    names = (f"up to {low:.2f}", f"{low:.2f} to {high:.2f}", f"from {high:.2f}")
    return [names[int(value > low) + int(value > high)] for value in values]


def _maps(
    worker: Worker, task: str, upstreams: tuple[str, str], number: int
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """The attention of both upstreams for each of some utterances, which their ids alone decide."""
    from benchmark.features.encoding import Recording, read_wave
    from benchmark.io.keyed_names import keyed_order

    progress = TerminalProgress()
    material = worker.material(task, progress)
    dataset, models = material.dataset, [worker.upstream(name) for name in upstreams]
    chosen = keyed_order("attention", [one.id for one in dataset.utterances])[:number]
    with progress.stage(f"attention on {task}", len(chosen)) as advance:
        for name in chosen:
            heard = material.heard[name]
            recording = Recording(dataset.by_id[name], heard.sha256, heard.duration)
            maps = [
                model.attention(read_wave(dataset, recording, model.sample_rate, worker.settings.cache))
                for model in models
            ]
            yield name, maps[0], maps[1]
            advance(1)
