"""Principal components."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mpc import functions
from mpc.learn.base import Transformer
from mpc.learn.checks import matrix
from mpc.learn.eigen import largest_eigenpairs
from mpc.learn.scaling import Columns

_FINER = 2.0**12  # the covariance is so many times larger, for the digits of its small components


class PCA(Transformer):
    """scikit-learn's PCA: the directions in which the data vary most, with the same signs.

    n_components: how many, by default as many as there are, min(rows, features). whiten: `transform` gives components of
    variance 1.

    Fitted: components_ (n_components, features), explained_variance_ (which must be below 2^30), explained_variance_ratio_,
    singular_values_, mean_. Components are right to about 2^-13, where the variance is 2 % more than that of the next, and 2^-20
    of the whole or more; of components that are as strong as each other, mixtures are found. fit: about 140 rounds for each.
    """

    refused: ClassVar[dict[str, str]] = {
        "svd_solver": "there is one, powers of the covariance",
        "tol": "when to stop would tell about the data",
        "iterated_power": "the number of steps is fixed",
        "random_state": "nothing is random",
        "copy": "tensors never change",
    }

    def __init__(self, n_components: int | None = None, *, whiten: bool = False):
        self.n_components, self.whiten = n_components, whiten

    def fit(self, X: Any, y: None = None) -> Self:
        """Find the components of X (n, features)."""
        X = matrix(X, "PCA.fit")
        n, d = X.shape
        self._option("n_components", n > 1, "fitted on two rows or more")
        count = min(n, d) if self.n_components is None else self._whole("n_components")
        self._option("n_components", count <= min(n, d), f"at most {min(n, d)}, the smaller of rows and features")
        self._columns, rows = Columns.fit(X, common=True)
        covariance = (rows.T @ rows * (_FINER / (n - 1))).truncate()
        self.components_, values = largest_eigenpairs(covariance, count)
        self.n_components_, self.n_features_in_, self.n_samples_ = count, d, n
        self.mean_ = self._columns.center.truncate()
        self.explained_variance_ratio_ = values / np.trace(covariance)
        self._scale = np.sqrt(values / _FINER)  # of the components, where columns are scaled
        self._inverse = functions.rsqrt(values) * _FINER**0.5 if self.whiten else None
        self._values = values
        return self

    @property
    def explained_variance_(self) -> Any:
        """The variance of each component."""
        self._fitted("explained_variance_")
        return self._columns.grow(self._columns.grow(self._values / _FINER))

    @property
    def singular_values_(self) -> Any:
        """The root of each component's sum of squares."""
        self._fitted("singular_values_")
        return self._columns.grow(self._scale) * np.sqrt(self.n_samples_ - 1)

    def transform(self, X: Any) -> Any:
        """The components of X: (n, n_components). 4 rounds."""
        X = self._matrix(X, "transform")
        found = self._columns.apply(X) @ self.components_.T
        return found * self._inverse if self.whiten else self._columns.grow(found)

    def inverse_transform(self, X: Any) -> Any:
        """Rows (n, features) that have these components."""
        self._fitted("inverse_transform")
        if self.whiten:
            X = X * self._columns.grow(self._scale)
        return X @ self.components_ + self.mean_
