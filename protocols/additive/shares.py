"""What one party holds of a secret, and what is public about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from mpc.contract import BroadcastTo, View, chain
from mpc.contract.codec import register
from mpc.errors import FrameError
from mpc.ring import bits as packing
from mpc.ring.digits import row_bytes
from protocols.additive import checks

Array = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]


V = TypeVar("V", "Known", "MaskRef")


def narrow(bits: int) -> str:
    """The narrowest dtype in which values modulo 2^bits are dealt."""
    return "uint16" if bits <= 16 else "uint32" if bits <= 32 else "uint64"


@register
@dataclass(frozen=True, eq=False)
class MaskRef:
    """The name of an array that the dealer knows: a mask r, or a part of r, seen through views.

    part "r" is the mask itself, "u" is r >> bits, "v" is the top bit of r, which stands for r63 * 2^(64 - bits).
    """

    number: int
    shape: tuple[int, ...]
    part: Literal["r", "u", "v"] = "r"
    bits: int = 0
    views: tuple[View, ...] = ()
    numbered: ClassVar = ("number",)

    def view(self, view: View) -> MaskRef:
        return MaskRef(self.number, self.shape, self.part, self.bits, chain(self.views, view, self.shape))

    def check(self) -> tuple[int, ...]:
        """The shape of what this names; FrameError where it names no mask, or a view of one that is too large."""
        checks.number("the number of a mask", self.number)
        checks.size("a mask", self.shape)
        if self.part not in ("r", "u", "v") or type(self.views) is not tuple or not all(isinstance(v, View) for v in self.views):
            raise FrameError(f"part {self.part!r} of a mask, or its views, do not exist")
        checks.whole("the bits of a part of a mask", self.bits, 0 if self.part == "r" else 1, 62)
        shape = self.shape
        for view in self.views:
            shape = checks.seen(shape, view)
            checks.size("a view of a mask", shape)
        return shape

    @property
    def dtype(self) -> str:
        """In which multiples of this array are dealt: those of a "v" are needed modulo 2^bits only."""
        return narrow(self.bits) if self.part == "v" else "uint64"


@dataclass(frozen=True, eq=False)
class Term:
    """coefficient * rho, where the coefficient is public (None means -1) and rho is known to the dealer alone."""

    coefficient: Words | None
    ref: MaskRef

    def view(self, view: View) -> Term:
        return Term(None if self.coefficient is None else view(self.coefficient), self.ref.view(view))


@dataclass(frozen=True, eq=False)
class Known:
    """x = public + sum of terms: after an opening x = m - r, after a truncation t = P - u + (1 - m63) v."""

    public: Words
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        self.public.flags.writeable = False

    @property
    def opened(self) -> bool:
        """True if x itself was opened under one mask, so that sums of products need no more."""
        return len(self.terms) == 1 and self.terms[0].ref.part == "r"

    def view(self, view: View) -> Known:
        return Known(view(self.public), tuple(term.view(view) for term in self.terms))

    def plus(self, public: Words) -> Known:
        """x + public, which is open as m + public, under the same mask."""
        total = np.asarray(np.add(self.public, public))
        terms = self.terms if total.shape == self.public.shape else self.view(BroadcastTo(total.shape)).terms
        return Known(total, terms)


class Share:
    """An additive share of words: the secret is the sum of all parties' `value` modulo 2^64. Immutable, but for `known`,
    which is set when the secret, or that of which it is a view, is opened, and is the same at every party.

    The value may be a function that makes it, of that `shape`: it is called when the value is first asked for.
    """

    def __init__(
        self,
        value: Words | Callable[[], Words],
        known: Known | None = None,
        base: Share | None = None,
        views: tuple[View, ...] = (),
        shape: tuple[int, ...] | None = None,
    ):
        self._value, self._known = value, known
        self.shape: tuple[int, ...] = value.shape if isinstance(value, np.ndarray) else shape  # type: ignore[assignment]
        self._base, self._views = base, views  # a view of something that was not open then
        self.announced: dict[tuple[int, int], Any] = {}  # comparisons to come, by thresholds and bits
        self._rented = 0  # elements of its views that were opened by themselves
        if isinstance(value, np.ndarray):
            value.flags.writeable = False

    @property
    def value(self) -> Words:
        if not isinstance(self._value, np.ndarray):
            self._value = self._value()
            self._value.flags.writeable = False
        return self._value

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def known(self) -> Known | None:
        if self._base is not None and self._base.opened:
            assert self._base.known is not None
            self.known = self.seen(self._base.known)
        return self._known

    @known.setter
    def known(self, known: Known) -> None:
        self._known = known
        if known.opened:
            self._base = None

    @property
    def opened(self) -> bool:
        return self.known is not None and self.known.opened

    def view(self, view: View) -> Share:
        known = self.known
        if known is not None and known.opened:
            return Share(view(self.value), known.view(view))
        base = self if self._base is None else self._base
        views = chain(self._views if base is not self else (), view, base.shape)
        return Share(view(self.value), None if known is None else known.view(view), base, views)

    def seen(self, base: V) -> V:
        """What this is a view of, or something that belongs to that, as this view shows it."""
        for view in self._views:
            base = base.view(view)
        return base

    def to_open(self, opening: Collection[Share]) -> Share:
        """This, or what it is a view of: if that is among those opened now, or no larger, or if its views, opened one by one,
        would by now have cost more. (So a data set of which batches are used is opened at most twice, not in each epoch.)"""
        base = self._base
        if base is None:
            return self
        if base in opening or base._rented + self.size > base.size or self.size >= base.size:
            return base
        base._rented += self.size
        return self

    @property
    def is_part(self) -> bool:
        """Whether this is a view of something larger, and neither is open."""
        return not self.opened and self._base is not None and self._base.size > self.size

    def is_view_of(self, other: Share) -> bool:
        return self._base is other

    def __repr__(self) -> str:
        return f"Share(<secret>, shape={self.shape})"


@dataclass(eq=False)
class Bits:
    """An XOR share of bits, packed eight to a byte in C order: the secret is the XOR of all parties' `packed`."""

    packed: Bytes
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self.packed.flags.writeable = False

    @classmethod
    def pack(cls, values: Array) -> Bits:
        return cls(packing.pack(values), values.shape)

    def unpack(self) -> Array:
        return packing.unpack(self.packed, self.shape)

    def map(self, function: Callable[[Array], Array]) -> Bits:
        return Bits.pack(function(self.unpack()))

    def rows(self) -> Array:
        """The bits with each row of the first axis packed by itself: shape (rows, row_bytes of a row)."""
        count, size = self.shape[0], math.prod(self.shape[1:])
        rows = np.zeros((count, row_bytes(size)), np.uint8)
        packed = self.packed if size % 8 == 0 else np.packbits(self.unpack().reshape(count, size), axis=1, bitorder="little")
        rows[:, : (size + 7) // 8] = packed.reshape(count, (size + 7) // 8)
        return rows

    @classmethod
    def from_rows(cls, rows: Array, shape: tuple[int, ...]) -> Bits:
        """The inverse of `rows`, for bits of that shape."""
        size = math.prod(shape) // max(1, len(rows))
        rows = rows[:, : (size + 7) // 8]
        if size % 8 == 0 or len(rows) == 1:
            return cls(np.ascontiguousarray(rows).reshape(-1), shape)
        return cls.pack(np.unpackbits(rows, axis=1, count=size, bitorder="little").view(np.bool_).reshape(shape))

    def __repr__(self) -> str:
        return f"Bits(<secret>, shape={self.shape})"
