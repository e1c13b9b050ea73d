"""Views: rearrangements of an array that move values and compute nothing.

A view is data, not code, so that a party can apply it to its share and to a public opening, and name it to the dealer,
who applies it to the mask.
"""

from __future__ import annotations

import math
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


_LONGEST = 8  # views in a chain, before they become one gather


def chain(views: tuple[View, ...], view: View, shape: tuple[int, ...]) -> tuple[View, ...]:
    """`views` of an array of that shape, and then `view`: in few steps, so that rearranging again and again stays cheap."""
    if views and (merged := _merge(views[-1], view)) is not None:
        return (*views[:-1], merged)
    longer = (*views, view)
    return longer if len(longer) <= _LONGEST else _gather(longer, shape)


def _merge(first: View, second: View) -> View | None:
    """One view that does both, if there is an obvious one."""
    if isinstance(first, Reshape) and isinstance(second, Reshape):
        return second
    if isinstance(first, Transpose) and isinstance(second, Transpose):
        return Transpose(tuple(first.axes[axis] for axis in second.axes))
    if isinstance(first, Index) and isinstance(second, Index) and len(first.key) == len(second.key) == 1:
        rows, key = first.key[0], second.key[0]
        if isinstance(rows, np.ndarray) and rows.ndim == 1 and isinstance(key, np.ndarray | slice):
            return Index((np.asarray((np.flatnonzero(rows) if rows.dtype == bool else rows)[key]),))
    return None


def _gather(views: tuple[View, ...], shape: tuple[int, ...]) -> tuple[View, ...]:
    positions = np.arange(math.prod(shape)).reshape(shape)
    for view in views:
        positions = view(positions)
    return Reshape((-1,)), Index((positions,))
