"""Correlated randomness: what each correlation is. The parties ask for one by name; whoever deals evaluates `deal`.

Each class says which arrays come out (`specs`) and how to compute them from the masks (`deal`). The results are shared
additively modulo 2^64, 2^32, 2^16 (by their dtype), or by XOR for uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mpc.contract import Bilinear
from mpc.contract.codec import register
from mpc.errors import FrameError
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.shares import MaskRef, narrow

Array = np.ndarray[Any, np.dtype[Any]]
Evaluate = Callable[[MaskRef], Array]
BitMask = Callable[[int, tuple[int, ...]], Array]


class Correlation:
    """What the parties ask for by name: which arrays come out, and how to compute them from the masks."""

    label: ClassVar[str]

    @property
    def slack(self) -> int:
        """By how much words may differ that two machines deal: not at all, but where they are rounded from floats."""
        return 0

    def check(self) -> None:
        """FrameError where the fields are not what a party of this protocol asks for."""
        raise NotImplementedError

    def specs(self) -> list[ArraySpec]:
        raise NotImplementedError

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        raise NotImplementedError


@register
@dataclass(frozen=True, eq=False)
class Products(Correlation):
    """[rho * sigma] for each pair of terms of two opened operands. A "v" stands for v * 2^(64 - bits), so products with
    one are needed modulo a smaller power of two only: see `shift`."""

    op: Bilinear
    pairs: tuple[tuple[MaskRef, MaskRef], ...]
    shape: tuple[int, ...]
    label = "products"

    def check(self) -> None:
        if not isinstance(self.op, Bilinear) or type(self.pairs) is not tuple:
            raise FrameError("products of no bilinear map, or of no pairs")
        for left, right in self.pairs:
            a, b = left.check(), right.check()
            checks.same("products", self.op.shape(a, b), self.shape)
            for made in self.op.scratch(a, b):
                checks.size("an array on the way to products", made)
            checks.whole("the shift of a product", shift((left, right)), 0, 63)
        checks.size("products", self.shape)

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec(product_dtype(pair), self.shape) for pair in self.pairs]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        return [self._product(pair, evaluate) for pair in self.pairs]

    def _product(self, pair: tuple[MaskRef, MaskRef], evaluate: Evaluate) -> Array:
        rho, sigma = pair
        product = self.op(evaluate(rho), evaluate(sigma))
        return np.asarray(product).astype(product_dtype(pair), copy=False)


def shift(pair: tuple[MaskRef, MaskRef]) -> int:
    """s, where the dealt product stands for itself times 2^s. From 64 on it is 0 modulo 2^64, and not asked for."""
    left, right = pair
    return (64 - left.bits if left.part == "v" else 0) + (64 - right.bits if right.part == "v" else 0)


def product_dtype(pair: tuple[MaskRef, MaskRef]) -> str:
    return narrow(64 - shift(pair))


@register
@dataclass(frozen=True, eq=False)
class Truncation(Correlation):
    """u = r >> bits, and v = the top bit of r, modulo 2^bits."""

    ref: MaskRef
    bits: int
    shape: tuple[int, ...]
    label = "truncation"

    def check(self) -> None:
        checks.same("a truncation", self.ref.check(), self.shape)
        checks.whole("the bits of a truncation", self.bits, 1, 62)
        checks.size("a truncation", self.shape)

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", self.shape), ArraySpec(narrow(self.bits), self.shape)]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        r = evaluate(self.ref)
        return [np.asarray(r >> np.uint64(self.bits)), np.asarray(r >> np.uint64(63)).astype(narrow(self.bits))]


@register
@dataclass(frozen=True, eq=False)
class And(Correlation):
    """a & b of two bit masks, packed."""

    a: int
    b: int
    nbytes: int
    label = "and"
    numbered = ("a", "b")

    def check(self) -> None:
        checks.number("a bit mask", self.a)
        checks.number("a bit mask", self.b)
        checks.size("a bit mask", (self.nbytes,), 1)

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint8", (self.nbytes,))]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        return [bit_mask(self.a, (self.nbytes,)) & bit_mask(self.b, (self.nbytes,))]
