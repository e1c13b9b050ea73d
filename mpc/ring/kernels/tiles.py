"""Matrix product by the matrix-unit micro-kernel: the loops of vector.py, over panels split in byte limbs."""

from typing import Any

import numpy as np
from numba import njit, types

from mpc.ring.kernels.limbs_ir import split_four_rows, split_row
from mpc.ring.kernels.panels import OPERAND, RESULT, SCRATCH, add_part, copy_block, round_up
from mpc.ring.kernels.tiles_ir import MR, NR, PALETTE, STEP, STEP_BYTES, add_tile, configure, release

# Bounded by MAX_DEPTH; chosen for panels that stay in the second-level cache.
KC, MC, NC = 1024, 128, 1024
SCRATCH_WORDS = (MC + NC) * KC + STEP_BYTES // 8
TILE_ROW = 64


@njit(nogil=True)
def _pack_a(a: Any, scratch: Any, out: Any) -> None:
    """Panels of MR rows in limbs, zero-padded."""
    block = scratch.reshape(MR, STEP)
    target = out.ctypes.data
    for i in range(0, a.shape[0], MR):
        for k in range(0, a.shape[1], STEP):
            source, row = a.ctypes.data + i * a.strides[0] + 8 * k, a.strides[0]
            if a.strides[1] != 8 or i + MR > a.shape[0] or k + STEP > a.shape[1]:
                copy_block(a[i : i + MR, k : k + STEP], block)
                source, row = block.ctypes.data, 8 * STEP
            for r in range(MR):
                split_row(source + r * row, target + r * TILE_ROW)
            target += STEP_BYTES


@njit(nogil=True)
def _pack_b(b: Any, scratch: Any, out: Any) -> None:
    """Panels of NR columns in limbs, zero-padded."""
    block = scratch.reshape(STEP, NR)
    steps = round_up(b.shape[0], STEP) // STEP
    for step in range(steps):
        k = step * STEP
        for j in range(0, b.shape[1], NR):
            source, row = b.ctypes.data + k * b.strides[0] + 8 * j, b.strides[0]
            if b.strides[1] != 8 or k + STEP > b.shape[0] or j + NR > b.shape[1]:
                copy_block(b[k : k + STEP, j : j + NR], block)
                source, row = block.ctypes.data, 8 * NR
            target = out.ctypes.data + (j // NR * steps + step) * STEP_BYTES
            for r in range(STEP // 4):
                split_four_rows(source + 4 * r * row, row, target + r * TILE_ROW)


@njit(nogil=True)
def _multiply_block(pa: Any, pb: Any, depth: int, c: Any, edge: Any, scratch: Any) -> None:
    """c += product of the packed blocks."""
    m, n = c.shape
    for j in range(0, n, NR):
        for i in range(0, m, MR):
            a, b = pa.ctypes.data + 8 * i * depth, pb.ctypes.data + 8 * j * depth
            tile = c[i : i + MR, j : j + NR]
            if i + MR <= m and j + NR <= n:
                add_tile(a, b, depth, tile.ctypes.data, c.strides[0] // 8, scratch.ctypes.data)
            else:
                edge[:] = 0
                add_tile(a, b, depth, edge.ctypes.data, NR, scratch.ctypes.data)
                add_part(edge, tile)


@njit(types.void(OPERAND, OPERAND, RESULT, SCRATCH), nogil=True, cache=True)
def add_products(a: Any, b: Any, c: Any, scratch: Any) -> None:
    """c[q] += a[q] @ b[q] modulo 2^64 for every q; scratch holds SCRATCH_WORDS words."""
    m, depth = a.shape[1:]
    n = b.shape[2]
    pa, pb, block = scratch[: MC * KC], scratch[MC * KC : -STEP_BYTES // 8], scratch[-STEP_BYTES // 8 :]
    edge = np.empty((MR, NR), np.uint64)
    palette = np.array(PALETTE, np.uint8)
    configure(palette.ctypes.data)
    for q in range(a.shape[0]):
        for j in range(0, n, NC):
            for k in range(0, depth, KC):
                k_size = round_up(min(KC, depth - k), STEP)
                _pack_b(b[q, k : k + KC, j : j + NC], block, pb)
                for i in range(0, m, MC):
                    _pack_a(a[q, i : i + MC, k : k + KC], block, pa)
                    _multiply_block(pa, pb, k_size, c[q, i : i + MC, j : j + NC], edge, block)
    release()
