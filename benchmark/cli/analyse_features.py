"""`bench analyse`, of representations: distances, projections and attention, from stored features and audio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.analyse_answers import FOLDER, Answer, Out, ends, give, text_of
from benchmark.cli.analyse_stored import (
    EMOTION,
    Upstream,
    embeddings_of,
    fold_of,
    label_of,
    speaker_of,
    thirds,
    worker_of,
)
from benchmark.cli.folders import read_records, record_folders
from benchmark.cli.options import Data, Json, Plugin, Results, Task, Weights, examples
from benchmark.cli.systems import named, no_records
from benchmark.cli.terminal import TerminalProgress
from benchmark.errors import UsageError
from benchmark.text import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.run.worker import Worker

SHOWN_AT_ONCE = 3  # panels that a page is wide enough for


class Method(str, Enum):
    """How a plane is found."""

    TSNE = "tsne"
    UMAP = "umap"


def register(app: typer.Typer) -> None:
    """Add the commands to those of `bench analyse`."""
    app.command("embedding-distance", epilog=DISTANCE_EPILOG)(embedding_distance)
    app.command("projection", epilog=PROJECTION_EPILOG)(projection)
    app.command("attention-distance", epilog=ATTENTION_EPILOG)(attention_distance)


DISTANCE_EPILOG = examples("bench analyse embedding-distance whisper-tiny whisper-tiny@bf16 --task urdu -d svm")
PROJECTION_EPILOG = examples(
    "bench analyse projection whisper-tiny --task urdu --colour emotion --colour speaker",
    "bench analyse projection whisper-tiny --task ravdess --downstream linear --method umap",
)
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
    """Cosine distance of two upstreams' embeddings. Means of the last layer; and the match of decisions."""
    from benchmark.analyses import embedding_distance as describe
    from benchmark.analyses.embeddings import cosine_distances

    _refuse_one_twice(a, b)
    worker = worker_of([task], plugin, data, weights)
    title = worker.registry.task(task).name
    values, ids = embeddings_of(worker, task, (a, b))
    agreeing, speakers = None, [speaker_of(worker, task, name) for name in ids]
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


def _refuse_one_twice(a: str, b: str) -> None:
    if a == b:
        raise UsageError(f"{a!r} would be compared with itself", "name two upstreams, or two layers of one: NAME@3")


def projection(
    context: typer.Context,
    upstream: Upstream,
    task: Task,
    colour: Annotated[
        list[str] | None,
        typer.Option("--colour", help="emotion, speaker, gender, corpus, session, or a dimension; may be repeated."),
    ] = None,
    method: Annotated[Method, typer.Option("--method", help="How the plane is found.")] = Method.TSNE,
    downstream: Annotated[
        str | None, typer.Option("--downstream", "-d", help="Head whose first layer is looked at, once it is fitted.")
    ] = None,
    fold: Annotated[
        str | None, typer.Option("--fold", help="What the head is fitted on; its test set is shown. Else the first.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the method, and of the head.")] = 0,
    out: Out = FOLDER,
    as_json: Json = False,
    data: Data = None,
    weights: Weights = None,
    plugin: Plugin = None,
) -> None:
    """Utterance embeddings in a plane. Means of the last layer, or what a fitted head's first layer makes of them."""
    from benchmark.analyses import neighbours, plane
    from benchmark.analyses.first_layer import first_layer
    from benchmark.analyses.projection import standardised

    worker = worker_of([task], plugin, data, weights)
    title = worker.registry.task(task).name
    dataset = worker.material(task, TerminalProgress()).dataset
    if downstream is None:
        if fold is not None:
            raise UsageError("--fold is of the head, and there is none", "--downstream linear, or leave it out")
        (values,), ids = embeddings_of(worker, task, (upstream,))
        stem, shown, what = upstream, upstream, "the means of the last layer"
    else:
        chosen = fold_of(dataset, fold)
        ids = chosen.test
        values = first_layer(worker, task, upstream, downstream, chosen, seed, TerminalProgress())
        stem, shown = f"{upstream}+{downstream}-{chosen.name}", f"{upstream} + {downstream}"
        what = f"the first linear layer's output, fitted on fold {chosen.name}; its test set"
    wanted = list(dict.fromkeys(colour or [EMOTION if dataset.labels else dataset.task.dimensions[0], "speaker"]))
    if len(wanted) > SHOWN_AT_ONCE:
        raise UsageError(f"{len(wanted)} colours are too many for a figure", f"at most {SHOWN_AT_ONCE}")
    labels = {name: [label_of(dataset, i, name) for i in ids] for name in wanted}
    if dimensions := [name for name in wanted if name in dataset.task.dimensions]:
        labels |= {name: thirds([float(one) for one in labels[name]]) for name in dimensions}
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
    note = f"{name} of {what}, each dimension standardised; seed {seed}."
    answer = Answer(
        stem=f"projection-{title}-{stem}-{method.value}",
        numbers={
            "upstream": upstream, "downstream": downstream, "task": title, "fold": fold, "method": method.value,
            "seed": seed, "of": what, "neighbours": measured,
        },
        columns=["id", "x", "y", *labels],
        rows=rows,
        draw=lambda figures, command: figures.projection(
            places, labels, measured, command, title=f"{shown} on {title}: {count(len(ids), 'utterance')}", note=note
        ),
        remarks=remarks,
        shown=False,
    )  # fmt: skip
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
    """Distance of two checkpoints' attention. Bhattacharyya's, by block and head; each utterance is encoded anew."""
    from benchmark.analyses import attention_distance as average

    _refuse_one_twice(a, b)
    worker = worker_of([task], plugin, data, weights)
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


def _agreeing(results: Any, task: str, systems: tuple[str, str], ids: Sequence[str]) -> NDArray[np.float64]:
    """How often two systems decide alike on each utterance: the mean over pairs of seeds, and over folds."""
    from itertools import product

    import numpy as np

    from benchmark.analyses import decisions_of
    from benchmark.analyses.decisions import check_alike, check_classes
    from benchmark.records.grouping import group

    folders = record_folders([results] if results else None, False)
    grouping = group(*read_records(folders, [task]).records)
    cells = [cell for cell in grouping.cells if cell.task.name == task]
    if not cells:
        raise no_records(task, {cell.task.name for cell in grouping.cells})
    a, b = (decisions_of(folders, named(system, cells, grouping.superseded)) for system in systems)
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
