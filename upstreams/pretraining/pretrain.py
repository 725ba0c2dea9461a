"""A pre-training from options to a folder: what `bench pretrain` does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from benchmark.io.files import check_writable, digest
from benchmark.io.packages import versions
from benchmark.io.settings import Settings
from benchmark.progress import Progress, Unheard
from benchmark.registry.upstreams import FOLDER_TELLS
from benchmark.text import some
from upstreams.pretraining import about as about_file
from upstreams.pretraining.dealing import Deal
from upstreams.pretraining.recipe import RATE, PretrainingRecipe, read_changes, read_recipe
from upstreams.pretraining.speech import Reader, Source, Speech, gather
from upstreams.pretraining.starts import Beginning, begin, parse_start

TRAINING = "training"  # folder inside that of the model
STATE, LOG = "state.safetensors", "log.jsonl"
LIBRARIES = ("serbench", "torch", "numpy", "safetensors")
FLOAT = 4  # bytes


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        recipe: A name, or the path of a YAML file.
        changes: KEY=VALUE, in place of the recipe's.
        start: "data2vec2:PATH"; None for a cold start.
        sources: What is heard, each once.
        out: The folder.
        device: "cpu" or "cuda".
    """

    recipe: str
    changes: tuple[str, ...]
    start: str | None
    sources: tuple[Source, ...]
    out: Path
    device: str

    def read(self) -> PretrainingRecipe:
        """The recipe with its changes, which must be what the start is.

        Raises:
            UsageError: As `read_recipe` and `parse_start`; or a source is given twice.
        """
        recipe = read_recipe(self.recipe, read_changes(self.changes))
        parse_start(self.start, recipe.start)
        names = [one.name for one in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"{name!r} is given twice", "each corpus and folder once, and folders of other names")
        if not names:
            raise UsageError("there is nothing to learn from", "--data CORPUS=PATH, or --audio FOLDER")
        return recipe


@dataclass(frozen=True)
class Plan:
    """What a training will take.

    Attributes:
        recipe: With its changes.
        speech: What is heard.
        start: What it begins with.
        parameters: Trained, and those of the encoder alone.
        in_an_epoch: Batches.
        done: Steps that are done.
    """

    recipe: PretrainingRecipe
    speech: Speech
    start: Beginning
    parameters: tuple[int, int]
    in_an_epoch: int
    done: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        steps, micro_batches = self.recipe.schedule.steps, self.recipe.batch.micro_batches
        trained, encoder = self.parameters
        return {
            "recipe": self.recipe.name,
            "start": self.start.as_dict(),
            "trained_on": trained_on(self.start, self.speech),
            "data": self.speech.about,
            "recordings": len(self.speech.recordings),
            "hours": self.speech.hours,
            "parameters_trained": trained,
            "parameters_of_the_encoder": encoder,
            "steps": steps,
            "done": self.done,
            "epochs": steps * micro_batches / self.in_an_epoch,
            "samples_of_a_step": min(self.recipe.batch.tokens * micro_batches, round(self.speech.hours * 3600 * RATE)),
            # Student and two moments of Adam, the teacher; and the folder in the end.
            "disk_bytes": FLOAT * (3 * trained + 2 * encoder + trained),
        }


def trained_on(start: Beginning, speech: Speech) -> list[str]:
    """Corpora of the registry that the weights have heard, the start's first."""
    return list(dict.fromkeys([*start.trained_on, *speech.corpora]))


def plan(request: Request, settings: Settings, progress: Progress) -> Plan:
    """What a training will take; nothing is trained or written.

    Raises:
        BenchError: It cannot be done.
    """
    with _prepared(request, settings, progress) as (_, _, plan, _, _):
        return plan


def pretrain(request: Request, settings: Settings, progress: Progress, seconds: float | None = None) -> dict[str, Any]:
    """Train, or go on where a training was killed, and write the folder.

    Args:
        request: What is asked for.
        settings: Where corpora and the cache are.
        progress: Told by the leading process.
        seconds: Between two states that are kept; a few minutes where not given.

    Returns:
        What the folder says of itself, as plain values.

    Raises:
        BenchError: It cannot be done, or a loss is not finite.
    """
    from upstreams.pretraining.export import export
    from upstreams.pretraining.training import SECONDS, Told

    check_writable(request.out, "give another --out")
    with _prepared(request, settings, progress) as (training, saved, plan, log, leads):
        recipe = plan.recipe
        told = progress if leads else Unheard()
        for note in plan.speech.notes:
            told.note(note)
        if plan.done == 0:
            _refuse_full(request.out)
        with told.stage(f"pre-training {recipe.name}", recipe.schedule.steps) as advance:
            advance(plan.done)

            def tell(one: Told) -> None:
                advance(1)
                if one.warning is not None:
                    told.problem(f"step {one.step}: {one.warning}")

            training.run(saved, log, tell, SECONDS if seconds is None else seconds)
        made = about_file.About(
            upstream=about_file.PREFIX,
            format=about_file.FORMAT,
            recipe=recipe,
            changed=list(request.changes),
            start=plan.start.as_dict(),
            data=plan.speech.about,
            trained_on=trained_on(plan.start, plan.speech),
            parameters=plan.parameters[1],
            last=log.lines[-1] if log.lines else {},
            versions=versions(LIBRARIES),
        )
        if leads:
            export(training.student, made, request.out)
        return made.model_dump(mode="json")


def _refuse_full(folder: Path) -> None:
    """Refuse a folder in which something would be overwritten.

    Raises:
        UsageError: It holds a model, or anything else but a training.
    """
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if FOLDER_TELLS in names:
        raise UsageError(f"{folder} holds a model already", "give another --out")
    if others := [name for name in names if name != TRAINING]:
        raise UsageError(f"{folder} is not empty: it holds {some(others, 3)}", "give a new folder as --out")


@contextlib.contextmanager
def _prepared(request: Request, settings: Settings, progress: Progress) -> Iterator[tuple[Any, Any, Plan, Any, bool]]:
    """Training, state, plan, log, and whether this process leads."""
    from benchmark.threads import encoding_threads, threads
    from upstreams.pretraining.logbook import Log
    from upstreams.pretraining.processes import joined
    from upstreams.pretraining.saved import Saved
    from upstreams.pretraining.training import Training, new_student

    recipe = request.read()
    with joined(request.device) as processes, threads(encoding_threads()):
        processes.check(recipe.batch.micro_batches)
        told = progress if processes.leads else Unheard()
        student = new_student(recipe)
        start = begin(recipe.start, parse_start(request.start, recipe.start), student)

        speech = processes.first(lambda: gather(request.sources, recipe.audio, settings, told))
        deal = Deal([one.duration for one in speech.recordings], recipe)
        training = Training(recipe, student, deal, Reader(speech.recordings, recipe, settings.cache), processes)
        identity = digest({"recipe": recipe.model_dump(mode="json"), "start": start.as_dict(), "data": speech.about})
        folder = request.out / TRAINING
        saved = Saved(folder / STATE, identity, student, training.teacher, training.optimiser, training.scaler)
        kept = saved.told()
        has = bool(recipe.frame_loss.weight), bool(recipe.utterance_loss.weight)
        log = Log(folder / LOG, recipe.log_every, recipe.collapse, has)
        parameters = sum(w.numel() for w in student.parameters()), sum(w.numel() for w in student.encoder.parameters())
        done = 0 if kept is None else kept["step"]
        yield (
            training,
            saved,
            Plan(recipe, speech, start, parameters, deal.in_an_epoch, done),
            log,
            processes.leads,
        )
