"""Matrix times vector: bound by reading the matrix once, so nothing is packed."""

from typing import Any

import numpy as np
from numba import carray, njit, types, uint64  # type: ignore[attr-defined]

from mpc.ring.kernels.panels import OPERAND, pointer

VECTORS = types.Array(uint64, 2, "A", readonly=True)
RESULTS = types.Array(uint64, 2, "C")


@njit(nogil=True)
def _by_rows(a: Any, x: Any, c: Any) -> None:
    for i in range(a.shape[0]):
        row = carray(pointer(a.ctypes.data + i * a.strides[0]), x.shape)
        total = uint64(0)
        for k in range(x.size):
            total += row[k] * x[k]
        c[i] = total


@njit(nogil=True)
def _by_columns(a: Any, x: Any, c: Any) -> None:
    c[:] = 0
    for k in range(x.size):
        column = carray(pointer(a.ctypes.data + k * a.strides[1]), c.shape)
        factor = x[k]
        for i in range(c.size):
            c[i] += column[i] * factor


@njit(nogil=True)
def _by_words(a: Any, x: Any, c: Any) -> None:
    for i in range(c.size):
        total = uint64(0)
        for k in range(x.size):
            total += a[i, k] * x[k]
        c[i] = total


@njit(types.void(OPERAND, VECTORS, RESULTS), nogil=True, cache=True)
def multiply_vectors(a: Any, x: Any, c: Any) -> None:
    """c[q] = a[q] @ x[q] modulo 2^64 for every q."""
    vector = np.empty(x.shape[1], np.uint64)
    for q in range(a.shape[0]):
        vector[:] = x[q]
        if a.strides[2] == 8:
            _by_rows(a[q], vector, c[q])
        elif a.strides[1] == 8:
            _by_columns(a[q], vector, c[q])
        else:
            _by_words(a[q], vector, c[q])
