"""Eigenvectors of a secret positive semidefinite matrix, the strongest first, by repeated squaring."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc import functions

_SQUARINGS = 10


def largest_eigenpairs(matrix: Any, count: int) -> tuple[Any, Any]:
    """The eigenvectors (count, d) and eigenvalues (count,) of a matrix (d, d), whose trace is below 2^22.

    The power 2^10 of the matrix is the projection on its first eigenvector v, but for what is left of others within 1 %, times a
    number. Its column j is v[j] v, so that of the largest element gives v the sign that scikit-learn gives it: that element is
    positive. Then v is projected out from both sides, and what is left is as precise as the whole was.
    11 rounds a squaring, 160 a vector.
    """
    vectors, values = [], []
    for _ in range(count):
        vector = _strongest(matrix)
        vectors.append(vector)
        values.append((vector @ (matrix @ vector)).truncate())
        product: Any = np.outer(vector, vector)
        others = np.eye(len(matrix)) - product.truncate()
        matrix = (others @ (matrix @ others)).truncate()
    return np.stack(vectors), np.stack(values)


def _strongest(matrix: Any) -> Any:
    """The first eigenvector, of length 1."""
    power = matrix = _of_trace_1(matrix)
    for _ in range(_SQUARINGS):
        power = _of_trace_1(power @ power)
    diagonal: Any = np.diagonal(power)
    largest = functions.one_hot(diagonal.argmax(), len(power))
    vector = _of_length_1(power @ largest)
    return _of_length_1(matrix @ vector)  # which loses what roundings have left of weak directions


def _of_length_1(vector: Any) -> Any:
    vector = vector.truncate()
    return (vector / np.linalg.norm(vector)).truncate()


def _of_trace_1(matrix: Any) -> Any:
    matrix = matrix.truncate()
    return (matrix / np.trace(matrix)).truncate()
