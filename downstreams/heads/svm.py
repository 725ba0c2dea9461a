"""Support vector machines after standardisation, scikit-learn's own.

The classical head for functionals such as eGeMAPS and ComParE: one vector for each utterance, every dimension
standardised by the utterances that the machine is fitted on, then `sklearn.svm.SVC` (one-vs-one) or, for dimensions,
one `sklearn.svm.SVR` each.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from benchmark.base import Downstream, HeadParams
from benchmark.errors import BenchError
from benchmark.metrics import find, score
from benchmark.types import Examples, Kind, Selection
from downstreams import checks as check
from downstreams.heads.support_vectors import Fitted, Machine
from downstreams.params.svm import SVMGrid, SVMParams


class SVM(Downstream):
    """Support vector machine on one vector an utterance, standardised on what it is fitted on."""

    name = "svm"
    version = 2
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scikit-learn")
    # scikit-learn checks what it is given under warning filters of its own, and filters are one for all threads: fitted
    # at once, machines would leave each other's behind, of which some make an error of a warning.
    concurrent: ClassVar[bool] = False
    Params: ClassVar[type[HeadParams]] = SVMParams
    params: SVMParams

    def __init__(self, params: HeadParams, device: str = "cpu") -> None:
        super().__init__(params, device)
        self._machine: Machine | None = None
        self._shape = (0, 0)  # (L, D) that the head was fitted on
        self._dev_fitted: frozenset[str] = frozenset()

    def fit(self, train: Examples, dev: Examples, *, seed: int) -> Selection:
        """Search the grid, if there is one, then fit on train, or train and dev.

        Args:
            train: At least one example, with targets.
            dev: May be empty; joins train where the recipe says so, and is not looked at otherwise.
            seed: Not used.

        Returns:
            Nothing selected; or with a grid its metric, pooled over inner folds, and the values chosen.

        Raises:
            BenchError: Examples are not as they should be, a layer does not exist, classes are to be balanced in a
                regression, or a grid is to be searched with one speaker.
        """
        kind, outputs = train.kind, train.outputs
        if kind == "regression" and self.params.class_weight is not None:
            raise BenchError("class_weight: balanced needs classes, but the task is regression", "set it to null")
        everything = self._join(train, dev)
        selection = Selection()
        if self.params.grid is not None:
            selection = self._search(everything, kind, outputs, train.metric)
        self._machine = self._build(selection.chosen, kind, outputs).fit(everything)
        return selection

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Score utterances.

        Returns:
            (n, K): how many of its one-vs-one contests each class has won, and less than a third of one more or less
            for the sum of their decision values, which breaks ties: the largest is what scikit-learn's
            `SVC(break_ties=True).predict` says, and the order of the classes changes nothing. Of two classes the
            decision value itself. A class that nothing was fitted on is below all others. Or (n, k) values.

        Raises:
            BenchError: The head is not fitted, the features are not like those it was fitted on, or an utterance is
                one of dev that the head was fitted on.
        """
        if self._machine is None:
            raise BenchError("the head svm predicts before it is fitted", "call fit first")
        x = self._vectors(check.means(examples, "test", shape=self._shape))
        seen = sorted(self._dev_fitted.intersection(examples.ids))
        if seen:
            raise BenchError(
                f"the head svm was fitted on {seen[0]!r} of dev and is to predict it now",
                "a protocol that tests on dev needs a recipe with fit_on: train",
            )
        return self._machine.predict(x, examples.speakers)

    def parameters(self) -> int:
        """Number of trained values: weights and biases of a linear machine, else support vectors and their weights."""
        return 0 if self._machine is None else self._machine.parameters()

    def _join(self, train: Examples, dev: Examples) -> Fitted:
        x = check.means(train, "train")
        self._shape = (x.shape[1], x.shape[2])
        parts = [Fitted(self._vectors(x), _targets(train, "train"), train.speakers)]
        self._dev_fitted = frozenset()
        if self.params.fit_on == "train+dev" and len(dev):
            x_dev = check.means(dev, "dev", shape=self._shape)
            parts.append(Fitted(self._vectors(x_dev), _targets(dev, "dev"), dev.speakers))
            self._dev_fitted = frozenset(dev.ids)
        return Fitted(
            np.concatenate([part.x for part in parts]),
            np.concatenate([part.y for part in parts]),
            tuple(itertools.chain.from_iterable(part.speakers for part in parts)),
        )

    def _vectors(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read one vector (n, 1, D') out of (n, L, D)."""
        layer, layers = self.params.layer, x.shape[1]
        if layer == "mean":
            return np.asarray(x.mean(axis=1, keepdims=True, dtype=np.float64), dtype=np.float32)
        if layer == "all":
            return x.reshape(len(x), 1, -1)
        if layer == "last":
            return x[:, -1:]
        if layer >= layers:
            raise BenchError(f"the recipe reads layer {layer}", f"the upstream has {layers} layers: 0..{layers - 1}")
        return x[:, layer : layer + 1]

    def _build(self, chosen: Mapping[str, Any], kind: Kind, outputs: Sequence[str]) -> Machine:
        options = {"kernel": self.params.kernel, "C": self.params.C, **chosen}
        if self.params.gamma is not None:
            options["gamma"] = self.params.gamma
        if kind == "regression":
            options["epsilon"] = self.params.epsilon
        else:
            options["class_weight"] = self.params.class_weight
        return Machine(options, self.params.normalisation, kind, outputs)

    def _search(self, everything: Fitted, kind: Kind, outputs: Sequence[str], metric: str) -> Selection:
        grid = {key: values for key, values in (self.params.grid or SVMGrid()) if values}
        folds = inner_folds(everything.y, everything.speakers, self.params.inner_folds, kind)
        truth = everything.y[np.concatenate(folds)]
        candidates = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        reached = []
        for chosen in candidates:
            machine = self._build(chosen, kind, outputs)
            scores = []
            for held_out in folds:
                part = everything.part(held_out)
                rest = everything.part(np.setdiff1d(np.arange(len(everything.y)), held_out))
                scores.append(machine.fit(rest).predict(part.x, part.speakers))
            reached.append(score(metric, truth, np.concatenate(scores)))
        best = int(np.argmax(reached) if find(metric).higher_is_better else np.argmin(reached))
        on = f"{metric} pooled over {len(folds)} inner folds by speaker"
        return Selection(on=on, score=reached[best], chosen=candidates[best])


def inner_folds(y: NDArray[Any], speakers: Sequence[str], k: int, kind: Kind) -> list[NDArray[np.intp]]:
    """Deal utterances into k folds so that no speaker is in two of them; classes as evenly as that allows.

    Args:
        y: (n,) class indices or (n, k) values.
        speakers: n.
        k: At least 2; as many as there are speakers (or utterances of the largest class) where they are fewer.
        kind: Classes are dealt evenly by scikit-learn's `StratifiedGroupKFold`, values by its `GroupKFold`.

    Returns:
        The rows of each fold, none empty.

    Raises:
        BenchError: All utterances are of one speaker, or each is the only one of its class.
    """
    stratified = kind == "classification"
    k = min(k, len(set(speakers)), int(np.bincount(y).max()) if stratified else k)
    if k < 2:
        raise BenchError(
            f"a grid search needs two speakers and two utterances of a class, not {len(y)} utterances of "
            f"{len(set(speakers))} speakers",
            "use a recipe with fixed parameters (grid: null)",
        )
    splitter = StratifiedGroupKFold(k) if stratified else GroupKFold(k)
    with warnings.catch_warnings():
        # A class with fewer utterances than folds is no fault here: the score is pooled over all folds.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        dealt = splitter.split(np.zeros(len(y)), y if stratified else None, groups=list(speakers))
        return [held_out for _, held_out in dealt if len(held_out)]


def _targets(examples: Examples, what: str) -> NDArray[Any]:
    if examples.kind == "classification":
        return check.class_indices(examples, what)
    return check.values(examples, what)
