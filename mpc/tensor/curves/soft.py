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
from mpc.tensor.curves import inverting, logarithms
from mpc.tensor.curves.bounded import softplus
from mpc.tensor.curves.exponential import span_of
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
    spread: int  # bits of the number of summands: the sum of powers is from 1 to that

    def bins(self, step: int) -> list[Level]:
        """For the sum."""
        low = self.total.scale
        return levels(self.total.context.protocol.planner, low, low + self.spread, low + self.spread + 1, self.total.size, step)


def _shifted(operation: str, x: S, axis: Any) -> _Shifted[S]:
    x = operand(x)
    largest = extrema.maximum_along(x, axis, keepdims=True)
    distance = subtract(truncate([x])[0], largest)
    powers = _powers(distance)
    total = reduction.total(powers, axis, keepdims=True)
    return _Shifted(largest, distance, powers, total, (reduction.count(operation, x, axis) - 1).bit_length())


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
    """e^x / sum of e^x along the axis (all of them for None): scipy.special.softmax.

    Domain: |x| < 2^(61 - 2f). Error: 1.5 units, and the sum along n elements is 1 within about sqrt(n) units, 6 for 17.
    Rounds: those of the maximum and 7 more for n up to 16, else 13: 13 for n = 10, 34 for 1000, with 57 bytes an element.
    Method: see the module; the sum is from 1 to n, so that few bins do for its inverse.
    """
    parts = _shifted("softmax", x, axis)
    f, protocol, total = x.context.fraction_bits, x.context.protocol, parts.total
    step = max(inverting.STEP, parts.spread) if parts.spread <= 4 else inverting.STEP  # one bin for up to 16 summands
    normal = normalise(protocol, total.share, parts.bins(step), lambda level: [], also=[parts.powers.share])
    bits = min(f + 8, RAW_BITS - 1 - step - parts.powers.scale)
    share, fraction = inverting.inverse_waves(total, normal.y, normal.top, step, [parts.powers.share])
    (inverse,) = protocol.truncate([(share, fraction - bits)])
    if normal.factors:
        inverse = protocol.bilinear(MULTIPLY, inverse, normal.factors[0])
        (inverse,) = protocol.truncate([(inverse, normal.top - parts.powers.scale)])
        extra = parts.powers.scale
    else:
        extra = normal.top
    product = protocol.bilinear(MULTIPLY, parts.powers.share, inverse)
    return truncate([x.like(product, "float", bits + extra)])[0]


def log_softmax(x: S, axis: Any = None) -> S:
    """log(softmax(x)): scipy.special.log_softmax.

    Domain: as softmax. Error: 1.8 units. Rounds: those of the maximum and 6 more, 11 for n above 16: 12 for n = 10, with 51 bytes
    an element, 32 for 1000, with 41.
    Method: x - max x - log of the sum of exponentials.
    """
    parts = _shifted("log_softmax", x, axis)
    return subtract(parts.distance, _log(parts))


def logsumexp(x: S, axis: Any = None, keepdims: bool = False) -> S:
    """log(sum of e^x) along the axis (all of them for None): scipy.special.logsumexp.

    Domain: |x| < 2^(61 - 2f). Error: 1.8 units. Rounds: those of the maximum and 6 more, 11 for n above 16: 12 for n = 10, 27 for
    100, 32 for 1000; 52, 41 and 41 bytes an element. Method: the largest, and the log of the sum of the exponentials of distances
    from it (Blanchard, Higham and Higham, *Accurately Computing the Log-Sum-Exp and Softmax Functions*, IMA Journal of Numerical
    Analysis 41, 2021).
    """
    parts = _shifted("logsumexp", x, axis)
    result = add(parts.largest, _log(parts))
    return result if keepdims else reduction.total(result, axis)


def _log(parts: _Shifted[S]) -> S:
    return truncate([logarithms.logarithm(math.e, parts.total, parts.bins(logarithms.STEP))])[0]


def logaddexp(x: Any, y: Any) -> Any:
    """log(e^x + e^y), as y + softplus(x - y). Error: 1.7 units. 4 rounds, 24.75 bytes."""
    if not isinstance(x, Secret):
        x, y = y, x
    return add(softplus(subtract(x, y)), y)
