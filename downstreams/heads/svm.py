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

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from benchmark.metrics import find, score
from benchmark.types import Examples, Kind, Selection
from downstreams.heads.on_vectors import Fitted, OnVectors
from downstreams.heads.support_vectors import Machine
from downstreams.params.svm import SVMGrid, SVMParams


class SVM(OnVectors):
    """Support vector machine on one vector an utterance, standardised on what it is fitted on."""

    name = "svm"
    version = 2
    Params: ClassVar[type[HeadParams]] = SVMParams
    params: SVMParams

    def _learn(self, data: Fitted, train: Examples) -> tuple[Machine, Selection]:
        """Search the grid, if there is one, by inner folds; then fit on everything.

        The scores (n, K) say how many of its one-vs-one contests each class has won, and less than a third of one more
        or less for the sum of their decision values, which breaks ties: the largest is what scikit-learn's
        `SVC(break_ties=True).predict` says, and the order of the classes changes nothing. Of two classes it is the
        decision value itself. A class that nothing was fitted on is below all others.

        Returns:
            The machine; and nothing selected, or with a grid its metric, pooled over inner folds, and the values
            chosen.

        Raises:
            BenchError: Classes are to be balanced in a regression, or a grid is to be searched with one speaker.
        """
        kind, outputs = train.kind, train.outputs
        if kind == "regression" and self.params.class_weight is not None:
            raise BenchError("class_weight: balanced needs classes, but the task is regression", "set it to null")
        selection = Selection()
        if self.params.grid is not None:
            selection = self._search(data, kind, outputs, train.metric)
        return self._build(selection.chosen, kind, outputs).fit(data), selection

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
