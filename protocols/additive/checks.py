"""What a request may hold: the dealer computes with numbers that a party sent, so they are looked at first."""

from __future__ import annotations

import math
from typing import Any

from mpc.errors import FrameError

LARGEST = 1 << 33  # bytes that one array of a correlation may have


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


def flag(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise FrameError(f"{name} must be true or false, not {value!r}")


def number(name: str, value: Any) -> None:
    """The number of a mask."""
    whole(name, value, 1, (1 << 64) - 1)
