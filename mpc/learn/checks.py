"""What estimators are given: a secret matrix of rows, and a vector of as many targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.errors import ShapeError, UsageError
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import lift


def matrix(X: Any, operation: str, features: int | None = None, most: int | None = None) -> Any:
    """X as secret floats of shape (rows, features), with as many `features` as these, or at `most` so many."""
    if not isinstance(X, Tensor):
        raise UsageError(f"{operation}: X must be a secret tensor, not {type(X).__name__}; make one by party.input")
    if X.ndim != 2 or 0 in X.shape:
        raise ShapeError(f"{operation}: X must be of shape (rows, features), with one or more of each, not {X.shape}")
    if features is not None and X.shape[1] != features:
        raise ShapeError(f"{operation}: X has {X.shape[1]} features; the estimator was fitted on {features}")
    if most is not None and X.shape[1] > most:
        raise ShapeError(f"{operation}: X has {X.shape[1]} features, of at most {most}; choose some, or combine them by PCA")
    return X.astype(float).truncate()


def vector(y: Any, rows: int, operation: str) -> Any:
    """y, secret or public, of shape (rows,)."""
    y = y if isinstance(y, Tensor) else np.asarray(y)
    if y.dtype.kind not in "fiub":
        raise UsageError(f"{operation}: y must hold numbers or booleans, not {y.dtype}")
    if y.shape != (rows,):
        raise ShapeError(f"{operation}: y must be of shape ({rows},), one for each row of X, not {y.shape}")
    return y


def as_secret(y: Any, X: Any, operation: str) -> Any:
    """y as secret floats of the program of X."""
    return y.astype(float).truncate() if isinstance(y, Tensor) else lift(X, y.astype(float), operation)
