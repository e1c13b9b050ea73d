"""Least squares, with and without an L2 penalty; and what all linear models share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from mpc.learn import descent
from mpc.learn.base import Estimator, Regressor
from mpc.learn.checks import as_secret, matrix, vector
from mpc.learn.scaling import Columns

MOST = 64  # features, as np.linalg.inv takes
_STRONGEST = 2.0**24  # of a penalty, in the units of scaled columns

_ONE_SOLVER = "there is one, descent by the inverse of the covariance"


class LinearModel(Estimator):
    """Scores that are linear in the features: weights of scaled columns, and of a column of ones if `fit_intercept`."""

    fit_intercept: bool

    def _descend(
        self,
        X: Any,
        residuals: Callable[[Any], Any],
        outputs: int,
        strength: float,
        curvature: float,
        steps: int,
        momentum: float,
    ) -> None:
        """Fit, with `strength` * |coefficients|^2 / 2 added to the loss; the residuals' derivatives are at most `curvature`."""
        n, d = X.shape
        columns, scaled = Columns.fit(X, center=self.fit_intercept)
        # The coefficient of a column that was divided by s is s times as large, so its square counts 1 / s^2.
        strengths = np.minimum(strength * 4.0 ** -columns.exponents(), _STRONGEST)
        penalties = columns.table(strengths)
        inverse = descent.inverse(scaled, curvature, columns.table(np.maximum(strengths / descent.unit(n), descent.LEAST)))
        if self.fit_intercept:  # columns around 0 have no covariance with a column of ones
            scaled = np.concatenate([scaled, np.ones((n, 1))], axis=1)
            penalties = np.concatenate([penalties, np.zeros(1)])
            inverse = np.block(
                [[inverse, np.zeros((d, 1))], [np.zeros((1, d)), np.full((1, 1), descent.unit(n) / (n * curvature))]]
            )
        self._columns = columns
        self._weights = descent.descend(scaled, penalties, inverse, residuals, outputs, steps, momentum)
        self.n_features_in_ = d

    def _scores(self, X: Any) -> Any:
        """(n, outputs) for a checked X. 4 rounds."""
        d = self.n_features_in_
        scores = self._columns.apply(X) @ self._weights[:d]
        return scores + self._weights[d] if self.fit_intercept else scores

    def _offset(self) -> Any:
        """The score of a row of zeros: (outputs,)."""
        if not self.fit_intercept:
            return np.zeros(self._weights.shape[1])
        center = self._columns.shrink(self._columns.mean) + self._columns.rest
        weights = self._weights[:-1]
        return (self._weights[-1] - center @ weights).truncate()


class Ridge(Regressor, LinearModel):
    """scikit-learn's Ridge: minimises |y - X coef - intercept|^2 + alpha |coef|^2.

    Fitted: coef_ (features,) and intercept_, a scalar. At most 64 features, of any size up to 2^28, and so y.
    Method: the normal equations of columns of about unit size, by one inversion, refined by residuals of the data. Let c be the
    condition number of the columns' correlations. Coefficients of scaled columns are right to about 2^-14 sqrt(c), for c up
    to 2^10; beyond, the directions that hardly vary are not reached, and their coefficients closer to 0 than they should be.
    fit: 10 rounds for each feature and 119, and about 100 bytes a row and feature. predict: 5 rounds.
    """

    refused: ClassVar[dict[str, str]] = {
        "solver": _ONE_SOLVER,
        "tol": "when to stop would tell about the data",
        "max_iter": "the number of refinements is fixed",
        "positive": "coefficients of one sign only are not available",
        "copy_X": "tensors never change",
        "random_state": "nothing is random",
    }

    _STEPS, _MOMENTUM = 10, 0.5

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True):
        self.alpha, self.fit_intercept = alpha, fit_intercept

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, features) and y (n,), secret or public."""
        return self._fit(X, y, self._positive("alpha", zero=True))

    def _fit(self, X: Any, y: Any, alpha: float) -> Self:
        name = f"{type(self).__name__}.fit"
        X = matrix(X, name, most=MOST)
        y = as_secret(vector(y, X.shape[0], name), X, name)
        self._target, target = Columns.fit(y[:, None], center=self.fit_intercept)
        self._descend(X, lambda scores: scores - target, 1, alpha, 1.0, self._STEPS, self._MOMENTUM)
        weights = self._target.grow(self._weights[: X.shape[1], 0])
        self.coef_ = self._columns.shrink(weights).truncate()
        self.intercept_ = (self._target.grow(self._offset()) + self._target.center)[0].truncate() if self.fit_intercept else 0.0
        return self

    def predict(self, X: Any) -> Any:
        """Numbers (n,). They are as precise as the scaled columns are, so more than X @ coef_ would be."""
        scores = self._scores(self._matrix(X, "predict"))
        return (self._target.grow(scores) + self._target.center)[:, 0]


class LinearRegression(Ridge):
    """scikit-learn's LinearRegression: minimises |y - X coef - intercept|^2. All else as `Ridge`.

    Of columns that depend on each other, one of many best solutions is found.
    """

    refused: ClassVar[dict[str, str]] = {**Ridge.refused, "n_jobs": "a party's threads are an option of the run"}

    def __init__(self, *, fit_intercept: bool = True):
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, features) and y (n,), secret or public."""
        return self._fit(X, y, 0.0)
