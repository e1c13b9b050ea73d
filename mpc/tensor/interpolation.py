"""np.interp with public points."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Index
from mpc.errors import RangeError, ShapeError
from mpc.fixed import RAW_BITS
from mpc.tensor.arithmetic import as_float
from mpc.tensor.base import Array, Secret, numeric, truncate, unsupported
from mpc.tensor.binning import reached
from mpc.tensor.boolean import as_number
from mpc.tensor.shapes import as_public
from mpc.tensor.shaping import reshape
from mpc.tensor.thresholds import comparable

S = TypeVar("S", bound=Secret)


def interp(x: S, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> S:
    """np.interp: linear between public points (xp, fp), xp increasing by 2^-f or more; `left` and `right` beyond them.

    xp and fp are rounded to f fraction bits. The result is a float, within 2 units in the last place of the line, while
    (|fp| + 1) (w + 1) < 2^(58 - 2f) for the longest piece w; less precise beyond.

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
    first, last = (float(v if side is None else side) for v, side in ((values[0], left), (values[-1], right)))
    shape, x = x.shape, comparable(as_float(reshape(x, -1)))
    extra, pieces = _pieces(points, values, first, last, x.context.fraction_bits)
    ends = points if len(pieces) == len(points) + 1 else np.append(points, points[-1])
    bits = as_number(reached(x, ends, np.arange(len(ends)) == len(points)))
    (x,) = truncate([x])  # open by now
    protocol = x.context.protocol
    steps = protocol.bilinear(MATMUL, np.diff(pieces, axis=0).T.copy(), bits.share)
    start, slope, value = (protocol.add(protocol.view(steps, Index((k,))), np.full(x.shape, pieces[0, k])) for k in range(3))
    along = protocol.bilinear(MULTIPLY, protocol.subtract(x.share, start), slope)
    return reshape(x.like(protocol.add(along, value), scale=x.scale + extra), shape)


def _points(x: Secret, xp: Any, fp: Any) -> tuple[Array, Array]:
    """Both, rounded to f fraction bits."""
    if isinstance(xp, Secret) or isinstance(fp, Secret):
        unsupported("interp", "the points must be public, and x secret")
    f = x.context.fraction_bits
    points, values = (np.ldexp(np.rint(np.ldexp(as_public(v, "interp").astype(np.float64), f)), -f) for v in (xp, fp))
    if points.ndim != 1 or points.shape != values.shape or not points.size:
        raise ShapeError(f"interp: xp of shape {points.shape} and fp of shape {values.shape}: vectors of one length are needed")
    if not (np.all(np.diff(points) > 0) and np.all(np.isfinite(values)) and np.all(np.isfinite(points))):
        raise RangeError(f"{x.context.who}, operation 'interp': xp must increase by 2^-{f} or more, and all points be finite")
    return points, values


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
