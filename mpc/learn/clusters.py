"""k-means clusters of secret rows."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mpc import functions
from mpc.errors import ShapeError
from mpc.learn.base import Transformer
from mpc.learn.checks import matrix
from mpc.learn.scaling import Columns
from mpc.tensor import Tensor


class KMeans(Transformer):
    """scikit-learn's KMeans, by Lloyd's algorithm: who belongs to which cluster stays secret, and so how large it is.

    init: "k-means++", "random" (rows by public random numbers), or an array (n_clusters, features), public or secret, as `X[:3]`.
    n_init: how many starts, of which the one of least inertia is kept; they share all rounds. max_iter: how many steps are taken,
    all of them. random_state: a public number; None: one that the parties draw jointly. A cluster that becomes empty keeps its
    centre. `score(X)` is minus the inertia.

    Fitted: cluster_centers_ (n_clusters, features), labels_ (n,), inertia_. fit: 22 rounds a step for 3 clusters, 23 for 10;
    for each row, start and cluster 25 to 45 bytes. k-means++: 12 rounds for each further cluster. predict: 9 rounds.
    """

    _kind = "clusterer"
    refused: ClassVar[dict[str, str]] = {
        "tol": "when to stop would tell about the data; set max_iter",
        "algorithm": "there is one, Lloyd's",
        "copy_x": "tensors never change",
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int = 4,
        max_iter: int = 20,
        random_state: int | None = None,
    ):
        self.n_clusters, self.init, self.n_init = n_clusters, init, n_init
        self.max_iter, self.random_state = max_iter, random_state

    def fit(self, X: Any, y: None = None) -> Self:
        """Find the clusters of X (n, features)."""
        X = matrix(X, "KMeans.fit")
        k, steps, starts = self._whole("n_clusters"), self._whole("max_iter"), self._whole("n_init")
        self._option("n_clusters", k <= len(X), f"at most the number of rows, {len(X)}")
        self._columns, rows = Columns.fit(X, common=True)
        squares = np.sum(rows * rows, axis=1).truncate()
        centers = self._start(rows, squares, starts)
        for _ in range(steps):
            centers = _moved(rows, centers)
        if len(centers) > 1:
            inertias: Any = np.sum(squares) - 2 * np.sum(np.max(_closeness(rows, centers), axis=2), axis=0)
            best = functions.one_hot(inertias.argmin(), len(centers))
            centers = np.tensordot(best, centers, 1)[None]
        self._centers, self.n_features_in_, self.n_iter_ = centers, X.shape[1], steps
        self.cluster_centers_ = (self._columns.grow(centers[0] + self._columns.rest) + self._columns.mean).truncate()
        closeness = _closeness(rows, centers)[:, 0]
        self.labels_ = np.argmax(closeness, axis=1)
        self.inertia_ = self._in_units(np.sum(squares) - 2 * np.sum(np.max(closeness, axis=1)))
        return self

    def fit_predict(self, X: Any, y: None = None) -> Any:
        """fit(X), and the cluster of each row: labels_."""
        return self.fit(X).labels_

    def _start(self, rows: Any, squares: Any, starts: int) -> Any:
        """Centres (starts, clusters, features)."""
        random, k = self._generator(rows), self.n_clusters
        if isinstance(self.init, str):
            self._option("init", self.init in ("k-means++", "random"), "'k-means++', 'random' or an array")
            if self.init == "random":
                return rows[np.stack([random.choice(len(rows), k, replace=False) for _ in range(starts)])]
            return _spread_out(rows, squares, random, starts, k)
        given = self.init if isinstance(self.init, Tensor) else np.asarray(self.init, float)
        if given.shape != (k, rows.shape[1]):
            raise ShapeError(f"KMeans: init must be of shape {(k, rows.shape[1])}, not {given.shape}")
        return self._columns.apply(given)[None]

    def _in_units(self, squares: Any) -> Any:
        """Squared distances in the units of X."""
        return self._columns.grow(self._columns.grow(squares).truncate()).truncate()

    def _distances(self, X: Any, operation: str) -> Any:
        """Squares of distances (n, clusters), of scaled columns."""
        X = self._matrix(X, operation)
        rows = self._columns.apply(X)
        return np.sum(rows * rows, axis=1, keepdims=True) - 2 * _closeness(rows, self._centers)[:, 0]

    def predict(self, X: Any) -> Any:
        """The number of the nearest centre: secret integers (n,)."""
        return np.argmin(self._distances(X, "predict"), axis=1)

    def transform(self, X: Any) -> Any:
        """Distances from the centres, (n, clusters)."""
        distances = self._distances(X, "transform")
        return self._columns.grow(np.sqrt(np.maximum(distances, 0)))

    def score(self, X: Any, y: None = None) -> Any:
        """Minus the sum of squared distances from the nearest centres: a secret scalar."""
        distances = self._distances(X, "score")
        return -self._in_units(np.sum(np.min(distances, axis=1)))


def _closeness(rows: Any, centers: Any) -> Any:
    """x c - c c / 2 (n, starts, clusters): the larger, the nearer. 1 round."""
    starts, k, d = centers.shape
    centers = centers.truncate()
    products = (rows @ centers.reshape(starts * k, d).T).reshape(len(rows), starts, k)
    return products - np.sum(centers * centers, axis=2) / 2


def _moved(rows: Any, centers: Any) -> Any:
    """Each centre as the mean of the rows that are nearest to it."""
    starts, k, _ = centers.shape
    members = functions.one_hot(np.argmax(_closeness(rows, centers), axis=2), k).reshape(len(rows), starts * k)
    sums = (members.T @ rows).reshape(centers.shape)
    counts = np.sum(members, axis=0).reshape(starts, k, 1)
    empty = counts == 0
    return np.where(empty, centers, sums / np.where(empty, 1, counts))


def _spread_out(rows: Any, squares: Any, random: Any, starts: int, k: int) -> Any:
    """k-means++: each further centre is a row, drawn with the square of its distance from the nearest centre as its weight.

    Arthur and Vassilvitskii, *k-means++: the advantages of careful seeding*, SODA 2007. The random numbers are public, the sums
    that they are compared with secret, and so which rows are drawn; but for the first.
    """
    centers: list[Any] = [rows[random.integers(len(rows), size=starts)]]
    nearest: Any = None
    for _ in range(1, k):
        distances = squares[:, None] - 2 * _closeness(rows, centers[-1][:, None])[..., 0]
        nearest = distances if nearest is None else np.minimum(nearest, distances)
        sums = nearest.cumsum(axis=0).truncate()
        reached = (sums > sums[-1] * random.random(starts)).astype(int)
        first = np.diff(reached, axis=0, prepend=0)
        centers.append((first.T @ rows).truncate())
    return np.stack(centers, axis=1)
