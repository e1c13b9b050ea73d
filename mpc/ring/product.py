"""The matrix product modulo 2^64."""

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from mpc.ring.cache import Kernel, Kernels, Words, kernels

# Below this many multiplications NumPy's own loop is faster than packing, and needs no kernel to be loaded.
SMALL = 4096

_local = threading.local()


def matmul(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> Any:
    """Matrix product of uint64 arrays modulo 2^64, with the shapes of numpy.matmul.

    a is (..., m, k) or (k,), b is (..., k, n) or (k,); leading axes broadcast.  Any strides are taken as they
    are.  The result is a new C-ordered array (a scalar for two vectors).  One thread; other threads run
    meanwhile.
    Raises TypeError for a dtype other than uint64 and ValueError for shapes that do not fit.
    """
    a, b = words("matmul", a), words("matmul", b)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape}: operands need at least one axis")
    left = a if a.ndim > 1 else a[None, :]
    right = b if b.ndim > 1 else b[:, None]
    (m, depth), n = left.shape[-2:], right.shape[-1]
    if depth != right.shape[-2]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit: inner sizes {depth}, {right.shape[-2]}")
    stack = _stack(left, right)
    if math.prod(stack) * m * n * depth <= SMALL:
        return np.matmul(a, b)
    result = _multiply(left, right, stack)
    axes = tuple(axis for axis, x in ((-2, a), (-1, b)) if x.ndim == 1)
    return result.squeeze(axes)[()] if axes else result


def _stack(a: Words, b: Words) -> tuple[int, ...]:
    """The leading axes of the product."""
    if a.ndim == b.ndim == 2:
        return ()
    try:
        return np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape}: leading axes do not broadcast") from None


def words(name: str, x: npt.NDArray[np.uint64]) -> Words:
    """x as an aligned array; raises TypeError unless it holds uint64."""
    x = np.asarray(x)
    if x.dtype != np.uint64:
        raise TypeError(f"{name}: expected uint64 arrays, got {x.dtype}")
    return x if x.flags.aligned else x.copy()


def _multiply(a: Words, b: Words, stack: tuple[int, ...]) -> Words:
    """Product of matrices with at least two axes and leading axes that broadcast to stack; not empty."""
    m, depth, n = *a.shape[-2:], b.shape[-1]
    if depth == 1:
        return np.multiply(a, b)
    if b.ndim == 2 and a.ndim > 2:
        return _multiply(a.reshape(-1, depth), b, ()).reshape(*stack, m, n)
    c = np.zeros((*stack, m, n), np.uint64)
    if not stack:
        add_products(a[None], b[None], c[None])
        return c
    a = np.broadcast_to(a, (*stack, m, depth))
    b = np.broadcast_to(b, (*stack, depth, n))
    for index in np.ndindex(stack[:-1]):
        add_products(a[index], b[index], c[index])
    return c


def add_products(a: Words, b: Words, c: Words) -> None:
    """c += a @ b for stacks of matrices: three axes each, c in C order and zero at the start."""
    compiled = kernels()
    m, depth, n = *a.shape[1:], b.shape[2]
    if n == 1:
        compiled.multiply_vectors(a, b[:, :, 0], c[:, :, 0])
    elif m == 1:
        compiled.multiply_vectors(b.transpose(0, 2, 1), a[:, 0, :], c[:, 0, :])
    else:
        _fastest(compiled, m, depth, n)(a, b, c, _scratch(compiled.scratch_words))


def _fastest(compiled: Kernels, m: int, depth: int, n: int) -> Kernel:
    """The matrix unit, unless padding to its large tiles (16 x 64 x 16) costs more than it is faster."""
    on_tiles = _round_up(m, 16) * _round_up(depth, 64) * _round_up(n, 16)
    on_vectors = _round_up(m, 8) * depth * _round_up(n, 24)
    return compiled.vector if compiled.tiles is None or on_tiles > 4 * on_vectors else compiled.tiles


def _round_up(size: int, step: int) -> int:
    return -(-size // step) * step


def _scratch(size: int) -> Words:
    """This thread's scratch, from a cache line on.  Kept, since new memory costs page faults."""
    if not hasattr(_local, "scratch"):
        memory = np.empty(size + 8, np.uint64)
        start = -memory.ctypes.data // 8 % 8
        _local.scratch = memory[start : start + size]
    scratch: Words = _local.scratch
    return scratch
