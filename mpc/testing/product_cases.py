"""The conformance cases of products and truncation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Bilinear, Conv2d, Index, Protocol, Share, Transpose
from mpc.testing.cases import BROADCASTS, Case, Expected, Random, Truncated, words

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]

MATMULS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 2)),
    ((2, 1, 2, 3), (4, 3, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
)
CONV2DS: tuple[tuple[Conv2d, Shape, Shape], ...] = (
    (Conv2d(), (1, 1, 3, 3), (1, 1, 2, 2)),
    (Conv2d((2, 1), (1, 2)), (2, 2, 5, 4), (3, 2, 3, 2)),
    (Conv2d(dilation=(2, 1)), (1, 2, 5, 3), (1, 2, 2, 2)),
    (Conv2d(groups=2), (2, 4, 3, 3), (6, 2, 2, 2)),
)


def product_cases(random: Random, bits: int) -> Iterator[Case]:
    """Products of operands with signed values below 2^(bits - 1): 64 lets them wrap."""
    maps: list[tuple[Bilinear, Shape, Shape]] = [(MULTIPLY, a, b) for a, b in BROADCASTS]
    maps += [(MATMUL, a, b) for a, b in MATMULS]
    maps += [(op, a, b) for op, a, b in CONV2DS]
    for op, left, right in maps:
        x, y = words(random, left, bits), words(random, right, bits)
        z, name = exact_product(op, x, y), f"{op.name} {left} {right}"
        yield Case(name, (x, y), lambda p, x, y, op=op: [p.bilinear(op, x, y)], [z], False)
        yield Case(f"{name}, right public", (x,), lambda p, x, op=op, y=y: [p.bilinear(op, x, y)], [z])
        yield Case(f"{name}, left public", (y,), lambda p, y, op=op, x=x: [p.bilinear(op, x, y)], [z])
    x, y = words(random, (3, 3), bits), words(random, (3, 3), bits)
    yield Case("square", (x,), lambda p, x: [p.square(x), p.bilinear(MULTIPLY, x, x)], [np.multiply(x, x)] * 2, False)
    yield Case("matmul with itself", (x,), lambda p, x: [p.bilinear(MATMUL, x, x)], [exact_product(MATMUL, x, x)], False)
    yield Case("reuse and views", (x, y), _reuse, _reuse_expected(x, y), False)


def exact_product(op: Bilinear, x: Array, y: Array) -> Array:
    """The words of op(x, y), by Python's integers: independent of the kernels."""
    a, b = x.astype(object), y.astype(object)
    exact = _convolve(op, a, b) if isinstance(op, Conv2d) else np.asarray(op(a, b))
    return np.array([int(v) % (1 << 64) for v in exact.ravel()], np.uint64).reshape(op.shape(x.shape, y.shape))


def _convolve(op: Conv2d, images: Array, filters: Array) -> Array:
    """The definition of the cross-correlation, element by element."""
    out = np.zeros(op.shape(images.shape, filters.shape), object)
    (top, left), (down, right), (dy, dx) = op.padding, op.stride, op.dilation
    n, c, h, w = images.shape
    padded = np.zeros((n, c, h + 2 * top, w + 2 * left), object)
    padded[:, :, top : top + h, left : left + w] = images
    channels, per_group = filters.shape[1], out.shape[1] // op.groups
    height, width = filters.shape[2:]
    for k, o, i, j in np.ndindex(*out.shape):
        first = o // per_group * channels
        rows = slice(i * down, i * down + (height - 1) * dy + 1, dy)
        columns = slice(j * right, j * right + (width - 1) * dx + 1, dx)
        out[k, o, i, j] = (padded[k, first : first + channels, rows, columns] * filters[o]).sum()
    return out


_PART = Index((slice(None, None, -1), np.array([0, 2, 2])))
_SWAP = Transpose((1, 0))


def _reuse(p: Protocol, x: Share, y: Share) -> list[Share]:
    """Operands that were opened already, whole or through views, before and after."""
    before = p.bilinear(MATMUL, p.view(x, _SWAP), y)
    product = p.bilinear(MATMUL, x, y)
    part = p.view(p.view(x, _SWAP), _PART)
    return [before, product, p.bilinear(MATMUL, y, part), p.bilinear(MULTIPLY, part, part), p.bilinear(MULTIPLY, x, p.add(x, y))]


def _reuse_expected(x: Array, y: Array) -> list[Expected]:
    part = _PART(_SWAP(x))
    operands = [(MATMUL, x.T, y), (MATMUL, x, y), (MATMUL, y, part), (MULTIPLY, part, part), (MULTIPLY, x, np.add(x, y))]
    return [exact_product(op, a, b) for op, a, b in operands]


def truncation_cases(random: Random) -> Iterator[Case]:
    """Truncation alone, several at once, and where its results are multiplied on."""
    for bits in (1, 8, 13, 16, 17, 28, 46):
        z = words(random, (40,), 63)
        z[:8] = np.array([0, 1, -1, (1 << 62) - 1, 1 - (1 << 62), 1 << bits, -(1 << bits), (1 << bits) - 1]).view(np.uint64)
        yield Case(f"truncate by {bits}", (z,), lambda p, z, bits=bits: p.truncate([(z, bits)]), [Truncated(z, bits)], False)
    scalar, empty, matrix = (words(random, shape, 63) for shape in ((), (0, 3), (2, 3)))
    items = [Truncated(scalar, 16), Truncated(empty, 16), Truncated(matrix, 20), Truncated(matrix[:, 0], 20)]
    yield Case("truncate several", (scalar, empty, matrix), _truncate_several, items, False)
    factor = (words(random, (2, 3), 20).view(np.int64) >> 3).view(np.uint64)
    shifted = np.left_shift(factor, np.uint64(16))  # divisible, so that its truncation is exact
    x = words(random, (2, 3), 20)
    product, square = np.multiply(factor, x), np.multiply(factor, factor)
    matmul = exact_product(MATMUL, factor, x.T)
    yield Case("products of truncated", (shifted, x), _truncated_products, [product, square, product, matmul, square], False)


def _truncate_several(p: Protocol, scalar: Share, empty: Share, matrix: Share) -> list[Share]:
    first = Index((slice(None), 0))
    return p.truncate([(scalar, 16), (empty, 16), (matrix, 20), (p.view(matrix, first), 20)])


def _truncated_products(p: Protocol, shifted: Share, x: Share) -> list[Share]:
    (t,) = p.truncate([(shifted, 16)], opening=[x])
    again = p.truncate([(shifted, 16)])[0]
    view = p.view(p.view(t, _SWAP), _SWAP)
    return [
        p.bilinear(MULTIPLY, t, x),
        p.bilinear(MULTIPLY, t, t),
        p.bilinear(MULTIPLY, x, view),
        p.bilinear(MATMUL, t, p.view(x, _SWAP)),
        p.bilinear(MULTIPLY, t, again),
    ]
