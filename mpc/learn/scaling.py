"""Columns of any size brought around 0 and to a size of about 1, exactly: by their mean and a secret power of two.

Fixed point has as many digits for a column of 0.001 as for one of 1000, and what is below its last place is lost. So estimators
compute on columns whose mean absolute deviation lies in (1/2, 1], and bring what they find back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import functions

_LOW, _HIGH = -14, 28  # exponents


@dataclass(frozen=True)
class Columns:
    """The mean of each column, and an integer that says by which power of two it is divided."""

    mean: Any
    place: Any
    rest: Any = 0.0  # what the mean lacks, in units of the columns after the division

    @classmethod
    def fit(cls, X: Any, center: bool = True, common: bool = False) -> tuple[Columns, Any]:
        """The columns of a matrix (n, d), or the one of a vector (n,), and X after `apply`. They come to lie around 0, if
        `center`, and all are divided by the same power of two, if `common`.

        Domain: mean absolute deviations below 2^28, n times that below 2^46; where one is below 2^-14, the size stays below 1.
        15 rounds; 29 bytes for each element.
        """
        if not center:
            columns = cls(np.zeros(X.shape[1:]), cls._places(X, common))
            return columns, columns.shrink(X).truncate()
        first = X[0]  # distances from it are exact, so that the mean of equal elements is too
        mean = first + np.mean(X - first, axis=0).truncate()
        distances = X - mean
        columns = cls(mean, cls._places(distances, common))
        scaled = columns.shrink(distances).truncate()
        rest = np.mean(scaled, axis=0).truncate()
        return cls(columns.mean, columns.place, rest), scaled - rest

    @staticmethod
    def _places(distances: Any, common: bool) -> Any:
        size = np.mean(np.abs(distances), axis=None if common else 0)
        return np.searchsorted(np.ldexp(1.0, np.arange(_LOW, _HIGH)), size)

    @property
    def center(self) -> Any:
        """The mean, in all its digits that fit."""
        return self.mean + self.grow(self.rest)

    def table(self, values: Any) -> Any:
        """For each column values[k], where it is divided by 2^(k - 14). 1 round for the first use of the columns, then none."""
        return functions.take(np.asarray(values), self.place)

    @property
    def flat(self) -> Any:
        """For each column 1 if it does not vary, that is, by 2^-14 on average or less; else 0. As `table`."""
        return self.table((self.exponents() == _LOW).astype(int))

    def exponents(self) -> Any:
        """The exponents of a `table`."""
        return np.arange(_LOW, _HIGH + 1)

    def shrink(self, t: Any) -> Any:
        """t (..., d), divided by the power of two of its column: exact but for the truncation. 1 round."""
        return t * self.table(1 << (_HIGH - self.exponents())) / 2.0**_HIGH

    def grow(self, t: Any) -> Any:
        """t (..., d) times the power of two of its column. 1 round."""
        return t * self.table(1 << (self.exponents() - _LOW)) / 2.0**-_LOW

    def apply(self, X: Any) -> Any:
        """X around 0, with columns of about 1. 2 rounds and 16 bytes an element: a product, and its truncation at once."""
        return self.shrink(X - self.mean).truncate() - self.rest
