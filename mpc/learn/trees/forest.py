"""Random forests: all trees grow at the same time, so that they share all rounds."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mpc.learn.base import Classifier, Estimator, Regressor
from mpc.learn.checks import as_secret, matrix, vector
from mpc.learn.labels import Labels
from mpc.learn.scaling import Columns
from mpc.learn.trees.bins import Splits
from mpc.learn.trees.growing import grow

_EMPTY = 2.0**-6  # added to the number of rows on a side of a split, so that an empty one has no say


class _Forest(Estimator):
    """Complete trees of a public depth, with secret splits at secret quantiles."""

    refused: ClassVar[dict[str, str]] = {
        "max_leaf_nodes": "trees are complete, so that nothing about the data leaks; set max_depth",
        "min_samples_leaf": "how many rows a leaf has is secret",
        "min_samples_split": "how many rows a node has is secret",
        "criterion": "there is one, the squared error (of classes, the Gini impurity)",
        "class_weight": "how many rows a class has is secret",
        "oob_score": "it is not available",
        "n_jobs": "all trees grow at the same time",
        "max_samples": "each tree draws as many rows as there are",
    }

    def __init__(
        self,
        n_estimators: int = 20,
        *,
        max_depth: int = 5,
        max_features: Any = "sqrt",
        bootstrap: bool = True,
        max_bins: int = 16,
        random_state: int | None = None,
    ):
        self.n_estimators, self.max_depth, self.max_features = n_estimators, max_depth, max_features
        self.bootstrap, self.max_bins, self.random_state = bootstrap, max_bins, random_state

    def _grow(self, X: Any, targets: Any) -> None:
        """Trees for targets (n, outputs)."""
        n, d = X.shape
        trees, depth, bins = self._whole("n_estimators"), self._whole("max_depth"), self._whole("max_bins", least=2)
        random, some = self._generator(X), self._features(d)
        counts = random.multinomial(n, np.full(n, 1 / n), size=trees).T if self.bootstrap else np.ones((n, trees), np.int64)
        weighted = targets[:, None] * counts[:, :, None]
        values = np.concatenate([weighted, counts[:, :, None]], axis=2)
        subsets = [random.permuted(np.tile(np.arange(d), (trees, 2**k, 1)), axis=2)[..., :some] for k in range(depth)]
        self._trees, _ = grow(Splits.of(X, bins), values, depth, _EMPTY, subsets if some < d else None, means=True)
        self.n_features_in_ = d

    def _features(self, d: int) -> int:
        """How many features a split chooses from."""
        wanted = self.max_features
        if wanted == "sqrt":
            return max(1, int(np.sqrt(d)))
        if wanted is None:
            return d
        good = isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and 1 <= wanted <= d
        self._option("max_features", bool(good), f"'sqrt', None or a number from 1 to {d}")
        return int(wanted)

    def _mean(self, X: Any, operation: str) -> Any:
        X = self._matrix(X, operation)
        return self._trees.total(X) / len(self._trees.leaves)


class RandomForestClassifier(Classifier, _Forest):
    """scikit-learn's RandomForestClassifier, with complete trees of depth max_depth that split at quantiles.

    Which rows a tree draws, and from which features a split chooses, is public: drawn from random_state, a public number, or, if
    that is None, jointly by the parties. Probabilities are the mean of the shares of classes in the leaves, as there; a
    leaf without rows has those of the nearest node above it with some. All trees grow at once, so fit takes as many rounds as for
    one: 26 to 31 a level.
    """

    def fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Fit to X (n, features) and labels y (n,). `classes`: as for LogisticRegression."""
        X = matrix(X, "RandomForestClassifier.fit")
        y = vector(y, X.shape[0], "RandomForestClassifier.fit")
        self._labels = Labels.of(y, classes, "RandomForestClassifier.fit")
        self.classes_ = self._labels.classes
        self._grow(X, self._labels.one_hot(y))
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, classes)."""
        return self._mean(X, "predict_proba")

    def predict(self, X: Any) -> Any:
        """Labels (n,)."""
        shares = self._mean(X, "predict")
        return self._labels.decode(np.argmax(shares, axis=1))


class RandomForestRegressor(Regressor, _Forest):
    """scikit-learn's RandomForestRegressor, as `RandomForestClassifier`; max_features is "sqrt" by default here."""

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, features) and y (n,), secret or public."""
        X = matrix(X, "RandomForestRegressor.fit")
        y = as_secret(vector(y, X.shape[0], "RandomForestRegressor.fit"), X, "RandomForestRegressor.fit")
        self._target, target = Columns.fit(y[:, None])
        self._grow(X, target)
        return self

    def predict(self, X: Any) -> Any:
        """Numbers (n,)."""
        found = self._mean(X, "predict")
        return (self._target.grow(found) + self._target.center)[:, 0]
