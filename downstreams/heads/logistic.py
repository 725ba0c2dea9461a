"""Multinomial logistic regression after standardisation, scikit-learn's own: the linear probe."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmark.base import HeadParams
from benchmark.errors import BenchError
from benchmark.types import Examples, Selection
from downstreams.heads.on_vectors import Fitted, OnVectors
from downstreams.normalisation import Normaliser
from downstreams.params.logistic import LogisticParams


@dataclass(frozen=True)
class Probabilities:
    """A fitted regression.

    Attributes:
        normaliser: How vectors are standardised.
        regression: scikit-learn's; None where there was one class only.
        classes: The classes that it was fitted on.
        n_classes: K.
    """

    normaliser: Normaliser
    regression: Any
    classes: NDArray[np.int64]
    n_classes: int

    def predict(self, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities (n, K); 0 for a class that was not fitted on."""
        scores = np.zeros((len(x), self.n_classes))
        if self.regression is None:
            scores[:, self.classes] = 1.0
        else:
            scores[:, self.classes] = self.regression.predict_proba(_standardised(self.normaliser, x, speakers))
        return scores

    def parameters(self) -> int:
        """Weights and biases."""
        return 0 if self.regression is None else int(self.regression.coef_.size + self.regression.intercept_.size)


class Logistic(OnVectors):
    """Logistic regression on one standardised vector an utterance."""

    name = "logistic"
    version = 1
    Params: ClassVar[type[HeadParams]] = LogisticParams
    params: LogisticParams

    def _learn(self, data: Fitted, train: Examples) -> tuple[Probabilities, Selection]:
        """Find the optimum, which is unique.

        Raises:
            BenchError: It is not found in as many iterations as the recipe allows.
        """
        normaliser, classes = Normaliser.fit(self.params.normalisation, data.x), np.unique(data.y)
        if len(classes) == 1:  # scikit-learn refuses to learn a single class
            return Probabilities(normaliser, None, classes, len(train.outputs)), Selection()
        regression = LogisticRegression(
            C=self.params.C, max_iter=self.params.max_iter, class_weight=self.params.class_weight
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                regression.fit(_standardised(normaliser, data.x, data.speakers), data.y)
            except ConvergenceWarning as warning:
                raise BenchError(
                    f"logistic regression has not converged after {self.params.max_iter} iterations",
                    "a recipe with a larger max_iter, a smaller C or normalisation: global ends sooner",
                ) from warning
        return Probabilities(normaliser, regression, classes, len(train.outputs)), Selection()


def _standardised(normaliser: Normaliser, x: NDArray[np.float32], speakers: Sequence[str]) -> NDArray[np.float64]:
    return normaliser.apply(x, speakers)[:, 0].astype(np.float64)
