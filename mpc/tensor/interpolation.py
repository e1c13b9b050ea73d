"""np.interp with public points."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mpc import fixed
from mpc.contract import MATMUL, MULTIPLY, Index
from mpc.errors import RangeError, ShapeError
from mpc.fixed import RAW_BITS
from mpc.tensor.arithmetic import as_float
from mpc.tensor.base import Array, Secret, numeric, truncate, unsupported
from mpc.tensor.boolean import as_number
from mpc.tensor.shapes import as_public
from mpc.tensor.shaping import reshape
from mpc.tensor.thresholds import at_least, comparable

S = TypeVar("S", bound=Secret)


def interp(x: S, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> S:
    """np.interp: linear between public points (xp, fp), xp increasing by 2^-f or more; `left` and `right` beyond them.

    All of them must be below 2^(59 - f) in magnitude, and pieces with a slope shorter than 2^(48 - f); they are rounded to f
    fraction bits. The result is a float, within 2 units in the last place of the line, while (|fp| + 1) (w + 1) < 2^(58 - 2f)
    for the longest piece w; beyond, within w 2^(f - 58) of the largest value.

    Method: x is compared with all k points (3 rounds), which gives the point below x, the slope and the value there as sums of
    bits (1 round); then value + slope (x - point). 5 rounds and 24 + 4.375 k bytes an element (1/8 more for a `right`), and
    1 round and 8 bytes for the truncation, when it is needed.
    """
    if period is not None:
        unsupported("interp", "period= is not available; take x % period first")
    if not isinstance(x, Secret):
        unsupported("interp", "the points must be public, and x secret")
    numeric(x, "interp")
    points, values = _points(x, xp, fp)
    first, last = (v if side is None else _side(x, side) for v, side in ((values[0], left), (values[-1], right)))
    shape, x = x.shape, comparable(as_float(reshape(x, -1)))
    extra, pieces = _pieces(points, values, first, last, x.context.fraction_bits)
    ends = points if len(pieces) == len(points) + 1 else np.append(points, points[-1])
    bits = as_number(at_least(x, list(ends), [k == len(points) for k in range(len(ends))]))
    (x,) = truncate([x])  # open by now
    protocol = x.context.protocol
    steps = protocol.bilinear(MATMUL, np.diff(pieces, axis=0).T.copy(), bits.share)
    start, slope, value = (protocol.add(protocol.view(steps, Index((k,))), np.full(x.shape, pieces[0, k])) for k in range(3))
    along = protocol.bilinear(MULTIPLY, protocol.subtract(x.share, start), slope)
    return reshape(x.like(protocol.add(along, value), scale=x.scale + extra), shape)


def _points(x: Secret, xp: Any, fp: Any) -> tuple[Array, Array]:
    """Both, rounded to f fraction bits."""
    points, values = _rounded(x, xp, "xp"), _rounded(x, fp, "fp")
    if points.ndim != 1 or points.shape != values.shape or not points.size:
        raise ShapeError(f"interp: xp of shape {points.shape} and fp of shape {values.shape}: vectors of one length are needed")
    f, steps = x.context.fraction_bits, np.diff(points)
    if not np.all(steps > 0):
        raise RangeError(f"{x.context.who}, operation 'interp': xp must increase by 2^-{f} or more")
    longest = float(np.max(steps[np.diff(values) != 0], initial=0.0))
    if longest >= 2.0 ** (48 - f):
        raise RangeError(
            f"{x.context.who}, operation 'interp': a piece with a slope is {longest:g} long, and must be shorter than "
            f"2^{48 - f}, for its slope to have enough digits. Scale the data down, or give points between."
        )
    return points, values


def _rounded(x: Secret, public: Any, name: str) -> Array:
    """A public argument at f fraction bits; RangeError for NaN, and for what leaves no room to interpolate."""
    if isinstance(public, Secret):
        unsupported("interp", f"{name} must be public, and x secret")
    f = x.context.fraction_bits
    array, what = as_public(public, "interp"), f"{x.context.who}, operation 'interp', {name}"
    return np.ldexp(fixed.encode(array, f, 2.0 ** (RAW_BITS - 3 - f), what).view(np.int64).astype(np.float64), -f)


def _side(x: Secret, value: Any) -> float:
    array = _rounded(x, value, "left or right")
    if array.ndim:
        raise ShapeError(f"interp: left and right must be numbers, not of shape {array.shape}")
    return float(array)


def _pieces(points: Array, values: Array, left: float, right: float, f: int) -> tuple[int, Array]:
    """(g, words): for the pieces from left to right their first point, slope (to g bits) and value (to f + g bits)."""
    slopes = np.diff(values) / np.diff(points)
    largest = max(1.0, *np.abs(values), abs(left), abs(right))
    wanted = f + 1 + max(0, math.frexp(float(np.max(np.diff(points), initial=0.0)))[1])
    room = RAW_BITS - 3 - f - max(math.frexp(largest)[1], math.frexp(float(np.max(np.abs(slopes), initial=0.0)))[1] - f)
    extra = max(0, min(wanted, room))
    rows = [(points[0], 0.0, left), *zip(points, np.append(slopes, 0.0), values, strict=True)]
    if right != values[-1]:
        rows.append((points[-1], 0.0, right))
    words = np.rint(np.ldexp(np.asarray(rows), [f, extra, f])).astype(np.int64)
    words[:, 2] <<= extra
    return extra, words.view(np.uint64)
