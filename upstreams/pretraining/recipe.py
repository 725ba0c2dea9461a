"""The recipe of a pre-training: everything that decides its weights, as a closed schema without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from benchmark.errors import UsageError
from benchmark.io.yamls import Closed, read_yaml, validate
from benchmark.registry.changes import changed, parse_changes
from benchmark.text import nearest
from benchmark.types import Precision
from upstreams.pretraining.architecture import Count, Dropout, Model, Positive, Share, Whole

RECIPES = Path(__file__).parent / "recipes"
SUFFIX = ".yaml"
RATE = 16_000  # Hz, of every model of this architecture
FORM = "as in --set schedule.steps=200 or --set utterance_loss.method=token"

Text = Annotated[str, Field(min_length=1)]
NotNegative = Annotated[float, Field(ge=0)]
Decay = Annotated[float, Field(ge=0, le=1)]
Start = Literal["cold", "data2vec", "data2vec2", "emotion2vec"]


class Masking(Closed):
    """What the student does not hear.

    Attributes:
        probability: Share of the frames that are masked.
        adjust: Added to it when spans are drawn, because they overlap.
        length: Frames of a span.
        copies: Masks of each utterance in a step, for one pass of the teacher.
        masked: "removed": only kept frames enter the blocks; "replaced": masked ones enter as a learnt vector.
        noise: Standard deviation of what stands for removed frames in the decoder.
    """

    probability: Annotated[float, Field(gt=0, lt=1)]
    adjust: Share
    length: Count
    copies: Count
    masked: Literal["removed", "replaced"]
    noise: NotNegative


class Targets(Closed):
    """What the student predicts.

    Attributes:
        blocks: Averaged over so many upper blocks of the trunk.
        of: "feed-forward": what the feed-forward part gives before it is added; "block": what leaves the block.
        normalisation: "instance": each block's frames to zero mean and unit variance over time, for each dimension.
    """

    blocks: Count
    of: Literal["feed-forward", "block"]
    normalisation: Literal["instance", "none"]


class FrameLoss(Closed):
    """On masked frames."""

    weight: NotNegative


class UtteranceLoss(Closed):
    """On the mean of the targets over time.

    Attributes:
        method: What predicts it: "token": the last utterance token; "chunk": their mean; "global": the mean of the
            frames that leave the encoder.
        weight: Alpha, beside the loss of the frames.
        target: "normalised": the mean over time of the frames' targets, which is zero where these are normalised over
            time; "plain": that of the same blocks before they are normalised.
        over: "sum": of the utterances and copies of a micro-batch; "mean": their mean.
    """

    method: Literal["token", "chunk", "global"]
    weight: NotNegative
    target: Literal["normalised", "plain"]
    over: Literal["sum", "mean"]


class Teacher(Closed):
    """The moving average of the student: its decay rises linearly from `first` to `last` in so many steps."""

    first: Decay
    last: Decay
    steps: Whole


class Optimiser(Closed):
    """Adam with decoupled weight decay of all weights.

    Attributes:
        clip_norm: Largest L2 norm of the gradient; None for no clipping.
    """

    learning_rate: Positive
    betas: tuple[Share, Share]
    epsilon: Positive
    weight_decay: NotNegative
    clip_norm: Positive | None


class Schedule(Closed):
    """Optimiser steps, and of these the steps of linear warm-up, after which the rate falls as a cosine to 0."""

    steps: Count
    warm_up: Whole

    @model_validator(mode="after")
    def _fits(self) -> Schedule:
        if self.warm_up >= self.steps:
            raise ValueError(f"warm_up ({self.warm_up}) is not below steps ({self.steps})")
        return self


class Batch(Closed):
    """An optimiser step: `micro_batches` batches of utterances of like length, each of at most `tokens` samples.

    Processes share the micro-batches, so that a step does not depend on how many there are.
    """

    tokens: Count
    micro_batches: Count


class Audio(Closed):
    """What is heard.

    Attributes:
        shortest: Shorter recordings are left out [s].
        longest: Of longer ones a random stretch is heard [s].
        splits: Only these of a corpus that has splits of its own; None for all.
    """

    shortest: Positive
    longest: Positive
    splits: list[Text] | None

    @model_validator(mode="after")
    def _fits(self) -> Audio:
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest:g} s) is above longest ({self.longest:g} s)")
        return self


class Collapse(Closed):
    """When to warn: standard deviations over frames, averaged over dimensions, below these after so many steps."""

    after: Whole
    target: NotNegative
    prediction: NotNegative


class PretrainingRecipe(Closed):
    """A recipe.

    Attributes:
        name: As `bench pretrain --recipe` takes it.
        summary: One line.
        source: Papers and repositories.
        start: What kind of weights it begins with; `--start` says where they are.
        seed: Of initial weights, order, masks and dropout.
        precision: Of the forward pass, by autocast; None for float32.
        log_every: Steps between two lines of the log.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    summary: Text
    source: Text
    start: Start
    seed: Whole
    model: Model
    dropout: Dropout
    masking: Masking
    targets: Targets
    frame_loss: FrameLoss
    utterance_loss: UtteranceLoss
    teacher: Teacher
    optimiser: Optimiser
    schedule: Schedule
    batch: Batch
    audio: Audio
    precision: Precision | None
    collapse: Collapse
    log_every: Count

    @model_validator(mode="after")
    def _fits(self) -> PretrainingRecipe:
        model, utterance = self.model, self.utterance_loss
        if not self.frame_loss.weight and not utterance.weight:
            raise ValueError("frame_loss.weight and utterance_loss.weight are both 0, so that nothing is learnt")
        if utterance.weight and utterance.method != "global" and not model.tokens:
            raise ValueError(f"utterance_loss.method {utterance.method!r} needs model.tokens")
        if self.targets.blocks > model.trunk:
            raise ValueError(f"targets.blocks ({self.targets.blocks}) is above model.trunk ({model.trunk})")
        if round(self.audio.longest * RATE) > self.batch.tokens:
            raise ValueError(f"one utterance of audio.longest has more than batch.tokens ({self.batch.tokens}) samples")
        kept = int(self.masking.probability * model.frames(round(self.audio.shortest * RATE)))
        if round(self.audio.shortest * RATE) < model.field or kept < 1:
            raise ValueError(f"audio.shortest ({self.audio.shortest:g} s) leaves no frame to mask")
        return self


