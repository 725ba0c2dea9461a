"""A support vector machine with settled parameters, and what is fitted before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC, SVR

from benchmark.types import Kind
from downstreams.heads.on_vectors import Fitted
from downstreams.normalisation import Normalisation, Normaliser, mean_and_scale

# The score of a class that nothing was fitted on: below that of every other.
NOT_FITTED_ON = -1e9


class Machine:
    """Standardisation and `SVC`, or one `SVR` for each dimension.

    Args:
        options: What scikit-learn's machine is built with: kernel, C and others.
        normalisation: How vectors are standardised.
        kind: "classification" or "regression".
        outputs: Names of the K classes, or of the dimensions.
    """

    def __init__(
        self, options: dict[str, Any], normalisation: Normalisation, kind: Kind, outputs: Sequence[str]
    ) -> None:
        self._options = options
        self._normalisation = normalisation
        self._kind = kind
        # The solver's last digits depend on the order of classes: that of their names is the same in every protocol.
        self._by_name = np.argsort(np.array(outputs))
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
        y = np.argsort(self._by_name)[data.y]
        self._classes = self._by_name[np.unique(y)]
        self._machines = []
        if len(self._classes) > 1:  # SVC refuses to learn a single class
            self._machines = [SVC(decision_function_shape="ovr", **self._options).fit(x, y)]
        return self

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n, K), see `SVM.predict`; or values (n, k)."""
        x = self._normalised(x, speakers)
        if self._kind == "regression":
            columns = [machine.predict(x) for machine in self._machines]
            return np.asarray(np.stack(columns, axis=1) * self._unit + self._offset, dtype=np.float64)
        scores = np.full((len(x), len(self._by_name)), NOT_FITTED_ON)
        if self._machines:
            decisions = self._machines[0].decision_function(x)
            scores[:, self._classes] = np.stack([-decisions, decisions], axis=1) if decisions.ndim == 1 else decisions
        else:
            scores[:, self._classes] = 0.0
        return scores

    def parameters(self) -> int:
        """Weights and biases of a linear machine, else support vectors, their weights and biases."""
        names: tuple[str, ...] = ("support_vectors_", "dual_coef_", "intercept_")
        if self._options["kernel"] == "linear":
            names = ("coef_", "intercept_")
        return sum(int(getattr(machine, name).size) for machine in self._machines for name in names)

    def _normalised(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float32]:
        return self._normaliser.apply(x, speakers)[:, 0]
