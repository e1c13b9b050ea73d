"""Functions that are waves inside of an interval and a constant, or x itself, outside: sigmoid, tanh, erf, gelu, silu, softplus.

Method: one opening of x serves a sum of waves and the comparison with the interval's ends; what the waves give is opened in
the rounds of the comparison, truncated without another, and then selected. Waves from one opening: Zheng, Zhang, Chow, Peng,
Tan, Li and Yin, *Secure Softmax/Sigmoid for Machine-learning Computation*, ACSAC 2023, for an interval; the comparison makes
them right everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from typing import Any, TypeVar

import numpy as np

from mpc.contract import Share, Waves
from mpc.fixed import RAW_BITS
from mpc.tensor.base import Array, Secret, truncate
from mpc.tensor.curves import exact
from mpc.tensor.curves.fitting import Series, Target, fit
from mpc.tensor.curves.operands import at_least, away_from_zero, operand, total, word

S = TypeVar("S", bound=Secret)

_erf = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _bell(x: Array) -> Array:
    """The density of the normal distribution."""
    return np.asarray(np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def _exact_sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


@dataclass(frozen=True)
class Bounded:
    """`target` where |x| < an end; beyond that its limit: `low` below, `high` (x, where that is None) above, within half a unit.

    `tail` is how far the function of -x is from its lower limit. `spread` is the period in units of the end. What is fitted
    leans by p - q / (1 + e^(-12 t - c)) units for x = t end, where `lean` is (p, q, c). `unit_at` is where an odd function, or
    the half of x, is a unit in the last place: there it leans away from 0.
    """

    target: Target
    tail: Callable[[float], float]
    spread: float
    high: int | None
    low: int = 0
    lean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    unit_at: int = 0

    def shifted(self, end: float, unit: float) -> Target:
        """The target above its lower limit, leaning."""
        p, q, c = self.lean
        dp, dq, dc, width, size = Decimal(p), Decimal(q), Decimal(c), Decimal(end), Decimal(unit)

        def leaning(x: Decimal) -> Decimal:
            return self.target.exact(x) - self.low + size * (dp - dq * _exact_sigmoid(12 * x / width + dc))

        return Target(lambda x: self.target.function(x) - self.low + unit * (p - q * _sigmoid(12 * x / end + c)), leaning)


# What rounds away from 0 and from 1, so that neither appears too early, nor anything beyond them; and what rounds a vanishing
# tail away from 0, where a truncation might give 0 for more than half a unit.
_TOWARDS_ONE, _POSITIVE, _NEGATIVE = (0.65, 1.3, 0.0), (0.65, 0.65, 6.0), (-0.65, -0.65, 6.0)
_AWAY = 1 / 8  # of a unit; as much as the waves may be wrong by
_ROOT = Decimal(2).sqrt(Context(prec=50))

CURVES = {
    "expit": Bounded(Target(_sigmoid, _exact_sigmoid), lambda x: float(_sigmoid(np.array(-x))), 2.55, 1, 0, _TOWARDS_ONE),
    "tanh": Bounded(
        Target(np.tanh, lambda x: 2 * _exact_sigmoid(2 * x) - 1), lambda x: 2 / (1 + math.exp(2 * x)), 2.5, 1, -1, unit_at=1
    ),
    "erf": Bounded(Target(_erf, exact.erf), math.erfc, 3.3, 1, -1),
    "gelu": Bounded(
        Target(lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2, lambda x: x * (1 + exact.erf(x / _ROOT)) / 2),
        lambda x: x * math.erfc(x / math.sqrt(2)) / 2,
        3.3,
        None,
        0,
        _NEGATIVE,
        unit_at=2,
    ),
    "silu": Bounded(
        Target(lambda x: x * _sigmoid(x), lambda x: x * _exact_sigmoid(x)),
        lambda x: x * float(_sigmoid(np.array(-x))),
        2.5,
        None,
        0,
        _NEGATIVE,
        unit_at=2,
    ),
    "softplus": Bounded(
        Target(lambda x: np.logaddexp(0, x), lambda x: (1 + x.exp()).ln()),
        lambda x: math.log1p(math.exp(-x)),
        2.7,
        None,
        0,
        _POSITIVE,
    ),
    # the derivatives of gelu, silu and erf: errors of 1.1 units, by 11, 28 and 8 waves
    "gelu_slope": Bounded(
        Target(
            lambda x: (1 + _erf(x / math.sqrt(2))) / 2 + x * _bell(x),
            lambda x: (1 + exact.erf(x / _ROOT)) / 2 + x * (-x * x / 2).exp() / (2 * exact.PI).sqrt(),
        ),
        lambda x: x * float(_bell(np.array(x))),
        3.3,
        1,
    ),
    "silu_slope": Bounded(
        Target(lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)), lambda x: _exact_sigmoid(x) * (1 + x * _exact_sigmoid(-x))),
        lambda x: x * float(_sigmoid(np.array(-x))),
        2.5,
        1,
    ),
    "erf_slope": Bounded(
        Target(lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x), lambda x: 2 / exact.PI.sqrt() * (-x * x).exp()),
        lambda x: 2 / math.sqrt(math.pi) * math.exp(-x * x),
        2.3,
        0,
    ),
}


@dataclass(frozen=True)
class Piece:
    """A curve for f fraction bits: its end, and waves whose period is 2^(64 - 2f) / factor."""

    end: float
    factor: int
    series: Series

    def waves(self, f: int, scale: int) -> Waves:
        return self.series.waves(64, f + 32, self.factor << (2 * f - scale))


@cache
def piece(name: str, f: int) -> Piece:
    """The waves of a curve, to an eighth of a unit in the last place."""
    curve, unit = CURVES[name], math.ldexp(1.0, -f)
    end = _end(curve.tail, 0.4 * unit)
    factor = round(math.ldexp(1.0, 64 - 2 * f) / (curve.spread * end))
    period = math.ldexp(1.0, 64 - 2 * f) / factor
    return Piece(end, factor, fit(curve.shifted(end, unit), -end, end, period, unit / 8))


def _end(tail: Callable[[float], float], small: float) -> float:
    """Where a falling tail is `small`, or a little further: a multiple of 1/64."""
    low, high = 0.5, 64.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > small else (low, middle)
    return math.ceil(64 * high) / 64


def bounded(name: str, x: S) -> S:
    """The curve `name` of x: 4 rounds."""
    return together([name], x)[0]


def together(names: Sequence[str], x: S) -> list[S]:
    """Several curves of x in the rounds of one, of one opening: 8 + 16.75 bytes an element for each."""
    x = operand(x)
    f, protocol = x.context.fraction_bits, x.context.protocol
    curves, parts = [CURVES[name] for name in names], [piece(name, f) for name in names]
    thresholds = 2 * len(curves)
    waves = [_share(curve, part.waves(f, x.scale), x, thresholds) for curve, part in zip(curves, parts, strict=True)]
    ends = [math.floor(math.ldexp(part.end, x.scale)) for part in parts]
    bits = at_least(x, [t for end in ends for t in (-end, end)], opening=[wave.share for wave in waves])
    values = truncate([*waves, x] if any(curve.high is None for curve in curves) else waves)
    pairs: list[tuple[Share, Any]] = []
    for k, curve in enumerate(curves):
        above_low, high = bits[2 * k : 2 * k + 2]
        limit = values[-1].share if curve.high is None else word((curve.high - curve.low) << f)
        pairs += [(protocol.xor(above_low, high), values[k].share), (high, limit)]
    chosen = protocol.select(pairs)
    return [x.like(total(x, chosen[2 * k : 2 * k + 2], curve.low << f), "float", f) for k, curve in enumerate(curves)]


def _share(curve: Bounded, waves: Waves, x: S, thresholds: int) -> S:
    """What the waves give for x, which is compared with so many thresholds next."""
    (share,) = x.context.protocol.waves(x.share, [waves], compared=(thresholds, RAW_BITS))
    if curve.unit_at:
        share = x.context.protocol.add(share, away_from_zero(x, _AWAY, curve.unit_at, waves.scale))
    return x.like(share, "float", waves.scale)


def expit(x: S) -> S:
    """1 / (1 + e^-x).

    Domain: all x. Error: 1.7 units; the result is from 0 to 1, and not 0 where it rounds to a unit. 4 rounds, 24.75 bytes.
    Method: 19 waves where |x| < 12.01, else 0 or 1.
    """
    return bounded("expit", x)


def tanh(x: S) -> S:
    """The hyperbolic tangent.

    Domain: all x. Error: 1.3 units; the result is from -1 to 1, and not 0 for f <= 20 but of x = 0 (or, of an x that is not
    truncated yet, below a unit). 4 rounds, 24.75 bytes.
    Method: 21 waves where |x| < 6.35, else -1 or 1.
    """
    return bounded("tanh", x)


def erf(x: S) -> S:
    """The error function.

    Domain: all x. Error: 1.1 units; the result is from -1 to 1. 4 rounds, 24.75 bytes.
    Method: 9 waves where |x| < 3.2, else -1 or 1.
    """
    return bounded("erf", x)


def gelu(x: S) -> S:
    """x (1 + erf(x / sqrt 2)) / 2.

    Domain: all x. Error: 1.7 units; the result is not 0 where it is one unit or more, for f <= 20. 4 rounds, 24.75 bytes.
    Method: 10 waves where |x| < 4.7, else 0 or x.
    """
    return bounded("gelu", x)


def silu(x: S) -> S:
    """x / (1 + e^-x).

    Domain: all x. Error: 1.7 units; the result is not 0 where it is one unit or more, for f <= 16 (for f = 20, -1 unit becomes 0
    in 4 of 100 runs). 4 rounds, 24.75 bytes.
    Method: 25 waves where |x| < 14.69, else 0 or x.
    """
    return bounded("silu", x)


def softplus(x: S) -> S:
    """log(1 + e^x).

    Domain: all x. Error: 1.7 units; the result is not 0 where it rounds to a unit. 4 rounds, 24.75 bytes.
    Method: 17 waves where |x| < 12.01, else 0 or x.
    """
    return bounded("softplus", x)
