"""Numbers of any size brought into [1/8, 1) or [1/16, 1), so that one short sum of waves serves a function everywhere.

Comparing x with public thresholds tells, in secret bits, in which bin [2^(b step), 2^((b + 1) step)) it lies. With the bits as
words, any public function of the bin is a public linear combination of them, so x is multiplied by the power of two of its
bin, exactly. One level of many thresholds takes the fewest rounds; two levels, first of coarse bins and then of those within,
take the least work. (Normalisation by the most significant bit: Catrina and Saxena, *Secure Computation with Fixed-Point
Numbers*, FC 2010. Theirs takes the bits of x apart; this takes thresholds.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Index, Protocol, Reshape, Share
from mpc.fixed import RAW_BITS
from mpc.plan import Planner, Way
from mpc.tensor.curves.operands import words

_COARSE = 16  # bits of a coarse bin

Weights = tuple[list[int], int]  # for each row of bits, and a public summand


@dataclass(frozen=True)
class Level:
    """Bins [2^(low + j step), 2^(low + (j + 1) step)), j < count, of words. Each row of bits says [x >= a threshold].

    The first row is [x >= 1], if `positive`: no bin is left for other words. `beyond` are thresholds after the last bin; from
    the first of them on a word is in none. `signed` takes the bins of -x too.
    """

    low: int
    step: int
    count: int
    bound: int  # in bits: words are below 2^bound in magnitude; of any others the bins are arbitrary
    positive: bool = False
    beyond: tuple[int, ...] = ()
    signed: bool = False

    @property
    def top(self) -> int:
        """Where the last bin ends, in bits; words are brought into it."""
        return self.low + self.step * self.count

    def thresholds(self) -> list[int]:
        bins = [1 << (self.low + j * self.step) for j in range(1, self.count)]
        up = [*([1] if self.positive else []), *bins, *self.beyond]
        return [*up, *(1 - t for t in up)] if self.signed else up

    def shifts(self) -> list[int]:
        """For each bin the power of two that brings it into the last."""
        return [self.step * (self.count - 1 - j) for j in range(self.count)]

    def saturated(self, values: Sequence[int]) -> Weights:
        """values[j] in bin j, and that of the last bin beyond; 0 in no bin, if `positive`."""
        return self.weights(values, [values[-1]] * len(self.beyond))

    def weights(self, values: Sequence[int], beyond: Sequence[int] = (0, 0)) -> Weights:
        """values[j] in bin j, and `beyond` after each threshold there; of -x, minus that. 0 in no bin, if `positive`."""
        steps = [*values, *beyond[: len(self.beyond)]]
        rows = [after - before for before, after in zip([0, *steps], steps, strict=False)]
        first, rows = (0, rows) if self.positive else (rows[0], rows[1:])
        # -x >= t where [x >= 1 - t] is not set
        return ([*rows, *rows], first - sum(rows)) if self.signed else (rows, first)

    def nonzero(self) -> Weights:
        """1 where a word is not 0, if `signed` and `positive`: it is 1 or more, or it is not 0 or more."""
        half = len(self.thresholds()) // 2
        return [int(row == 0) - int(row == half) for row in range(2 * half)], 1


_FURTHER = 5  # rounds of a level after another


def _way(levels: list[Level], size: int) -> Way:
    """What thresholds, their bits as words, and products with these cost; what is the same for one level and two is left out."""
    thresholds = sum(len(level.thresholds()) for level in levels)
    further = len(levels) - 1
    sent, dealt = 4.4 * thresholds + 16 * further, 39 * thresholds + 30 * len(levels) + 26 * further
    return Way(f"bins in {len(levels)} levels", _FURTHER * further, sent * size, dealt * size)


def fewest_rounds(planner: Planner, one: list[Level], two: list[Level], size: int) -> bool:
    """Whether one level of bins takes less time than two."""
    thresholds = len(one[0].thresholds())
    return planner.choose("bins", lambda: [_way(one, size), _way(two, size)], elements=size, thresholds=thresholds) == 0


def levels(
    planner: Planner, low: int, high: int, bound: int, size: int, step: int, beyond: tuple[int, ...] = (), signed: bool = False
) -> list[Level]:
    """For words below 2^bound, with bins of `step` bits from 2^low to 2^high: one level, or two where that takes less time.

    With low = 0 words may also be below all bins.
    """
    width = max(high - low, 1)
    coarse = -(-width // _COARSE)
    one = [Level(low, step, -(-width // step), bound, low == 0, beyond, signed)]
    if coarse == 1:
        return one
    while (large := step * -(-width // (step * coarse))) * coarse + low > RAW_BITS:
        coarse += 1
    first = Level(low, large, coarse, bound, low == 0, beyond, signed)
    two = [first, Level(first.top - large, step, large // step, first.top)]
    return one if fewest_rounds(planner, one, two, size) else two


def turn(top: int, spread: float) -> tuple[float, int]:
    """(period, factor) of waves of words below 2^top, read as numbers below 1: the period is next to `spread`."""
    factor = max(1, round(math.ldexp(1 / spread, 64 - top)))
    return math.ldexp(1.0, 64 - top) / factor, factor


class Bins:
    """The bins of a share at one level: `combine` gives public functions of them as words."""

    def __init__(self, protocol: Protocol, x: Share, level: Level):
        self._protocol, self.level, self._shape = protocol, level, x.shape
        thresholds = level.thresholds()
        found = protocol.to_words(protocol.at_least(x, words(thresholds, x.shape), min(level.bound + 1, RAW_BITS)))
        self._words = protocol.view(found, Reshape((len(thresholds), int(np.prod(x.shape, dtype=np.int64)))))

    def combine(self, weights: Sequence[Weights]) -> list[Share]:
        """Each function of the bin. Views of one share, so that they are opened together."""
        protocol, shape = self._protocol, (len(weights), *self._shape)
        constants = words([constant for _, constant in weights], self._shape)
        table = np.array([[value % (1 << 64) for value in rows] for rows, _ in weights], np.uint64)
        both = protocol.add(protocol.view(protocol.bilinear(MATMUL, table, self._words), Reshape(shape)), constants)
        return [protocol.view(both, Index((k,))) for k in range(len(weights))]


@dataclass(frozen=True)
class Normal:
    """y = x times the product of `factors`, with 2^(top - step) <= |y| < 2^top; and for each level what else was asked for."""

    y: Share
    top: int
    factors: list[Share]
    others: list[list[Share]]


Other = Callable[[Level], list[Weights]]


def normalise(
    protocol: Protocol,
    x: Share,
    chosen: Sequence[Level],
    other: Other,
    also: Sequence[Share] = (),
    opened: bool = False,
    least: bool = False,
) -> Normal:
    """x in [2^(top - step), 2^top), and 0 where it is in no bin; or as the least number there is, if `least`.

    Where there is one threshold beyond the bins, which are not signed, x counts as that threshold from there on.

    `other` names functions of the bins to come with it; if `opened`, what will be multiplied. `also` is opened beside.
    Cost: 5 rounds a level; 8 bytes to open the share of each level, 4.375 for each threshold, and 8 for each factor and
    opened function.
    """
    factors, others = [], []
    for number, level in enumerate(chosen):
        if not level.thresholds():  # there is one bin
            continue
        lowest = 1 << (level.top - level.step) if least and number == 0 else 0
        factor, *rest = _functions(protocol, x, level, other, lowest)
        edge = rest.pop() if _clips(level, lowest) else None
        protocol.open([factor, *(rest if opened else ()), *(also if number == 0 else ())])
        x = protocol.bilinear(MULTIPLY, x, factor)
        x = x if edge is None else protocol.add(x, edge)
        factors.append(factor)
        others.append(rest)
    return Normal(x, chosen[-1].top, factors, others)


def _clips(level: Level, lowest: int) -> bool:
    return lowest > 0 or (bool(level.beyond) and not level.signed)


def _functions(protocol: Protocol, x: Share, level: Level, other: Other, lowest: int) -> list[Share]:
    """The factor of the bin, what else is asked for, and what x counts as, where it is in no bin."""
    weights = [level.weights([1 << shift for shift in level.shifts()]), *other(level)]
    if _clips(level, lowest):
        rows, constant = level.weights([-lowest] * level.count, [t - lowest for t in level.beyond])
        weights.append((rows, constant + lowest))
    return Bins(protocol, x, level).combine(weights)


def multiplied(protocol: Protocol, shares: Sequence[Share]) -> Share:
    """The product of one share, or of two that are open."""
    return shares[0] if len(shares) == 1 else protocol.bilinear(MULTIPLY, shares[0], shares[1])
