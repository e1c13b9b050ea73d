"""The correlations of comparisons: digits of a mask as thermometers, and products of the masks of opened bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract.codec import register
from mpc.ring.digits import planes, row_bytes, thermometers
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.correlations import BitMask, Correlation, Evaluate
from protocols.additive.shares import MaskRef

Array = np.ndarray[Any, np.dtype[Any]]


@register
@dataclass(frozen=True, eq=False)
class Thermometers(Correlation):
    """The low `bits` bits of r in digits of `width` bits, each digit d as the bits [d > j], j = 0 ..
    2^width - 2; and the next bit of r.

    r is the sum of `plus` without `minus`. Bit planes: one row of packed bits for each, over all elements of r.
    """

    plus: MaskRef
    minus: MaskRef | None
    bits: int
    digits: int
    width: int
    nbytes: int
    label = "digits"

    def check(self) -> None:
        shape = self.plus.check()
        if self.minus is not None:
            shape = np.broadcast_shapes(shape, self.minus.check())
        checks.whole("the bits of a comparison", self.bits, 1, 64)
        checks.whole("the width of a digit", self.width, 1, 8)
        checks.whole("the number of digits", self.digits, -(-self.bits // self.width), 64 // self.width)
        checks.same("digits", (row_bytes(math.prod(shape)),), (self.nbytes,))
        checks.size("a comparison", shape)
        checks.size("digits", (self.digits, (1 << self.width) - 1, self.nbytes), 1)

    def specs(self) -> list[ArraySpec]:
        top = [ArraySpec("uint8", (self.nbytes,))] if self.bits < 64 else []
        return [ArraySpec("uint8", (self.digits, (1 << self.width) - 1, self.nbytes)), *top]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        r = evaluate(self.plus)
        if self.minus is not None:
            r = np.asarray(np.subtract(r, evaluate(self.minus)))
        if self.bits == 64:
            return [thermometers(r, self.digits, self.width)]
        low = np.asarray(np.bitwise_and(r, np.uint64((1 << self.bits) - 1)))
        top = np.asarray(np.right_shift(r, np.uint64(self.bits)))
        return [thermometers(low, self.digits, self.width), planes(top, 1)[0]]


@register
@dataclass(frozen=True, eq=False)
class Conjunctions(Correlation):
    """Products of the masks of the bits that `Level` opens: what it needs to multiply up to `radix` bits at once.

    The mask planes of each group are eps_1 .. eps_(R-1); then lambda_0 .. lambda_(R-2) if `less`; then eps_0 if `equal`.
    Dealt are, for sets T of the eps_1 .. eps_(R-1), the products eps_T of two or more, and eps_T times each of the others.
    """

    mask: int
    groups: int
    radix: int
    less: bool
    equal: bool
    nbytes: int
    label = "conjunctions"
    numbered = ("mask",)

    def check(self) -> None:
        checks.number("a bit mask", self.mask)
        checks.whole("the radix of conjunctions", self.radix, 1, 16)
        checks.flag("less", self.less)
        checks.flag("equal", self.equal)
        for part in (self.groups, self.nbytes):
            checks.whole("a size of conjunctions", part, 0, checks.LARGEST)
        checks.size("conjunctions", (max(self.dealt, self.opened), self.groups, self.nbytes), 1)

    @property
    def opened(self) -> int:
        """Bits opened for each group."""
        return (self.radix - 1) * (1 + self.less) + self.equal

    @property
    def dealt(self) -> int:
        """Products dealt for each group."""
        sets = 1 << (self.radix - 1)
        tails = sum((sets >> i) - 1 for i in range(self.radix - 1)) if self.less else 0
        return sets - self.radix + tails + (sets - 1) * self.equal

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint8", (self.dealt, self.groups, self.nbytes))]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        shape = (self.opened, self.groups, self.nbytes)
        masks = bit_mask(self.mask, (math.prod(shape),)).reshape(shape)
        eps, rest = masks[: self.radix - 1], masks[self.radix - 1 :]
        sets = products(eps)
        parts = [sets[t : t + 1] for t in range(len(sets)) if t & (t - 1)]
        for i in range(self.radix - 1 if self.less else 0):
            parts.append(sets[:: 1 << i][1:] & rest[i])
        if self.equal:
            parts.append(sets[1:] & rest[-1])
        return [np.concatenate(parts) if parts else np.zeros((0, *shape[1:]), np.uint8)]


def products(factors: Array) -> Array:
    """The products of all subsets of the rows: row t is that of the rows whose bits are set in t; row 0 is all ones."""
    result = np.full((1, *factors.shape[1:]), 0xFF, np.uint8)
    for factor in factors:
        result = np.concatenate([result, result & factor])
    return result


@register
@dataclass(frozen=True, eq=False)
class Selections(Correlation):
    """beta of a bit mask as words, and its products with the terms of an operand (`correlations.Products` explains "v").

    The bits have a shape of their own, which broadcasts to that of the operand.
    """

    mask: int
    bits: tuple[int, ...]
    shape: tuple[int, ...]
    refs: tuple[MaskRef, ...]
    label = "selections"
    numbered = ("mask",)

    def check(self) -> None:
        checks.number("a bit mask", self.mask)
        checks.size("bits", self.bits)
        checks.size("selections", self.shape)
        for ref in self.refs:
            checks.same("selections", np.broadcast_shapes(ref.check(), self.bits), self.shape)

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", self.bits), *(ArraySpec(ref.dtype, self.shape) for ref in self.refs)]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        size = math.prod(self.bits)
        packed = bit_mask(self.mask, ((size + 7) // 8,))
        beta = np.unpackbits(packed, count=size, bitorder="little").reshape(self.bits)
        dealt = [beta.astype(np.uint64)]
        for ref in self.refs:
            dealt.append(np.asarray(np.multiply(evaluate(ref).astype(ref.dtype, copy=False), beta.astype(ref.dtype))))
        return dealt
