"""softmax, log_softmax and logsumexp: the largest is subtracted first, so that exponentials are at most 1, and one of them is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mpc.contract import MULTIPLY
from mpc.fixed import RAW_BITS
from mpc.tensor import extrema, reduction
from mpc.tensor.arithmetic import add, subtract
from mpc.tensor.base import Secret, truncate
from mpc.tensor.curves.bounded import softplus
from mpc.tensor.curves.exponential import span_of
from mpc.tensor.curves.inverting import inverse_waves
from mpc.tensor.curves.logarithms import logarithm
from mpc.tensor.curves.normalising import Level, levels, normalise
from mpc.tensor.curves.operands import at_least, operand

S = TypeVar("S", bound=Secret)

_EXTRA = 6  # bits that the exponentials have more than the result


@dataclass(frozen=True)
class _Shifted(Generic[S]):
    """x - max x, with the largest; exponentials of that, and their sum, with f + _EXTRA fraction bits."""

    largest: S
    distance: S
    powers: S
    total: S
    bins: list[Level]


def _shifted(operation: str, x: S, axis: Any) -> _Shifted[S]:
    x = operand(x)
    largest = extrema.maximum_along(x, axis, keepdims=True)
    distance = subtract(truncate([x])[0], largest)
    powers = _powers(distance)
    total = reduction.total(powers, axis, keepdims=True)
    spread = (reduction.count(operation, x, axis) - 1).bit_length()  # the sum is from 1 to the number of summands
    bins = levels(powers.scale, powers.scale + spread, powers.scale + spread + 1, total.size)
    return _Shifted(largest, distance, powers, total, bins)


def _powers(x: S) -> S:
    """e^x for x <= 0."""
    f, protocol = x.context.fraction_bits, x.context.protocol
    bits = f + _EXTRA
    span = span_of(math.e, f, bits, wanted=1.0)
    share = protocol.exponential(x.share, span.curve(f))
    (inside,) = at_least(x, [math.ceil(math.ldexp(span.low, f))], opening=[share])
    (value,) = protocol.truncate([(share, span.scale - bits)])
    (chosen,) = protocol.select([(inside, value)])
    return x.like(chosen, "float", bits)


def softmax(x: S, axis: Any = None) -> S:
    """e^x / sum of e^x along the axis (all of them for None)."""
    parts = _shifted("softmax", x, axis)
    f, protocol, total = x.context.fraction_bits, x.context.protocol, parts.total
    normal = normalise(protocol, total.share, parts.bins, lambda level: [], also=[parts.powers.share])
    protocol.open([normal.y, parts.powers.share])
    bits = min(f + 8, RAW_BITS - 4 - parts.powers.scale)
    inverse = inverse_waves(total, normal.y, normal.top, bits)
    if normal.factors:
        inverse = protocol.bilinear(MULTIPLY, inverse, normal.factors[0])
        (inverse,) = protocol.truncate([(inverse, normal.top - parts.powers.scale)])
        extra = parts.powers.scale
    else:
        extra = normal.top
    product = protocol.bilinear(MULTIPLY, parts.powers.share, inverse)
    return truncate([x.like(product, "float", bits + extra)])[0]


def log_softmax(x: S, axis: Any = None) -> S:
    """log(softmax(x))."""
    parts = _shifted("log_softmax", x, axis)
    return subtract(parts.distance, _log(parts))


def logsumexp(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """log(sum of e^x) along the axis (all of them for None)."""
    parts = _shifted("logsumexp", x, axis)
    result = add(parts.largest, _log(parts))
    return result if keepdims else reduction.total(result, axis)


def _log(parts: _Shifted[S]) -> S:
    return truncate([logarithm(math.e, parts.total, parts.bins)])[0]


def logaddexp(x: Any, y: Any) -> Any:
    """log(e^x + e^y)."""
    if not isinstance(x, Secret):
        x, y = y, x
    return add(softplus(subtract(x, y)), y)
