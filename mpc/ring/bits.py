"""Packed booleans: eight to a byte, the first in the lowest bit, as XOR-shared bits are held and sent."""

import math

import numpy as np
import numpy.typing as npt


def pack(values: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """The booleans of an array of any shape, in C order, in ceil(size / 8) bytes; unused bits are zero.

    Raises TypeError for a dtype other than bool.
    """
    if values.dtype != np.bool_:
        raise TypeError(f"pack: expected a boolean array, got {values.dtype}")
    return np.packbits(values.ravel(), bitorder="little")


def unpack(packed: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The boolean array of this shape from what pack made; bits beyond its size are ignored.

    Raises TypeError for a dtype other than uint8 and ValueError unless packed has one axis of ceil(size / 8)
    bytes.
    """
    if packed.dtype != np.uint8:
        raise TypeError(f"unpack: expected uint8, got {packed.dtype}")
    size = math.prod(shape)
    if packed.shape != (-(-size // 8),):
        raise ValueError(f"unpack: shape {shape} needs {-(-size // 8)} bytes in one axis, got {packed.shape}")
    return np.unpackbits(packed, count=size, bitorder="little").view(np.bool_).reshape(shape)
