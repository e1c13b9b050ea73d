"""Order and equality from one opening, with the digits of the mask dealt as thermometers (README.md#comparison)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import BroadcastTo, View
from mpc.party import Endpoint
from mpc.plan import Planner, Way
from mpc.ring.digits import look_up, row_bytes
from protocols.additive.conjunction import Level, Steps, together
from protocols.additive.order_correlations import Conjunctions, Thermometers
from protocols.additive.shares import Bits, MaskRef, Share
from protocols.additive.sharing import Opening
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Digits:
    """How words are compared: digits of `width` bits, combined by groups of `radix`. Two levels at most.

    4 and 4 take two rounds, and 43 bytes dealt; 8 and 8 one round, and 301 bytes. Looking up the latter is `work`.
    """

    width: int = 4
    radix: int = 4
    work: float = 0.0  # seconds beyond what the bytes take

    def groups(self, bits: int) -> int:
        return -(-bits // (self.width * self.radix))

    def whole(self, bits: int) -> int:
        """As many bits, at most 62, as cost no more: whole digits, or whole groups where there are several."""
        step = self.width if self.groups(bits) == 1 else self.width * self.radix
        return min(62, -(-bits // step) * step)

    def levels(self, bits: int) -> list[tuple[int, int, bool]]:
        """Of each level, the groups, how many digits each has, and whether it is asked which groups are equal."""
        groups, equal = self.groups(bits), bits == 64
        if groups == 1:
            return [(1, max(2, -(-bits // self.width)), equal)]
        return [(groups, self.radix, True), (1, groups, equal)]

    def way(self, elements: int, count: int, bits: int) -> Way:
        """What it costs to compare elements that are open with `count` thresholds each."""
        bits = bits if bits == 64 else self.whole(bits)
        row, levels = row_bytes(elements), self.levels(bits)
        conjunctions = [Conjunctions(0, groups, radix, bits < 64, equal, count * row) for groups, radix, equal in levels]
        thermometers = levels[0][0] * levels[0][1] * ((1 << self.width) - 1) + (bits < 64)
        sent = sum(each.opened * each.groups * each.nbytes for each in conjunctions)
        dealt = sum(each.dealt * each.groups * each.nbytes for each in conjunctions)
        return Way(f"digits of {self.width} bits", len(levels), sent, thermometers * row + dealt, self.work)


DIGITS = (Digits(), Digits(8, 8, work=500e-6))


def digits_for(planner: Planner, elements: int, count: int = 1, bits: int = 62) -> Digits:
    """The digits that take the least time."""

    def ways() -> list[Way]:
        return [digits.way(elements, count, bits) for digits in DIGITS]

    return DIGITS[planner.choose("comparison", ways, elements=elements, thresholds=count, bits=bits)]


class Comparison:
    """[m < r] on the low bits, or [m = r], of a mask r and `count` public words m for each element of it.

    Made before the opening that makes m public, so that what is dealt is on its way; run once.
    """

    def __init__(self, source: Source, digits: Digits, refs: Sequence[MaskRef], shape: tuple[int, ...], count: int, bits: int):
        self._digits, self._bits, self._count = digits, bits, count
        self._nbytes = row_bytes(math.prod(shape))
        plus, minus = refs[0], refs[1] if len(refs) > 1 else None
        levels = digits.levels(bits)
        self._groups, self._radix, _ = levels[0]
        number = self._groups * self._radix
        self._request = source.request(Thermometers(plus, minus, bits, number, digits.width, self._nbytes))
        nbytes = count * self._nbytes
        self._levels = [Level(source, groups, radix, nbytes, bits < 64, equal) for groups, radix, equal in levels]

    def steps(self, first: bool, m: Array, thresholds: Array) -> Steps:
        """For m - t and each t in `thresholds`, (count, *shape of m): what to open in each round. Returns the shared bits, and
        bit `bits` of r XOR (at the first party) that of m - t: (count, nbytes) both.

        1. For each digit of m look up [m_d < r_d] = [r_d > m_d], and [m_d = r_d] = [r_d > m_d - 1] ^ [r_d > m_d].
        2. Combine the digits of each group, and then the groups (a round each).
        """
        dealt = self._request.shares()
        lt, eq, above = self._look_up(dealt[0], first, m, thresholds)
        less, equal = (rows.reshape(self._groups, self._radix, -1) for rows in (lt, eq))
        for level in self._levels:
            less, equal = yield from level.steps(first, None if self._bits == 64 else less, equal)
            less, equal = less[None], equal[None]
        if self._bits == 64:
            return equal.reshape(self._count, self._nbytes), above
        return less.reshape(self._count, self._nbytes), dealt[1] ^ above if first else dealt[1]

    def _look_up(self, dealt: Array, first: bool, m: Array, thresholds: Array) -> tuple[Array, Array, Array]:
        width = self._digits.width
        if m.size and all(step == 0 or n == 1 for step, n in zip(thresholds.strides[1:], m.shape, strict=True)):
            same = np.array([t.flat[0] for t in thresholds], np.uint64)  # for all elements
            return look_up(dealt, m, width, first, same, self._bits)
        rows = [look_up(dealt, np.asarray(np.subtract(m, t)), width, first, None, self._bits) for t in thresholds]
        lt, eq, above = zip(*rows, strict=True)
        return np.concatenate(lt, axis=1), np.concatenate(eq, axis=1), np.concatenate(above)


def announce(planner: Planner, source: Source, opening: Opening, x: Share, count: int, bits: int) -> None:
    """Ask now for what an `at_least` with so many thresholds needs, which comes later: so nobody waits for it then."""
    digits = digits_for(planner, x.size, count, bits)
    bits = digits.whole(bits)
    if (count, bits) not in x.announced:
        x.announced[count, bits] = Comparison(source, digits, [opening.ref(x)], x.shape, count, bits)


def nothing(shape: tuple[int, ...]) -> Array:
    """One threshold, 0."""
    return np.broadcast_to(np.uint64(0), (1, *shape))


def at_least(endpoint: Endpoint, source: Source, x: Share, thresholds: Array, bits: int, also_open: Sequence[Share] = ()) -> Bits:
    """[x >= t] for each public t; |x - t| < 2^bits. With z = x - t and z' = z + 2^bits, z >= 0 is bit `bits` of z'.

    1. Ask the dealer for the digits of r, and for products of the masks of the bits that are opened in step 4.
    2. Open m = x + r, where not yet known (one round); m' = m - t + 2^bits, so that z' = m' - r.
    3. Bit `bits` of z' is that of m', XOR that of r, XOR the borrow [low(m') < low(r)].
    4. The borrow takes a round for each level of digits (`Comparison`).

    Cost (digits 4, radix 4, 62 bits): 3 rounds, 8 + 4.25 k bytes an element for k thresholds.
    """
    opening = Opening(endpoint, source, [x, *(y for y in also_open if y.known is None)])
    return _signs(endpoint, source, opening, [opening.ref(x)], x, lambda m: m, thresholds, bits, x.announced)


def less(endpoint: Endpoint, source: Source, x: Share, y: Share) -> Bits:
    """[x < y]; |x - y| < 2^62. Where both are open the difference is too, under r_x - r_y: two rounds; else three."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    x, y = (z if z.shape == shape else z.view(BroadcastTo(shape)) for z in (x, y))
    zero = nothing(shape)
    if not (x.opened and y.opened):
        z = Share(np.asarray(np.subtract(x.value, y.value)))
        result = at_least(endpoint, source, z, zero, 62)
    else:
        opening = Opening(endpoint, source, [])
        refs = [opening.ref(x), opening.ref(y)]
        assert y.known is not None
        other = y.known.public
        result = _signs(endpoint, source, opening, refs, x, lambda m: np.subtract(m, other), zero, 62)
    return _not(endpoint, result, shape)


def less_within(endpoint: Endpoint, source: Source, x: Share, first: View, second: View) -> Bits:
    """[first(x) < second(x)] for two views of x, as `less`; where x is opened for that, what is dealt is on its way meanwhile."""
    opening = Opening(endpoint, source, [x])
    ref = opening.ref(x)
    shape = first(np.broadcast_to(np.uint8(0), x.shape)).shape

    def difference(m: Array) -> Array:
        return np.asarray(np.subtract(first(m), second(m)))

    result = _signs(endpoint, source, opening, [ref.view(first), ref.view(second)], x, difference, nothing(shape), 62)
    return _not(endpoint, result, shape)


def _not(endpoint: Endpoint, bits: Bits, shape: tuple[int, ...]) -> Bits:
    """The opposite of the bits of one threshold."""
    return Bits(bits.packed ^ np.uint8(0xFF if endpoint.index == 0 else 0), shape)


def _signs(
    endpoint: Endpoint,
    source: Source,
    opening: Opening,
    refs: Sequence[MaskRef],
    x: Share,
    compared: Callable[[Array], Array],
    thresholds: Array,
    bits: int,
    announced: dict[tuple[int, int], Any] | None = None,
) -> Bits:
    """[compared(x) >= t], where compared(x) is open as compared(m) if x is as m, and `refs` are its masks. Comparisons that were
    `announced` are taken from there."""
    count, shape = len(thresholds), thresholds.shape[1:]
    if not thresholds.size:
        opening.run("compare")
        return Bits.pack(np.zeros((count, *shape), bool))
    digits = digits_for(endpoint.planner, math.prod(shape), count, bits)
    bits = digits.whole(bits)
    comparison = (announced or {}).pop((count, bits), None) or Comparison(source, digits, refs, shape, count, bits)
    if not x.opened:
        opening.run("compare")
    assert x.known is not None
    m = np.asarray(np.add(compared(x.known.public), np.uint64(1 << bits)))
    ((borrow, top),) = together(opening, "compare", [comparison.steps(endpoint.index == 0, m, thresholds)])
    return Bits.from_rows(borrow ^ top, (count, *shape))


def equal(endpoint: Endpoint, source: Source, x: Share, y: Share | Array) -> Bits:
    """[x = y] modulo 2^64: z = x - y is 0 where m = z + r equals r, digit by digit.

    1. Open m = z + r (one round; x's own opening serves where y is public, or open too).
    2. Multiply the 16 bits [m_d = r_d] (two rounds).
    """
    shape = np.broadcast_shapes(x.shape, y.shape)
    x = x if x.shape == shape else x.view(BroadcastTo(shape))
    if isinstance(y, Share):
        y = y if y.shape == shape else y.view(BroadcastTo(shape))
        if not (x.opened and y.opened):
            x, y = Share(np.asarray(np.subtract(x.value, y.value))), np.zeros(shape, np.uint64)
    opening = Opening(endpoint, source, [x])
    refs = [opening.ref(z) for z in (x, y) if isinstance(z, Share)]
    if not math.prod(shape):
        return Bits.pack(np.zeros(shape, bool))
    comparison = Comparison(source, digits_for(endpoint.planner, math.prod(shape), bits=64), refs, shape, 1, 64)
    opening.run("equal")
    assert x.known is not None
    if isinstance(y, Share):
        assert y.known is not None
        y = y.known.public
    m = np.asarray(np.subtract(x.known.public, y))
    ((result, _),) = together(opening, "equal", [comparison.steps(endpoint.index == 0, m, nothing(shape))])
    return Bits.from_rows(result, shape)


def borrows(endpoint: Endpoint, source: Source, items: Sequence[tuple[Share, int]]) -> list[Bits]:
    """For each open z = m - r: [low(m') < low(r)] on the low `bits` bits of m' = m + 2^62, which a truncation rounds up by."""
    opening = Opening(endpoint, source, [])
    comparisons = [
        Comparison(source, digits_for(endpoint.planner, z.size, bits=bits), [opening.ref(z)], z.shape, 1, bits)
        for z, bits in items
    ]
    steps = []
    for (z, _), comparison in zip(items, comparisons, strict=True):
        assert z.known is not None
        m = np.asarray(np.add(z.known.public, np.uint64(1 << 62)))
        steps.append(comparison.steps(endpoint.index == 0, m, nothing(z.shape)))
    results = together(opening, "floor", steps)
    return [Bits.from_rows(result, z.shape) for (z, _), (result, _) in zip(items, results, strict=True)]
