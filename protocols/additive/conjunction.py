"""Products of several secret bits in one round (README.md#comparison)."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from mpc.party import Endpoint
from mpc.plan import Way
from mpc.ring.digits import row_bytes
from protocols.additive.order_correlations import Conjunctions
from protocols.additive.shares import Bits
from protocols.additive.sharing import Opening
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]
Steps = Generator[Array, Array, tuple[Array, Array]]  # yields this party's share of what to open, and is sent what it is


CHUNK = 1 << 13  # bytes of a row that are combined at a time: what belongs together stays in the cache


class Level:
    """Combines the digits of each group, lowest first, given as bit planes lt and eq of shape (groups, radix, nbytes):

    less  = lt_(R-1) ^ eq_(R-1) (lt_(R-2) ^ eq_(R-2) (... ^ eq_1 lt_0)), and equal = eq_(R-1) ... eq_0.

    Made before any round, so that the products of its masks are on their way; run once.
    """

    def __init__(self, source: Source, groups: int, radix: int, nbytes: int, less: bool, equal: bool):
        self._shape = (groups, radix, nbytes)
        opened = Conjunctions(0, groups, radix, less, equal, nbytes).opened
        number, self._mask = source.bit_planes((opened, groups, nbytes))
        self._request = Conjunctions(number, groups, radix, less, equal, nbytes)
        self._pending = source.request(self._request)

    def steps(self, first: bool, lt: Array | None, eq: Array) -> Steps:
        """What to open; returns (less, equal) of shape (groups, nbytes), empty without lt, or where equal was not asked for.

        1. Open E_i = eq_i ^ eps_i for i > 0, L_i = lt_i ^ lambda_i for i < R - 1, and E_0 (one round).
        2. [x eps_T] = X [eps_T] ^ [chi eps_T] for each opened X = x ^ chi, and sets T of factors to come.
        3. Multiply by one factor after the other: [eq_i y eps_T] = E_i [y eps_T] ^ [y eps_T eps_i].
        """
        eq, lt = np.moveaxis(eq, 1, 0), None if lt is None else np.moveaxis(lt, 1, 0)
        own = [eq[1:], *([] if lt is None else [lt[:-1]]), *([eq[:1]] if self._request.equal else [])]
        opened = yield np.concatenate(own) ^ self._mask
        (dealt,) = self._pending.shares()
        groups, _, nbytes = self._shape
        less = np.empty((groups if lt is not None else 0, nbytes), np.uint8)
        equal = np.empty((groups if self._request.equal else 0, nbytes), np.uint8)
        for start in range(0, nbytes, CHUNK):
            part = (..., slice(start, start + CHUNK))
            sets, rest = self._sets(first, self._mask[part], dealt[part])
            if lt is not None:
                less[part], rest = self._less(sets, self._mask[part], opened[part], rest)
                less[part] ^= lt[-1][part]
            if self._request.equal:
                equal[part] = self._product(sets, self._mask[part], opened[part], rest)
        return less, equal

    def _sets(self, first: bool, mask: Array, dealt: Array) -> tuple[Array, Array]:
        """The shares of eps_T for all sets T (by bits, T = 0 is the constant 1), and what was dealt beyond them."""
        radix = self._shape[1]
        sets = np.empty((1 << (radix - 1), *dealt.shape[1:]), np.uint8)
        sets[0] = 0xFF if first else 0
        several = [t for t in range(len(sets)) if t & (t - 1)]
        for i in range(radix - 1):
            sets[1 << i] = mask[i]
        sets[several] = dealt[: len(several)]
        return sets, dealt[len(several) :]

    def _less(self, sets: Array, mask: Array, opened: Array, dealt: Array) -> tuple[Array, Array]:
        """The sum of products in `less`, from the inside out; and what of `dealt` is left."""
        last = self._shape[1] - 1
        total = np.zeros_like(sets)
        for i in range(last):
            term, dealt = self._factor(sets[:: 1 << i], mask[last + i], opened[last + i], dealt)
            total = _times(np.bitwise_xor(total, term, out=term), opened[i])
        return total[0], dealt

    def _product(self, sets: Array, mask: Array, opened: Array, dealt: Array) -> Array:
        total, _ = self._factor(sets, mask[-1], opened[-1], dealt)
        for i in range(self._shape[1] - 1):
            total = _times(total, opened[i])
        return np.asarray(total[0])

    @staticmethod
    def _factor(sets: Array, mask: Array, opened: Array, dealt: Array) -> tuple[Array, Array]:
        """[x eps_T] for x = opened ^ mask and the sets T that are left, and what of `dealt` is left."""
        count = len(sets) - 1
        term = np.bitwise_and(sets, opened)
        term[0] ^= mask
        term[1:] ^= dealt[:count]
        return term, dealt[count:]


def _times(terms: Array, opened: Array) -> Array:
    """[eq_i y eps_T] for the sets T without i, from [y eps_T] for those without and with i."""
    product = np.bitwise_and(terms[0::2], opened)
    return np.asarray(np.bitwise_xor(product, terms[1::2], out=product))


def together(opening: Opening, label: str, several: Sequence[Steps]) -> list[tuple[Array, Array]]:
    """What the steps return, run side by side: all that they open at once goes in one round."""
    results: dict[int, tuple[Array, Array]] = {}
    masked = {k: next(steps) for k, steps in enumerate(several)}
    while masked:
        opened = opening.run(label, list(masked.values()))
        waiting, masked = list(masked), {}
        for k, array in zip(waiting, opened, strict=True):
            try:
                masked[k] = several[k].send(array)
            except StopIteration as done:
                results[k] = done.value
    return [results[k] for k in range(len(several))]


RADICES = (4, 8)


def _fans(count: int, radix: int) -> list[tuple[int, int]]:
    """(groups, bits in each) of every round that combines so many bits, of equal size or nearly so."""
    fans = []
    while count > 1:
        groups = -(-count // min(radix, count))
        fans.append((groups, -(-count // groups)))
        count = groups
    return fans


def ways(elements: int, bits: int) -> list[Way]:
    """What it costs to combine so many bits of each element, by radix."""
    found, row = [], row_bytes(elements)
    for radix in RADICES:
        fans = _fans(bits, radix)
        sent = sum(groups * fan for groups, fan in fans) * row
        dealt = sum(Conjunctions(0, groups, fan, False, True, row).dealt * groups for groups, fan in fans) * row
        found.append(Way(f"{radix} bits a round", len(fans), sent, dealt))
    return found


def all_of(endpoint: Endpoint, source: Source, x: Bits) -> Bits:
    """The conjunction along the first axis: up to 4 or 8 bits of each element, the radix, in one round.

    Cost: for k bits ceil(log_radix k) rounds; each opens the bits that are left.
    """
    rows, levels = x.rows(), []
    count = len(rows)
    if not rows.size or count == 1:
        shape = x.shape[1:]
        return Bits.from_rows(rows, shape) if count else Bits.pack(np.full(shape, endpoint.index == 0))
    elements = math.prod(x.shape[1:])
    radix = RADICES[endpoint.planner.choose("conjunction", lambda: ways(elements, count), elements=elements, bits=count)]
    for groups, fan in _fans(count, radix):  # what is missing in the last group is filled up
        levels.append((groups, fan, Level(source, groups, fan, rows.shape[1], less=False, equal=True)))
    for groups, fan, level in levels:
        ones = np.full((groups * fan - len(rows), rows.shape[1]), 0xFF if endpoint.index == 0 else 0, np.uint8)
        grouped = np.concatenate([rows, ones]).reshape(groups, fan, -1)
        ((_, rows),) = together(Opening(endpoint, source, ()), "all", [level.steps(endpoint.index == 0, None, grouped)])
    return Bits.from_rows(rows, x.shape[1:])
