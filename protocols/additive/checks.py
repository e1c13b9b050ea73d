"""What a request may hold: the dealer computes with numbers that a party sent, so they are looked at first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.contract import Index, View
from mpc.errors import FrameError
from mpc.transport import ArraySpec

Shape = tuple[int, ...]

LARGEST = 1 << 33  # bytes that a correlation may have, and each array from which it is made
_KEYS = (int, slice, np.ndarray, type(None), type(Ellipsis))  # what an index is made of, as it travels


def whole(name: str, value: Any, low: int, high: int) -> None:
    """FrameError unless `value` is a whole number from `low` to `high`."""
    if type(value) is not int or not low <= value <= high:
        raise FrameError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def size(name: str, shape: Any, itemsize: int = 8) -> None:
    """FrameError unless `shape` is a shape of an array that is not too large."""
    if type(shape) is not tuple or len(shape) > 32:
        raise FrameError(f"{name}: {shape!r} is no shape")
    for n in shape:
        whole(f"{name}: a size", n, 0, LARGEST)
    if math.prod(shape) * itemsize > LARGEST:
        raise FrameError(f"{name}: an array of shape {shape} is beyond {LARGEST} bytes")


def together(specs: Sequence[ArraySpec]) -> None:
    """FrameError unless all arrays of a correlation are not too large together."""
    if sum(spec.nbytes for spec in specs) > LARGEST:
        raise FrameError(f"{len(specs)} arrays that are together beyond {LARGEST} bytes")


def same(name: str, operands: Shape, shape: Shape) -> None:
    """FrameError unless what is asked for has the shape that its operands give."""
    if operands != shape:
        raise FrameError(f"{name} of shape {shape} whose operands give {operands}")


def seen(shape: Shape, view: View) -> Shape:
    """The shape of a view of an array of that shape, found without making either."""
    if isinstance(view, Index) and not all(isinstance(part, _KEYS) for part in view.key):
        raise FrameError("an index of a mask is made of numbers, slices and arrays")
    stand_in = np.broadcast_to(np.uint8(0), shape)  # one byte, and so are all its views that do not gather
    return _gathered(stand_in, view.key) if isinstance(view, Index) else view(stand_in).shape


def _gathered(stand_in: np.ndarray[Any, np.dtype[np.uint8]], key: tuple[Any, ...]) -> Shape:
    """The shape of stand_in[key]: gathered are no elements, and then their places in it are filled in."""
    if any(isinstance(part, np.ndarray) and part.dtype == bool and part.ndim == 0 for part in key):
        size("a view of a mask", (*stand_in.shape, *(part.size for part in key if isinstance(part, np.ndarray))))
        return np.shape(stand_in[key])  # a single truth value adds an axis, of one element or of none
    plain: list[Any] = []
    for part in key:
        truths = isinstance(part, np.ndarray) and part.dtype == bool
        plain.extend(np.nonzero(part) if truths else [part])
    spread = np.broadcast_shapes(*(part.shape for part in plain if isinstance(part, np.ndarray)))
    none = np.zeros((0,) * len(spread), np.intp)
    shape = stand_in[tuple(none if isinstance(part, np.ndarray) and spread else part for part in plain)].shape
    if shape.count(0) > len(spread):  # another axis is empty, and so is what is gathered
        return np.shape(stand_in[key])
    rest = iter(spread)
    return tuple(next(rest) if n == 0 and spread else n for n in shape)


def flag(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise FrameError(f"{name} must be true or false, not {value!r}")


def number(name: str, value: Any) -> None:
    """The number of a mask."""
    whole(name, value, 1, (1 << 64) - 1)