def recipe_names() -> list[str]:
    """The recipes of this package."""
    return sorted(path.stem for path in RECIPES.glob(f"*{SUFFIX}"))


def read_changes(texts: Iterable[str]) -> dict[tuple[str, ...], Any]:
    """Values by the keys that lead to them, of KEY=VALUE; a key may lead into a mapping, and a value is YAML.

    Raises:
        UsageError: One has another form, is no YAML, or a key is given twice.
    """
    return parse_changes(texts, prefix="", form=FORM)


def read_recipe(name: str, changes: Mapping[tuple[str, ...], Any] | None = None) -> PretrainingRecipe:
    """A recipe.

    Args:
        name: Of this package, or the path of a YAML file.
        changes: Values in place of its own.

    Raises:
        UsageError: There is none, a key is unknown or missing, or a value does not fit.
    """
    path, where = RECIPES / f"{name}{SUFFIX}", f"the recipe {name!r}"
    if name.endswith((SUFFIX, ".yml")):
        path, where = Path(name), name
        if not path.is_file():
            raise UsageError(f"there is no recipe file {name!r}", "give the path of a recipe YAML")
    elif name not in recipe_names():
        raise UsageError(f"unknown recipe {name!r}", nearest(name, recipe_names()))
    content = read_yaml(path, where)
    return validate(PretrainingRecipe, changed(content, changes or {}, where, prefix=""), where)
