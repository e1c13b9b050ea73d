
import numpy as np
from numba import njit, types, uint64

from . import limbs, tiles


@njit(nogil=True)
def _aligned(words):
    raw = np.empty(words + 8, np.uint64)
    skip = (-(raw.ctypes.data // 8)) % 8
    return raw[skip : skip + words]


@njit(nogil=True)
def _copy(source, target):
    """target[:] = source, zero beyond it; walks along the smaller stride of the source."""
    rows, columns = source.shape
    if rows < target.shape[0] or columns < target.shape[1]:
        target[:] = 0
    if abs(source.strides[1]) <= abs(source.strides[0]):
        for i in range(rows):
            for j in range(columns):
                target[i, j] = source[i, j]
    else:
        for j in range(columns):
            for i in range(rows):
                target[i, j] = source[i, j]


@njit(nogil=True)
def _pack_vector(a, depth, out, scratch):
    for p in range(0, a.shape[1], out.shape[1]):
        _copy(a[:, p : p + out.shape[1]], out)


@njit(nogil=True)
def _limbs_a(a, out, scratch):
    at = out.ctypes.data
    block = scratch.reshape(16, 64)
    for i in range(0, a.shape[0], 16):
        for k in range(0, a.shape[1], 64):
            source, row = a.ctypes.data + i * a.strides[0] + 8 * k, a.strides[0]
            if a.strides[1] != 8 or i + 16 > a.shape[0] or k + 64 > a.shape[1]:
                _copy(a[i : i + 16, k : k + 64], block)
                source, row = block.ctypes.data, 512
            for r in range(16):
                limbs.split_row(source + r * row, at + 64 * r)
            at += 8192


@njit(nogil=True)
def _limbs_b(b, out, scratch):
    at = out.ctypes.data
    block = scratch.reshape(64, 16)
    for j in range(0, b.shape[1], 16):
        for k in range(0, b.shape[0], 64):
            source, row = b.ctypes.data + k * b.strides[0] + 8 * j, b.strides[0]
            if b.strides[1] != 8 or k + 64 > b.shape[0] or j + 16 > b.shape[1]:
                _copy(b[k : k + 64, j : j + 16], block)
                source, row = block.ctypes.data, 128
            for r in range(16):
                limbs.split_four_rows(source + 4 * r * row, row, at + 64 * r)
            at += 8192


@njit(nogil=True)
def _tile_block(pa, pb, depth, c, edge, sums):
    m, n = c.shape
    for j in range(0, n, 16):
        for i in range(0, m, 16):
            a = pa.ctypes.data + 8 * i * depth
            b = pb.ctypes.data + 8 * j * depth
            if i + 16 <= m and j + 16 <= n:
                tiles.add_tile(a, b, depth, c.ctypes.data + c.strides[0] * i + 8 * j, c.strides[0] // 8, sums.ctypes.data)
            else:
                edge[:] = 0
                tiles.add_tile(a, b, depth, edge.ctypes.data, 16, sums.ctypes.data)
                for r in range(min(16, m - i)):
                    for s in range(min(16, n - j)):
                        c[i + r, j + s] += edge[r, s]


def up(x, y):
    return (x + y - 1) // y * y


up = njit(up)

SIG = types.void(
    types.Array(uint64, 3, "A", readonly=True),
    types.Array(uint64, 3, "A", readonly=True),
    types.Array(uint64, 3, "C"),
)
KC = 1024
MC = 64
NC = 2048


@njit
def palette():
    p = _aligned(8)
    q = p.view(np.uint8)
    q[:] = 0
    q[0] = 1
    for i in range(8):
        q[16 + 2 * i] = 64
        q[48 + i] = 16
    return p


@njit(SIG, nogil=True, cache=True)
def gemm_tiles(a, b, c):
    m, depth = a.shape[1:]
    n = b.shape[2]
    kc = min(KC, up(depth, 64))
    pa = _aligned(min(MC, up(m, 16)) * kc)
    pb = _aligned(min(NC, up(n, 16)) * kc)
    sums = _aligned(1024)
    edge = np.empty((16, 16), np.uint64)
    p = palette()
    tiles.configure(p.ctypes.data)
    for q in range(a.shape[0]):
        for j in range(0, n, NC):
            for k in range(0, depth, KC):
                kd = up(min(KC, depth - k), 64)
                _limbs_b(b[q, k : k + KC, j : j + NC], pb, sums)
                for i in range(0, m, MC):
                    _limbs_a(a[q, i : i + MC, k : k + KC], pa, sums)
                    _tile_block(pa, pb, kd, c[q, i : i + MC, j : j + NC], edge, sums)
    tiles.release()


@njit(types.void(types.Array(uint64, 3, "A", readonly=True), types.int64), nogil=True, cache=True)
def pka(a, n):
    pa = _aligned(64 * 1024)
    sums = _aligned(1024)
    for i in range(n):
        _limbs_a(a[0], pa, sums)


@njit(types.void(types.Array(uint64, 3, "A", readonly=True), types.int64), nogil=True, cache=True)
def pkb(a, n):
    pa = _aligned(64 * 1024)
    sums = _aligned(1024)
    for i in range(n):
        _limbs_b(a[0], pa, sums)


@njit(types.void(types.Array(uint64, 3, "A", readonly=True), types.int64), nogil=True, cache=True)
def pkc(a, n):
    s = np.empty((16, 64), np.uint64)
    for _ in range(n):
        for i in range(0, 64, 16):
            for k in range(0, 1024, 64):
                _copy(a[0, i : i + 16, k : k + 64], s)
