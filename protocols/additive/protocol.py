"""The additive protocol's table of contents: which operation of the contract is which protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.contract import Bilinear, Exponential, Protocol, View, Waves
from mpc.party import Endpoint
from mpc.plan import Way
from protocols.additive import boolean, compare, conjunction, convert, curves, multiply, sharing, shuffle, truncate
from protocols.additive.dealer import serve
from protocols.additive.shares import Bits, Known, Share
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]


class Additive(Protocol):
    """Additive shares modulo 2^64 among 2 to 5 semi-honest parties, with a dealer for correlated randomness."""

    name = "additive"
    checks_dealer = True

    def __init__(self, endpoint: Endpoint):
        super().__init__(endpoint)
        self._source = Source(endpoint)
        self._first = endpoint.index == 0

    def comparing(self, elements: int, thresholds: int = 1) -> Way:
        return self.planner.best([digits.way(elements, thresholds, 62) for digits in compare.DIGITS])

    def conjoining(self, elements: int, bits: int) -> Way:
        return self.planner.best(conjunction.ways(elements, bits))

    @classmethod
    def dealer(cls) -> Callable[[Endpoint], None]:
        return serve

    def finish(self) -> None:
        self._source.finish()

    def position(self) -> int:
        return max(super().position(), self._source.position)

    def skip_to(self, number: int) -> None:
        super().skip_to(number)
        self._source.skip_to(number)

    def input(self, value: Array | None, owner: int, shape: tuple[int, ...], boolean: bool) -> Share | Bits:
        if not boolean:
            return Share(sharing.input_shares(self.endpoint, value, owner, shape, np.uint64))
        bits = Bits.pack(np.zeros(shape, bool) if value is None else value)
        packed = None if value is None else bits.packed
        return Bits(sharing.input_shares(self.endpoint, packed, owner, bits.packed.shape, np.uint8), shape)

    def constant(self, value: Array) -> Share | Bits:
        value = value if self._first else np.zeros_like(value)
        return Bits.pack(value) if value.dtype == bool else Share(value.copy())

    def reveal(self, shares: Sequence[Share | Bits], to: Sequence[int]) -> list[Array | None]:
        return sharing.reveal(self.endpoint, shares, to)

    def view(self, x: Share | Bits, view: View) -> Share | Bits:
        return x.map(view) if isinstance(x, Bits) else x.view(view)

    def concatenate(self, shares: Sequence[Share | Bits], axis: int) -> Share | Bits:
        if isinstance(shares[0], Bits):
            return Bits.pack(np.concatenate([x.unpack() for x in shares if isinstance(x, Bits)], axis))
        return Share(np.concatenate([x.value for x in shares if isinstance(x, Share)], axis))

    def shuffle(self, shares: Sequence[Share]) -> list[Share]:
        return shuffle.shuffle(self.endpoint, self._source, shares)

    def export(self, x: Share | Bits) -> list[Array]:
        """The additive share alone: an opening belongs to this run's masks."""
        return [x.packed if isinstance(x, Bits) else x.value]

    def restore(self, arrays: Sequence[Array], shape: tuple[int, ...], boolean: bool) -> Share | Bits:
        (value,) = arrays
        return Bits(value, shape) if boolean else Share(value)

    def add(self, x: Share, y: Share | Array) -> Share:
        if isinstance(y, Share):
            return Share(np.asarray(np.add(x.value, y.value)))
        value = np.asarray(np.add(x.value, y if self._first else np.zeros_like(y)))
        return Share(value, None if x.known is None else x.known.plus(y))

    def subtract(self, x: Share, y: Share | Array) -> Share:
        if isinstance(y, Share):
            return Share(np.asarray(np.subtract(x.value, y.value)))
        return self.add(x, np.asarray(np.negative(y)))

    def negate(self, x: Share) -> Share:
        return Share(np.asarray(np.negative(x.value)))

    def linear(self, x: Share, name: str, function: Callable[[Array], Array]) -> Share:
        return Share(np.asarray(function(x.value)))

    def bilinear(self, op: Bilinear, x: Share | Array, y: Share | Array) -> Share:
        if isinstance(x, Share) and isinstance(y, Share):
            return multiply.product(self.endpoint, self._source, op, x, y)
        left = x.value if isinstance(x, Share) else x
        right = y.value if isinstance(y, Share) else y
        return Share(np.asarray(op(left, right)))

    def truncate(self, items: Sequence[tuple[Share, int]], opening: Sequence[Share] = ()) -> list[Share]:
        return truncate.truncate(self.endpoint, self._source, items, opening)

    def xor(self, x: Bits, y: Bits | Array) -> Bits:
        if isinstance(y, Bits):
            return boolean.xor(x, y)
        return boolean.xor(x, Bits.pack(y if self._first else np.zeros_like(y)))

    def and_(self, x: Bits, y: Bits | Array) -> Bits:
        if isinstance(y, Bits):
            return boolean.and_(self.endpoint, self._source, x, y)
        return boolean.mask_public(x, y)

    def all(self, x: Bits) -> Bits:
        return conjunction.all_of(self.endpoint, self._source, x)

    # ------------------------------------------------------------------ order

    def open(self, shares: Sequence[Share]) -> None:
        sharing.Opening(self.endpoint, self._source, shares).run("open")

    def is_part(self, x: Share) -> bool:
        return x.is_part

    def at_least(self, x: Share, thresholds: Array, bits: int = 62, opening: Sequence[Share] = ()) -> Bits:
        return compare.at_least(self.endpoint, self._source, x, thresholds, bits, opening)

    def less(self, x: Share, y: Share) -> Bits:
        return compare.less(self.endpoint, self._source, x, y)

    def less_within(self, x: Share, first: View, second: View) -> Bits:
        return compare.less_within(self.endpoint, self._source, x, first, second)

    def equal(self, x: Share, y: Share | Array) -> Bits:
        return compare.equal(self.endpoint, self._source, x, y)

    def floor(self, items: Sequence[tuple[Share, int]]) -> list[Share]:
        """A truncation rounds up where the bits that it drops borrow: all borrows together, and then all of them as words."""
        rounded = self.truncate(items)
        up = compare.borrows(self.endpoint, self._source, items)
        flat = self.to_words(Bits.pack(np.concatenate([b.unpack().ravel() for b in up]))) if up else None
        results, start = [], 0
        for t in rounded:
            assert flat is not None
            words = flat.value[start : start + t.size].reshape(t.shape)
            results.append(self.subtract(t, Share(words)))
            start += t.size
        return results

    # ------------------------------------------------------------------ bits and words, functions

    def to_words(self, x: Bits) -> Share:
        return convert.to_words(self.endpoint, self._source, x)

    def select(self, items: Sequence[tuple[Bits, Share | Array]]) -> list[Share]:
        return convert.select(self.endpoint, self._source, [(b, self._known(x)) for b, x in items])

    def _known(self, x: Share | Array) -> Share:
        """Public words as a share that needs no opening."""
        return x if isinstance(x, Share) else Share(x.copy() if self._first else np.zeros_like(x), Known(x.copy(), ()))

    def one_hot(self, x: Share, size: int) -> Share:
        return convert.one_hot(self.endpoint, self._source, x, size)

    def waves(
        self, x: Share, series: Sequence[Waves], opening: Sequence[Share] = (), compared: tuple[int, int] | None = None
    ) -> list[Share]:
        return curves.waves(self.endpoint, self._source, x, series, opening, compared)

    def exponential(self, x: Share, curve: Exponential) -> Share:
        return curves.exponential(self.endpoint, self._source, x, curve)
