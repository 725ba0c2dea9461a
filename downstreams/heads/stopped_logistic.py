"""Multinomial logistic regression that ends after some iterations, converged or not: the probe of MTEB and MAEB.

Source: embeddings-benchmark/mteb, mteb/abstasks/classification.py. What is kept of a regression that has not converged
depends on its solver, here scikit-learn's L-BFGS as there. The head `logistic` refuses to do so.
"""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmark.base import HeadParams
from benchmark.types import Examples, Selection
from downstreams.heads.logistic import Probabilities
from downstreams.heads.on_vectors import Fitted, OnVectors
from downstreams.normalisation import Normaliser
from downstreams.params.logistic import LogisticParams


class StoppedLogistic(OnVectors):
    """Logistic regression on one vector an utterance, as far as it gets in so many iterations."""

    name = "stopped-logistic"
    version = 1
    Params: ClassVar[type[HeadParams]] = LogisticParams
    params: LogisticParams

    def _learn(self, data: Fitted, train: Examples) -> tuple[Probabilities, Selection]:
        """Iterate; nothing is said of whether the optimum was reached."""
        normaliser, classes = Normaliser.fit(self.params.normalisation, data.x), np.unique(data.y)
        if len(classes) == 1:  # scikit-learn refuses to learn a single class
            return Probabilities(normaliser, None, classes, len(train.outputs)), Selection()
        regression = LogisticRegression(
            C=self.params.C, max_iter=self.params.max_iter, class_weight=self.params.class_weight
        )
        x = normaliser.apply(data.x, data.speakers)[:, 0].astype(np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(x, data.y)
        return Probabilities(normaliser, regression, classes, len(train.outputs)), Selection()
