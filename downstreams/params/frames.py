"""The parameters of heads that are torch modules, trained by gradient: on frames, and what others share with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.io.yamls import Closed
from benchmark.types import Needs
from downstreams.normalisation import Normalisation
from downstreams.params.gradient import Count, GradientParams, Positive

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class Optimiser(Closed):
    """How parameters follow their gradient, by torch's optimiser of that name."""

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = Field(description="torch.optim's optimiser")
    learning_rate: Positive = Field(description="at the beginning")
    momentum: Fraction = Field(0.0, description="of rmsprop and sgd")
    betas: tuple[Fraction, Fraction] = Field((0.9, 0.999), description="of adam and adamw")
    epsilon: Positive = Field(1e-8, description="of adam, adamw and rmsprop")
    weight_decay: NotNegative = Field(0.0, description="L2 penalty on all parameters; decoupled in adamw")

    @model_validator(mode="after")
    def _has_only_its_own(self) -> Optimiser:
        is_adam = self.name in ("adam", "adamw")
        if self.momentum and is_adam:
            raise ValueError(f"momentum means nothing to {self.name}: leave it out, or change betas")
        if not is_adam and "betas" in self.model_fields_set:
            raise ValueError(f"betas mean nothing to {self.name}: leave them out")
        if self.name == "sgd" and "epsilon" in self.model_fields_set:
            raise ValueError("epsilon means nothing to sgd: leave it out")
        return self


class Schedule(Closed):
    """How the learning rate changes, from one unit (an epoch, or an optimiser step) to the next."""

    kind: Literal["constant", "cyclic", "warmup", "cosine"] = Field(
        "constant",
        description="cyclic: a triangle between the learning rate and `highest`, as torch's CyclicLR; warmup: rises "
        "from 0 and falls to 0, as SpeechBrain's LinearWarmupScheduler, after a first unit at the full rate; "
        "cosine: half a cosine from the learning rate down to `lowest`",
    )
    per: Literal["epoch", "step"] = Field("epoch", description="what is a unit")
    highest: Positive | None = Field(None, description="top of the triangle")
    rise: Count | None = Field(None, description="units from the bottom of the triangle, or from 0, to the top")
    lowest_momentum: Fraction | None = Field(
        None, description="momentum at the top of the triangle, where it is cycled against the rate"
    )
    total: Count | None = Field(
        None, description="units from the beginning of the warm-up to the rate 0, or of the cosine to its lowest rate"
    )
    lowest: Positive | None = Field(None, description="rate at the end of the cosine, and after it")

    @model_validator(mode="after")
    def _has_only_its_own(self) -> Schedule:
        needs: dict[str, set[str]] = {
            "constant": set(),
            "cyclic": {"highest", "rise"},
            "warmup": {"rise", "total"},
            "cosine": {"lowest", "total"},
        }
        takes = {**needs, "cyclic": {"highest", "rise", "lowest_momentum"}}
        every = ("highest", "rise", "lowest_momentum", "total", "lowest")
        given = {name for name in every if getattr(self, name) is not None}
        for name in sorted(given - takes[self.kind]):
            raise ValueError(f"{name} means nothing to a {self.kind} schedule: leave it out")
        for name in sorted(needs[self.kind] - given):
            raise ValueError(f"a {self.kind} schedule needs {name}")
        if self.rise is not None and self.total is not None and self.total <= self.rise:
            raise ValueError(f"total is {self.total}, and the warm-up alone takes {self.rise}")
        return self


class LearningParams(GradientParams):
    """What decides how a torch module is trained, whatever it reads; heads add what their modules need."""

    # What is read
    layers: Literal["last", "all", "mean-last-4"] = Field(
        description="of L layers: the last, all, or the mean of the last four (of all, where there are fewer)"
    )

    # How it is dealt
    batch_size: Count = Field(description="utterances in a batch at most")
    sort_batches: Count = Field(1, description="so many batches are sorted by length together; 1: in random order")
    accumulate: Count = Field(1, description="batches in an optimiser step")
    memory: Positive = Field(
        1024,
        description="of what is read in memory at most [MiB]; what fits is read once, more again in every epoch and "
        "shuffled by blocks and within windows",
    )

    # What is minimised: of classes the cross entropy, which the next three change; of dimensions 1 - CCC
    class_weight: Literal["balanced"] | None = Field(None, description="weigh classes by 1 / their frequency, or not")
    focal: NotNegative = Field(0.0, description="exponent of (1 - p) that the cross entropy is multiplied by")
    label_smoothing: Fraction = Field(0.0, description="share of a target that all classes have alike")
    auxiliary: NotNegative = Field(
        0.0, description="weight of the cross entropy of auxiliary classes, in tasks that have them"
    )

    # How
    optimiser: Optimiser = Field(description="how parameters follow their gradient")
    schedule: Schedule = Field(Schedule(), description="how the learning rate changes")
    clip_norm: Positive | None = Field(None, description="largest L2 norm of the gradient; null for no clipping")
    clip_value: Positive | None = Field(None, description="largest size of each value of the gradient, or null")
    initial: Literal["torch", "keras"] = Field(
        "torch", description="distribution of initial values: that of torch's own modules, or of those of Keras"
    )

    @property
    def standardised(self) -> Normalisation:
        """How what is read is standardised."""
        return "none"

    @property
    def longest(self) -> int | None:
        """What is read of an utterance at most: frames, or samples."""
        return None

    @property
    def most_at_once(self) -> int | None:
        """What is in a batch at most: frames, or samples."""
        return None


class FramesParams(LearningParams):
    """What decides the numbers of a head of frames."""

    normalisation: Normalisation = Field(
        description="standardise every dimension of every layer over frames: global (by train), speaker (transductive) "
        "or none"
    )
    max_frames: Count | None = Field(description="a longer utterance is cut to its first frames; null: never")
    batch_frames: Count | None = Field(
        None, description="frames in a batch at most, padding included; a longer utterance is a batch of its own"
    )

    @property
    def needs(self) -> Needs:
        """All frames."""
        return "frames"

    @property
    def standardised(self) -> Normalisation:
        """As the recipe says."""
        return self.normalisation

    @property
    def longest(self) -> int | None:
        """Frames of an utterance."""
        return self.max_frames

    @property
    def most_at_once(self) -> int | None:
        """Frames in a batch."""
        return self.batch_frames

    @property
    def transductive(self) -> bool:
        """True with normalisation by speaker."""
        return self.normalisation == "speaker"
