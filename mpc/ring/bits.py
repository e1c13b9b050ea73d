"""Packing of booleans, eight to a byte, little bit order."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def pack(values: Array) -> Array:
    return np.packbits(values.ravel(), bitorder="little")


def unpack(packed: Array, shape: tuple[int, ...]) -> Array:
    size = int(np.prod(shape, dtype=np.int64))
    return np.unpackbits(packed, count=size, bitorder="little").astype(bool).reshape(shape)
