"""Views: rearrangements of an array that move values and compute nothing.

A view is data, not code, so that a party can apply it to its share and to a public opening, and name it to the dealer,
who applies it to the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class View:
    """One rearrangement, applied by calling it on an array. Results may share memory with their argument."""

    def __call__(self, array: Array) -> Array:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Reshape(View):
    shape: tuple[int, ...]

    def __call__(self, array: Array) -> Array:
        return array.reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Transpose(View):
    axes: tuple[int, ...]

    def __call__(self, array: Array) -> Array:
        return array.transpose(self.axes)


@dataclass(frozen=True, eq=False)
class BroadcastTo(View):
    shape: tuple[int, ...]

    def __call__(self, array: Array) -> Array:
        return np.broadcast_to(array, self.shape)


@dataclass(frozen=True, eq=False)
class Index(View):
    """`array[key]` with NumPy's rules: integers, slices, None, Ellipsis, integer or boolean arrays."""

    key: tuple[Any, ...]

    def __post_init__(self) -> None:
        # a view is applied again later, to masks: it must not change with the caller's array
        object.__setattr__(self, "key", tuple(part.copy() if isinstance(part, np.ndarray) else part for part in self.key))

    def __call__(self, array: Array) -> Array:
        return np.asarray(array[self.key])
