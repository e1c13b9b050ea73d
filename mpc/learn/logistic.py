"""Logistic regression with an L2 penalty, of two classes or more."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mpc import functions
from mpc.learn.base import Classifier
from mpc.learn.checks import matrix, vector
from mpc.learn.labels import Labels
from mpc.learn.linear import MOST, LinearModel

_CARRIED = 10.0  # momentum carries over a tenth of all steps


class LogisticRegression(Classifier, LinearModel):
    """scikit-learn's LogisticRegression: minimises C * (sum of log losses) + |coef|^2 / 2; of 3 classes or more by softmax.

    max_iter: how many steps are taken, all of them, since stopping early would tell about the data. 100 bring the coefficients of
    standardised features with C = 1 to within 1 % of the largest; a larger C takes more. At most 64 features, of
    any size up to 2^28.

    Fitted: coef_ (1, features), or (classes, features), intercept_ (1,) or (classes,), and classes_, which is public.
    fit: 10 rounds for each feature, once, and 10 for each step (of softmax: 18 for 3 classes). A step sends what the sigmoid does
    (25 bytes) or softmax (55), and 8 bytes, for each row and class; the data are opened once. predict: 7 rounds, of 10 classes 9.
    """

    refused: ClassVar[dict[str, str]] = {
        "tol": "when to stop would tell about the data; set max_iter",
        "solver": "there is one, accelerated descent with a fixed bound of the second derivatives",
        "penalty": "it is the square of the coefficients; set C",
        "l1_ratio": "the penalty is the square of the coefficients; set C",
        "class_weight": "how many rows a class has is secret",
        "random_state": "nothing is random",
        "warm_start": "each fit starts from 0",
    }

    def __init__(self, *, C: float = 1.0, fit_intercept: bool = True, max_iter: int = 100):
        self.C, self.fit_intercept, self.max_iter = C, fit_intercept, max_iter

    def fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Fit to X (n, features) and labels y (n,).

        `classes`: for secret labels 0, 1, 2, ... how many there are, for others which, as a public array. Not needed for secret
        booleans and public labels. Labels that are none of these classes are an error if they are public, or the protocol
        "plaintext"; else nobody sees them, and the fit is wrong.
        """
        C, steps = self._positive("C"), self._whole("max_iter")
        X = matrix(X, "LogisticRegression.fit", most=MOST)
        y = vector(y, X.shape[0], "LogisticRegression.fit")
        labels = Labels.of(y, classes, "LogisticRegression.fit")
        self._labels, self.classes_ = labels, labels.classes
        target = labels.second(y) if labels.count == 2 else labels.one_hot(y)
        curvature = 1 / 4 if labels.count == 2 else 1 / 2
        momentum = max(0.0, 1 - _CARRIED / steps)
        self._descend(X, lambda s: self._link(s) - target, target.shape[1], 1 / C, curvature, steps, momentum)
        self.coef_ = self._columns.shrink(self._weights[: X.shape[1]].T).truncate()
        self.intercept_ = self._offset()
        self.n_iter_ = np.array([steps])
        return self

    def _link(self, scores: Any) -> Any:
        return functions.sigmoid(scores) if self._labels.count == 2 else functions.softmax(scores, axis=1)

    def decision_function(self, X: Any) -> Any:
        """The scores: (n,) of two classes, else (n, classes)."""
        scores = self._scores(self._matrix(X, "decision_function"))
        return scores[:, 0] if self._labels.count == 2 else scores

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, classes)."""
        scores = self._scores(self._matrix(X, "predict_proba"))
        p = self._link(scores)
        return np.concatenate([1 - p, p], axis=1) if self._labels.count == 2 else p

    def predict(self, X: Any) -> Any:
        """Labels (n,). Of two classes 8 rounds, of 10 classes 11."""
        scores = self._scores(self._matrix(X, "predict"))
        return self._labels.decode(scores[:, 0] > 0 if self._labels.count == 2 else np.argmax(scores, axis=1))
