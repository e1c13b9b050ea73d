"""Normalisation by the statistics of the values themselves, with gradients that reuse the normalised values.

With d the distances from the mean and s = 1 / sqrt(variance + eps), d s has mean 0 and variance 1. Elementwise products with d
and s need no opening, as both are truncated: so an element costs one opening forward (its truncation), and one backward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import RangeError
from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.rule import Ruled
from mpc.nn.scales import settled
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import as_float, lift, rescaled
from mpc.tensor.base import truncate
from mpc.tensor.curves.roots import wide_rsqrt
from mpc.tensor.reduction import count

VARIANCE_BITS = 8  # more fraction bits of variances than of other numbers: they are squares of small ones


@dataclass(eq=False)
class Statistics:
    """Of values along axes, which stay with size 1: the mean, the sum of the squared distances from it divided by `part` (the
    power of two up to count), the distances, and 1 / sqrt(variance + eps).

    The squares have all their digits at first, and f + VARIANCE_BITS after `batch_norm`.
    """

    axes: tuple[int, ...]
    count: int
    part: int
    mean: Tensor
    squares: Tensor
    distance: Tensor
    inverse: Tensor


def statistics(x: Tensor, axes: tuple[int, ...], eps: float, opening: Sequence[Tensor] = ()) -> Statistics:
    """Domain: sums of squared distances below 2^28. Cost: 10 rounds (15 for many groups; 11 and 16 where the count is no power of
    two), 8 bytes an element.

    `opening` names what is multiplied later: it is opened on the way.
    """
    n = count("var", x, axes)
    if n < 2:
        raise RangeError(
            f"{x.context.who}, operation 'normalise': one value in each group of a tensor of shape {x.shape}; give more"
        )
    (mean,) = truncate([np.mean(x, axes, keepdims=True)], opening)
    (distance,) = truncate([x - mean])
    bits = n.bit_length() - 1
    ratio = n / 2**bits
    squares = rescaled(np.sum(np.square(distance), axes, keepdims=True), bits)  # not truncated, so that small ones keep digits
    inverse = wide_rsqrt(squares + ratio * eps)  # what is left of 1 / n comes after the root, for the same reason
    if ratio > 1:
        (inverse,) = truncate([inverse * math.sqrt(ratio)])
    return Statistics(axes, n, 2**bits, mean, squares, distance, inverse)


def _truncated(*values: Any) -> tuple[Any, ...]:
    """All in one round; public arrays as they are."""
    short = iter(truncate([v for v in values if isinstance(v, Tensor)]))
    return tuple(next(short) if isinstance(v, Tensor) else v for v in values)


def batch_norm(x: Tensor, weight: Any, bias: Any, of: Statistics) -> Ruled:
    """weight * (x - mean) / sqrt(variance + eps) + bias, for each channel: axis 1. The statistics are those of x, or None.

    Forward: 1 round. Backward: 4 or 5 rounds, 8 bytes an element, which truncate its gradient.
    """
    factor = of.inverse if weight is None else of.inverse * _channels(weight, x)
    f = x.context.fraction_bits
    factor, of.squares = settled([factor, of.squares], [f, f + VARIANCE_BITS])  # the squares are for the running variance
    value = of.distance * factor

    def pullback(g: Any) -> Any:
        (g,) = _truncated(g if isinstance(g, Tensor) else lift(of.distance, g, "batch_norm"))
        total, along = (np.sum(v, of.axes, keepdims=True) for v in (g, g * of.distance))
        # Means have some bits more: an error of theirs is in every element, and so grows in the sums that gradients become.
        bits = min(of.count.bit_length(), x.context.fraction_bits // 2)
        share = 2.0**bits / of.count
        mean, along, steep = _truncated(total * share, along, factor * of.inverse)
        slope = along * of.inverse

        def for_input() -> Any:
            (part,) = truncate([slope * share])
            (part,) = truncate([part * steep])
            return _finer(factor * g, bits) - rescaled(factor * mean + of.distance * part, bits)

        return for_input, np.reshape(slope, -1), np.reshape(total, -1)

    return value if bias is None else value + _channels(bias, x), pullback


def _finer(x: Tensor, bits: int) -> Tensor:
    """The same value with more fraction bits. Local. |x| must be below 2^(62 - bits) units."""
    share = x.context.protocol.bilinear(MULTIPLY, x.share, np.asarray(np.uint64(1 << bits)))
    return x.like(share, scale=x.scale + bits)


def with_square_digits(x: Tensor) -> Tensor:
    """x with the digits that a product has, 2f: so that a summand as small as eps keeps its own. Local. |x| below 2^(62 - 2f)."""
    x, digits = as_float(x), 2 * x.context.fraction_bits
    (x,) = truncate([x]) if x.scale > digits else (x,)
    return _finer(x, digits - x.scale)


def _channels(parameter: Any, x: Tensor) -> Any:
    return np.reshape(parameter, (1, -1, *(1,) * (x.ndim - 2)))


def layer_norm(x: Tensor, normalized_shape: tuple[int, ...], weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Ruled:
    """Of the last axes, whose sizes are normalized_shape.

    Forward: 1 round more than `statistics`, 16 bytes an element. Backward: 4 or 5 rounds, 16 bytes (8 without a weight).
    """
    opening = [] if weight is None else [weight]
    of = statistics(x, tuple(range(x.ndim - len(normalized_shape), x.ndim)), eps, opening)
    (normal,) = truncate([of.distance * of.inverse])
    value = normal if weight is None else normal * weight

    def pullback(g: Any) -> Any:
        (g,) = _truncated(g)
        (h,) = _truncated(g if weight is None else g * weight)

        def for_input() -> Any:
            mean, along = _truncated(*(np.sum(v, of.axes, keepdims=True) / of.count for v in (h, h * normal)))
            (part,) = _truncated(along * of.inverse)
            return of.inverse * h - of.inverse * mean - normal * part

        return for_input, None, lambda: fitted(g * normal, weight), lambda: fitted(g, bias)

    return value if bias is None else value + bias, pullback
