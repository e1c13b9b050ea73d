"""Accelerated descent with one matrix for all steps: what linear models are fitted by.

A loss whose second derivatives stay below those of a fixed quadratic form descends by W -= P G, with the inverse P of the
form: no step can go too far (Boehning and Lindsay, *Monotonicity of quadratic-approximation algorithms*, 1988). So one
inversion serves all steps, and the data are opened once. Nesterov's momentum makes of k steps what k^2 would be without.

P needs to be right roughly only: where the gradient is 0 does not depend on it. Gradients are kept in units of 2^-24.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.tensor.arithmetic import lift

_FINER = 2.0**8  # gradients are so many times larger, for the digits that the inverse brings back
LEAST = 2.0**-10  # the least on the diagonal, so that the inverse stays in range where columns depend on each other


def unit(n: int) -> int:
    """What sums over n rows are divided by: the power of two from n on, since that takes no truncation."""
    return 1 << (n - 1).bit_length()


def inverse(scaled: Any, curvature: float, penalties: Any) -> Any:
    """P for columns of about unit size, (n, d): of curvature * scaled.T @ scaled / unit(n) + diag(penalties), LEAST or more.

    10 d + 12 rounds, d <= 64.
    """
    n, d = scaled.shape
    form = scaled.T @ scaled * (curvature / unit(n)) + np.eye(d) * penalties
    found: Any = np.linalg.inv(form)
    return found.truncate()


def descend(
    rows: Any, penalties: Any, inverse: Any, residuals: Callable[[Any], Any], outputs: int, steps: int, momentum: float
) -> Any:
    """The weights (d, outputs) where rows.T @ residuals(rows @ W) + diag(penalties) W is 0.

    `residuals` gives from the scores (n, outputs) the derivatives of each row's loss. 6 rounds a step and those of `residuals`.
    """
    n, d = rows.shape
    table: Any = np.concatenate([rows, np.eye(d) * penalties])
    table = table.truncate()
    weights = ahead = lift(table, np.zeros((d, outputs)), "fit")
    for k in range(steps):
        scores = (table @ ahead)[:n]  # of all rows, so that the table is opened as a whole, and once
        gradient = table.T @ np.concatenate([residuals(scores), ahead]) * (_FINER / unit(n))
        change = (inverse @ gradient / _FINER).truncate()
        before, weights = weights, ahead - change
        beta = min(k / (k + 3), momentum)
        ahead = (weights + beta * (weights - before)).truncate()
    return weights
