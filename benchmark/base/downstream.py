"""The abstract downstream: a head that reads a representation out; and its parameters, which tell the facts of it.

By its facts a head is listed, checked against a task and judged in a submission. They follow from its parameters alone,
so they are properties of these, which need neither torch nor scikit-learn, and the head has them from there: what is
listed and what runs cannot disagree.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchError
from benchmark.io.yamls import Closed
from benchmark.types import Examples, HeldOut, Kind, Needs, Probabilities, Selection

if TYPE_CHECKING:
    from benchmark.base.upstream import Upstream

# What a head has from who makes it, and does not learn.
GIVEN = frozenset({"params", "device", "upstream", "checkpoint", "report"})
UsesDev = Literal["select", "fit", "no"]
InnerFolds = Literal["all", "first"]


class HeadParams(Closed):
    """Base of a downstream's parameters: a closed schema, so that a misspelt key in a recipe is refused.

    What must be known of a head before it is built is a property here. A subclass overrides those that differ; one in a
    module of its own, without torch, lets `bench list` and the check of submissions read them without the head.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Refuse a parameter that has the name of a property here: its value would be read by nobody.

        Raises:
            TypeError: There is one.
        """
        super().__pydantic_init_subclass__(**options)
        for name in cls.model_fields:
            if isinstance(getattr(HeadParams, name, None), property):
                raise TypeError(f"{cls.__name__}: {name!r} is no parameter: override the property of HeadParams")

    @property
    def needs(self) -> Needs:
        """What the head needs of every utterance, see `Examples.x`."""
        return "mean"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of task that the head takes; a head that says nothing takes classes."""
        return ("classification",)

    @property
    def stochastic(self) -> bool:
        """Whether the seed matters; a head that ignores it is run with the task's first seed only."""
        return True

    @property
    def uses_dev(self) -> UsesDev:
        """Whether the head selects on dev (and cannot do without), is fitted on it too, or leaves it alone."""
        return "no"

    @property
    def inner_selection(self) -> InnerFolds:
        """Where the protocol has inner folds: whether the head is selected on all of them, or is too dear for that.

        "all": `fit` finds them in `train.inner`, and no dev set. "first": it is given the first of them as a dev set,
        and is not fitted on it; the record shows which.
        """
        return "first"

    @property
    def probabilities(self) -> Probabilities | None:
        """What `predict` gives for classes: probabilities, "plain" or as their natural logarithms, "log".

        None for scores of another kind, such as votes and distances: nothing is then said of how far they are believed.
        """
        return None

    @property
    def transductive(self) -> bool:
        """Whether the head uses unlabelled statistics of the test utterances; the record and leaderboard say so."""
        return False

    @property
    def sequences(self) -> bool:
        """Whether it takes what was said before an utterance, in tasks with context, and only there."""
        return False

    @property
    def adapts(self) -> bool:
        """Whether `fit` takes unlabelled utterances of the target, in tasks between two corpora, and only there."""
        return False

    @property
    def networks(self) -> tuple[str, ...]:
        """Words of which the upstream's name must have one, where the head names layers of networks; else empty."""
        return ()

    @property
    def teacher(self) -> tuple[str, str] | None:
        """Upstream and downstream of a teacher, trained on the same fold, from which the head learns; None for none."""
        return None

    @property
    def phones(self) -> bool:
        """Whether `fit` reads which phones are spoken in train and adapt: phone alignments are needed then."""
        return False

    @property
    def upstream_beside(self) -> str | None:
        """Name of the second of two joined upstreams, A+NAME, that the head tells apart; None where it takes any."""
        return None

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions whose version decides the numbers; part of the identity."""
        return ("numpy",)

    @property
    def concurrent(self) -> bool:
        """Whether several heads may be fitted in threads at once.

        They then use nothing that all threads share, such as torch's own random generator.
        """
        return False

    @property
    def components(self) -> tuple[tuple[str, HeadParams], ...]:
        """The heads that the head is made of, if it is: the name of each class of this package, and its parameters."""
        return ()


@dataclass(frozen=True)
class TrainingSize:
    """How much a head trains.

    Attributes:
        parameters: Trained values, of the upstream and of itself.
        kept_bytes: Disk that the best state takes.
        checkpoint_bytes: Disk that a training takes while it is going on.
    """

    parameters: int
    kept_bytes: int
    checkpoint_bytes: int


def unheard(share: float) -> None:
    """Where nobody listens to what share of a fit is done."""


class Downstream(ABC):
    """Reads a representation out: a head that is fitted on train, selected on dev and then predicts.

    One instance is one head: the run makes a new one for every fold and seed. What must be known of it (`needs` to
    `concurrent`) it has from its parameters; a class without parameters of its own may set it itself, as by
    `needs = "frames"`.

    Attributes:
        name: The class, as recipes name it.
        version: Raised whenever its numbers change; what is published is told apart by it. None where none is
            declared: the digest of the code stands for it then.
        Params: The recipe's keys, a subclass of `HeadParams` (pydantic).
        params: The recipe's values.
        device: Where to compute, "cpu" or "cuda".
        upstream: Of the cell, given by the run to a head that needs waveforms: it may train a `trainable` of it.
        checkpoint: File in which a fit that takes long may keep how far it is, and from which it then goes on; given by
            the run, which removes it when the unit is recorded. None for none.
        report: Told by a head whose fit takes long what share of it is done, from 0 to 1; a run shows it.
    """

    name: ClassVar[str]
    version: ClassVar[int | None] = None
    Params: ClassVar[type[HeadParams]] = HeadParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        self.params: Any = params
        self.device = device
        self.upstream: Upstream | None = None
        self.checkpoint: Path | None = None
        self.report: Callable[[float], None] = unheard

    @property
    def needs(self) -> Needs:
        """As `HeadParams.needs`."""
        return self.params.needs  # type: ignore[no-any-return]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """As `HeadParams.kinds`."""
        return self.params.kinds  # type: ignore[no-any-return]

    @property
    def stochastic(self) -> bool:
        """As `HeadParams.stochastic`."""
        return self.params.stochastic  # type: ignore[no-any-return]

    @property
    def uses_dev(self) -> UsesDev:
        """As `HeadParams.uses_dev`."""
        return self.params.uses_dev  # type: ignore[no-any-return]

    @property
    def inner_selection(self) -> InnerFolds:
        """As `HeadParams.inner_selection`."""
        return self.params.inner_selection  # type: ignore[no-any-return]

    @property
    def probabilities(self) -> Probabilities | None:
        """As `HeadParams.probabilities`."""
        return self.params.probabilities  # type: ignore[no-any-return]

    @property
    def transductive(self) -> bool:
        """As `HeadParams.transductive`."""
        return self.params.transductive  # type: ignore[no-any-return]

    @property
    def sequences(self) -> bool:
        """As `HeadParams.sequences`."""
        return self.params.sequences  # type: ignore[no-any-return]

    @property
    def adapts(self) -> bool:
        """As `HeadParams.adapts`."""
        return self.params.adapts  # type: ignore[no-any-return]

    @property
    def networks(self) -> tuple[str, ...]:
        """As `HeadParams.networks`."""
        return self.params.networks  # type: ignore[no-any-return]

    @property
    def teacher(self) -> tuple[str, str] | None:
        """As `HeadParams.teacher`."""
        return self.params.teacher  # type: ignore[no-any-return]

    @property
    def phones(self) -> bool:
        """As `HeadParams.phones`."""
        return self.params.phones  # type: ignore[no-any-return]

    @property
    def upstream_beside(self) -> str | None:
        """As `HeadParams.upstream_beside`."""
        return self.params.upstream_beside  # type: ignore[no-any-return]

    @property
    def libraries(self) -> tuple[str, ...]:
        """As `HeadParams.libraries`."""
        return self.params.libraries  # type: ignore[no-any-return]

    @property
    def concurrent(self) -> bool:
        """As `HeadParams.concurrent`."""
        return self.params.concurrent  # type: ignore[no-any-return]

    @abstractmethod
    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Fit on train and select on dev.

        A head that `adapts` takes a further keyword, `adapt`: utterances of the target, without targets.

        Args:
            train: At least one example, with targets; with inner folds for a head that is selected on all of them.
            dev: With targets; empty where the protocol has no dev set, or inner folds in its place.
            seed: Decides initialisation and order.

        Raises:
            BenchError: The data do not suit the head, for example an empty dev set for a head that selects.
        """

    @abstractmethod
    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Score utterances after `fit`.

        Returns:
            (n, K) class scores whose argmax is the decision, or (n, k) values of the dimensions.
        """

    def held_out(self) -> HeldOut | None:
        """What was predicted, while `fit` selected on all inner folds, of what each of them holds out, pooled.

        None where the head selects on no inner folds, or keeps nothing of them.
        """
        return None

    def parameters(self) -> int:
        """Number of trained values after `fit`."""
        return 0

    def to_keep(self) -> dict[str, Any]:
        """What `fit` has learnt, by name: plain values, arrays, tensors, and objects that are made of them."""
        return {name: value for name, value in vars(self).items() if name not in GIVEN}

    def from_kept(self, learnt: Mapping[str, Any]) -> None:
        """Take what another head of the same parameters has learnt, instead of `fit`.

        A head that trains the upstream needs its `upstream` for it, as it was before.
        """
        vars(self).update(learnt)

    def tuned(self) -> Upstream:
        """The upstream with the weights that `fit` has given it; of heads that train it alone.

        Raises:
            BenchError: It trains none.
        """
        raise BenchError(f"the head {self.name} trains no upstream", "bench list downstreams tells which ones do")

    def write_tuned(self, folder: Path) -> None:
        """Write the upstream with the weights that `fit` has given it, in a layout from which it loads.

        Raises:
            BenchError: It trains none, or the upstream cannot be written.
        """
        raise BenchError(f"the head {self.name} trains no upstream", "bench list downstreams tells which ones do")

    def training_size(self, outputs: int) -> TrainingSize | None:
        """What it would train of its `upstream` and keep, told before any training; None for a head that trains none.

        Args:
            outputs: Classes, or dimensions.
        """
        del outputs
        return None

    def embeddings(self, examples: Examples) -> NDArray[np.float32]:
        """What the fitted head makes of utterances before its output, (n, E), for another head to learn from.

        Raises:
            BenchError: It has no such thing.
        """
        raise BenchError(f"the head {self.name} has no embeddings that another could learn from", "choose a network")

    def first_layer(self, examples: Examples) -> NDArray[np.float32]:
        """What the first linear layer of the fitted head makes of utterances, (n, E), for an analysis to look at.

        Raises:
            BenchError: It has no such thing.
        """
        raise BenchError(f"the head {self.name} has no first layer to look at", "choose a network, such as linear")
