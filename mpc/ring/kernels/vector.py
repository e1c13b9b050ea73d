"""Matrix product by the vector micro-kernel.

The loops are those of Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS
34(3), 2008: a block of b (KC x NC) and a block of a (MC x KC) are packed in the order that the micro-kernel
reads.
"""

from typing import Any

import numpy as np
from numba import njit, types

from mpc.ring.kernels.panels import OPERAND, RESULT, SCRATCH, add_part, copy_block
from mpc.ring.kernels.vector_ir import MR, NR, add_tile

KC, MC = 256, 512
NC = 1008 // NR * NR
SCRATCH_WORDS = (MC + NC) * KC


@njit(nogil=True)
def _pack(x: Any, width: int, out: Any) -> None:
    """Panels out[panel, k, width] of x[k, :], zero-padded."""
    depth, size = x.shape
    for p in range(0, size, width):
        panel = out[p * depth : (p + width) * depth].reshape(depth, width)
        copy_block(x[:, p : p + width], panel)


@njit(nogil=True)
def _multiply_block(pa: Any, pb: Any, depth: int, c: Any, edge: Any) -> None:
    """c += product of the packed blocks."""
    m, n = c.shape
    for j in range(0, n, NR):
        for i in range(0, m, MR):
            a, b = pa.ctypes.data + 8 * i * depth, pb.ctypes.data + 8 * j * depth
            tile = c[i : i + MR, j : j + NR]
            if i + MR <= m and j + NR <= n:
                add_tile(a, b, depth, tile.ctypes.data, c.strides[0] // 8)
            else:
                edge[:] = 0
                add_tile(a, b, depth, edge.ctypes.data, NR)
                add_part(edge, tile)


@njit(types.void(OPERAND, OPERAND, RESULT, SCRATCH), nogil=True, cache=True)
def add_products(a: Any, b: Any, c: Any, scratch: Any) -> None:
    """c[q] += a[q] @ b[q] modulo 2^64 for every q; scratch holds SCRATCH_WORDS words."""
    m, depth = a.shape[1:]
    n = b.shape[2]
    pa, pb = scratch[: MC * KC], scratch[MC * KC :]
    edge = np.empty((MR, NR), np.uint64)
    for q in range(a.shape[0]):
        for j in range(0, n, NC):
            for k in range(0, depth, KC):
                _pack(b[q, k : k + KC, j : j + NC], NR, pb)
                for i in range(0, m, MC):
                    _pack(a[q, i : i + MC, k : k + KC].T, MR, pa)
                    _multiply_block(pa, pb, min(KC, depth - k), c[q, i : i + MC, j : j + NC], edge)
