"""Gradient boosting: each tree is grown on the derivatives of the loss that the trees before it leave."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mpc import functions
from mpc.learn.base import Classifier, Estimator, Regressor
from mpc.learn.checks import as_secret, matrix, vector
from mpc.learn.labels import Labels
from mpc.learn.scaling import Columns
from mpc.learn.trees.bins import Splits
from mpc.learn.trees.growing import Trees, grow
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import lift

_RAREST = 2.0**-10  # of a class


class _Boosting(Estimator):
    """The options of both, and how they are fitted."""

    refused: ClassVar[dict[str, str]] = {
        "max_leaf_nodes": "trees are complete, so that nothing about the data leaks; set max_depth",
        "min_samples_leaf": "how many rows a leaf has is secret; set l2_regularization",
        "min_samples_split": "how many rows a node has is secret; set l2_regularization",
        "subsample": "all rows are used",
        "loss": "there is one, the squared error or the log loss",
        "n_iter_no_change": "when to stop would tell about the data; set n_estimators",
        "early_stopping": "when to stop would tell about the data; set n_estimators",
        "max_iter": "it is called n_estimators",
        "random_state": "nothing is random",
    }

    def __init__(
        self,
        *,
        n_estimators: int = 20,
        learning_rate: float = 0.3,
        max_depth: int = 3,
        max_bins: int = 16,
        l2_regularization: float = 1.0,
    ):
        self.n_estimators, self.learning_rate, self.max_depth = n_estimators, learning_rate, max_depth
        self.max_bins, self.l2_regularization = max_bins, l2_regularization

    def _boost(self, X: Any, start: Any, values: Any) -> None:
        """Grow trees from scores `start` (outputs,); values(scores) are the derivatives (n, outputs, 2), negative and second."""
        count, depth, rate = self._whole("n_estimators"), self._whole("max_depth"), self._positive("learning_rate")
        l2, bins = self._positive("l2_regularization"), self._whole("max_bins", least=2)
        splits = Splits.of(X, bins)
        self._start, outputs = start, start.shape[0]
        scores, groups = np.broadcast_to(start, (len(X), outputs)), []
        for _ in range(count):
            trees, found = grow(splits, values(scores), depth, l2)
            scores = (scores + rate * found[..., 0]).truncate()
            leaves = trees.leaves * (rate * np.eye(outputs)[:, None])  # each tree's go to an output of its own
            groups.append(Trees(trees.features, trees.thresholds, leaves))
        self._trees, self.n_features_in_ = Trees.joined(groups), X.shape[1]

    def _scores(self, X: Any, operation: str) -> Any:
        X = self._matrix(X, operation)
        return self._start + self._trees.total(X)


class GradientBoostingRegressor(Regressor, _Boosting):
    """Regression trees, each grown on what the trees before it leave of the squared error.

    n_estimators, learning_rate and max_depth as in scikit-learn's GradientBoostingRegressor, but fewer trees that learn faster by
    default, as each takes rounds. max_bins and l2_regularization as in its HistGradientBoostingRegressor, but the latter is
    positive. Trees are complete and split between secret quantiles; where, is secret.

    fit: np.quantile of the features, and a comparison with each (20 bytes for each row, feature and bin), once; for a tree 9
    rounds, and for each of its levels 29 for 100 splits, 34 for 450. predict: 8 rounds and one for each level; 26 bytes for each
    row and node.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (n, features) and y (n,), secret or public."""
        X = matrix(X, "GradientBoostingRegressor.fit")
        y = as_secret(vector(y, X.shape[0], "GradientBoostingRegressor.fit"), X, "GradientBoostingRegressor.fit")
        self._target, target = Columns.fit(y[:, None])
        ones = np.ones((len(X), 1))
        self._boost(X, lift(target, np.zeros(1), "fit"), lambda scores: np.stack([target - scores, ones], axis=2))
        return self

    def predict(self, X: Any) -> Any:
        """Numbers (n,)."""
        scores = self._scores(X, "predict")
        return (self._target.grow(scores) + self._target.center)[:, 0]


class GradientBoostingClassifier(Classifier, _Boosting):
    """Trees boosted on the log loss; of 3 classes or more as many at a time, one for each class.

    Options and costs: as GradientBoostingRegressor, and 6 rounds a tree for the probabilities, of 3 classes 14.
    """

    def fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Fit to X (n, features) and labels y (n,). `classes`: as for LogisticRegression."""
        X = matrix(X, "GradientBoostingClassifier.fit")
        y = vector(y, X.shape[0], "GradientBoostingClassifier.fit")
        self._labels = Labels.of(y, classes, "GradientBoostingClassifier.fit")
        self.classes_ = self._labels.classes
        target = self._labels.second(y) if self._binary else self._labels.one_hot(y)
        target = target if isinstance(target, Tensor) else lift(X, target, "GradientBoostingClassifier.fit")
        rates = np.clip(np.mean(target, axis=0), _RAREST, 1 - _RAREST)
        start = np.log(rates) - np.log(1 - rates) if self._binary else np.log(rates)

        def derivatives(scores: Any) -> Any:
            p = self._link(scores).truncate()
            both: Any = np.stack([target - p, p * (1 - p)], axis=2)
            return both.truncate()

        self._boost(X, start.truncate(), derivatives)
        return self

    @property
    def _binary(self) -> bool:
        return self._labels.count == 2

    def _link(self, scores: Any) -> Any:
        return functions.sigmoid(scores) if self._binary else functions.softmax(scores, axis=1)

    def decision_function(self, X: Any) -> Any:
        """The scores: (n,) of two classes, else (n, classes)."""
        scores = self._scores(X, "decision_function")
        return scores[:, 0] if self._binary else scores

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, classes)."""
        scores = self._scores(X, "predict_proba")
        p = self._link(scores)
        return np.concatenate([1 - p, p], axis=1) if self._binary else p

    def predict(self, X: Any) -> Any:
        """Labels (n,)."""
        scores = self._scores(X, "predict")
        return self._labels.decode(scores[:, 0] > 0 if self._binary else np.argmax(scores, axis=1))
