"""A support vector machine with settled parameters, and what is fitted before it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC, SVR

from benchmark.types import Kind
from downstreams.heads.on_vectors import Fitted
from downstreams.normalisation import Normalisation, Normaliser, mean_and_scale


class Machine:
    """Standardisation and `SVC`, or one `SVR` for each dimension.

    Args:
        options: What scikit-learn's machine is built with: kernel, C and others.
        normalisation: How vectors are standardised.
        kind: "classification" or "regression".
        n_classes: K, where there are classes.
    """

    def __init__(self, options: dict[str, Any], normalisation: Normalisation, kind: Kind, n_classes: int) -> None:
        self._options = options
        self._normalisation = normalisation
        self._kind = kind
        self._n_classes = n_classes
        self._machines: list[Any] = []

    def fit(self, data: Fitted) -> Machine:
        """Fit from scratch."""
        self._normaliser = Normaliser.fit(self._normalisation, data.x)
        x = self._normalised(data.x, data.speakers)
        if self._kind == "regression":
            mean, scale = mean_and_scale(data.y[:, None])
            self._offset, self._unit = mean[0], scale[0]
            y = (data.y - self._offset) / self._unit
            self._machines = [SVR(**self._options).fit(x, column) for column in y.T]
            return self
        self._classes = np.unique(data.y)
        self._machines = []
        if len(self._classes) > 1:  # SVC refuses to learn a single class
            self._machines = [SVC(decision_function_shape="ovo", **self._options).fit(x, data.y)]
        return self

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n, K): the share of contests won, 0 for a class that was not fitted on; or values (n, k)."""
        x = self._normalised(x, speakers)
        if self._kind == "regression":
            columns = [machine.predict(x) for machine in self._machines]
            return np.asarray(np.stack(columns, axis=1) * self._unit + self._offset, dtype=np.float64)
        scores = np.zeros((len(x), self._n_classes))
        if self._machines:
            scores[:, self._classes] = contests_won(self._machines[0].decision_function(x), len(self._classes))
        else:
            scores[:, self._classes] = 1.0
        return scores

    def parameters(self) -> int:
        """Weights and biases of a linear machine, else support vectors, their weights and biases."""
        names: tuple[str, ...] = ("support_vectors_", "dual_coef_", "intercept_")
        if self._options["kernel"] == "linear":
            names = ("coef_", "intercept_")
        return sum(int(getattr(machine, name).size) for machine in self._machines for name in names)

    def _normalised(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float32]:
        return self._normaliser.apply(x, speakers)[:, 0]


def contests_won(decisions: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """The share of its one-vs-one contests that each class has won: what libsvm counts its votes from.

    scikit-learn's `predict` is the first class with most votes. The one-vs-rest decision function that it offers beside
    it breaks ties by confidence and so decides differently now and then.

    Args:
        decisions: What `SVC(decision_function_shape="ovo").decision_function` returns: (n, K (K - 1) / 2), the contests
            0-1, 0-2, .., 1-2, .., positive where the former wins; for K = 2 (n,), positive where class 1 wins
            (scikit-learn turns the sign of this case).
        n_classes: K, at least 2.

    Returns:
        (n, K) in [0, 1].
    """
    former_wins = (decisions < 0)[:, None] if n_classes == 2 else decisions > 0
    won = np.zeros((len(decisions), n_classes))
    for column, (former, latter) in enumerate(itertools.combinations(range(n_classes), 2)):
        won[:, former] += former_wins[:, column]
        won[:, latter] += ~former_wins[:, column]
    return won / (n_classes - 1)
