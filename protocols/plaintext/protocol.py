"""A protocol without secrecy: the oracle of the tests, and the place to debug a program's numerics.

Every party holds every value. Words are kept as the ring has them; each result's signed value is checked against the
range that the secret protocols need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import Bilinear, Conv2d, Protocol, View
from mpc.errors import RangeError
from mpc.party import Endpoint

Array = np.ndarray[Any, np.dtype[Any]]
_LIMIT = 2.0**62


@dataclass(eq=False)
class Plain:
    """uint64 or bool values, in the clear."""

    value: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape


def _signed(value: Array) -> Array:
    return value.view(np.int64)


class Plaintext(Protocol):
    """No secrecy at all: every party sees every input. For debugging and as the reference."""

    name = "plaintext"
    min_parties = 1
    max_parties = 64
    secure = False

    def __init__(self, endpoint: Endpoint):
        super().__init__(endpoint)

    def input(self, value: Array | None, owner: int, shape: tuple[int, ...], boolean: bool) -> Plain:
        if self.endpoint.index == owner:
            assert value is not None
            self.endpoint.exchange("input", [value], senders=())
            return Plain(value)
        expected = np.zeros(shape, bool if boolean else np.uint64)
        ((received,),) = self.endpoint.exchange("input", [expected], to=(), senders=[owner])
        return Plain(received)

    def constant(self, value: Array) -> Plain:
        return Plain(value)

    def reveal(self, shares: Sequence[Plain], to: Sequence[int]) -> list[Array | None]:
        return [x.value if self.endpoint.index in to else None for x in shares]

    def view(self, x: Plain, view: View) -> Plain:
        return Plain(view(x.value))

    def concatenate(self, shares: Sequence[Plain], axis: int) -> Plain:
        return Plain(np.concatenate([x.value for x in shares], axis))

    def add(self, x: Plain, y: Plain | Array) -> Plain:
        return self._checked("add", np.add, x, y)

    def negate(self, x: Plain) -> Plain:
        return Plain(np.asarray(np.negative(x.value)))

    def linear(self, x: Plain, name: str, function: Callable[[Array], Array]) -> Plain:
        return self._checked(name, function, x)

    def bilinear(self, op: Bilinear, x: Plain | Array, y: Plain | Array) -> Plain:
        function = _float_conv2d(op) if isinstance(op, Conv2d) else op
        return self._checked(op.name, function, x, y, exact=op)

    def truncate(self, items: Sequence[tuple[Plain, int]], opening: Sequence[Plain] = ()) -> list[Plain]:
        """Round to nearest (halves up)."""
        return [Plain(_round_shift(x.value, bits)) for x, bits in items]

    def xor(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_xor(x.value, _value(y))))

    def and_(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_and(x.value, _value(y))))

    def _checked(self, operation: str, function: Callable[..., Array], *operands: Plain | Array, exact: Any = None) -> Plain:
        """function of the words modulo 2^64, after the same function of floats has shown that the result fits."""
        words = [_value(x) for x in operands]
        estimate = np.asarray(function(*(_signed(w).astype(np.float64) for w in words)))
        largest = float(np.max(np.abs(estimate), initial=0.0))
        if largest >= _LIMIT:
            raise RangeError(
                f"party {self.endpoint.index}, operation '{operation}': a value of {largest:.6g} units in the last place "
                f"leaves the range of 2^62 = {_LIMIT:.6g}. Scale the data down, or use fewer fraction_bits."
            )
        return Plain(np.asarray((exact or function)(*words)))


def _value(x: Plain | Array) -> Array:
    return x.value if isinstance(x, Plain) else x


def _round_shift(words: Array, bits: int) -> Array:
    half = np.uint64(1 << (bits - 1))
    shifted = np.right_shift(_signed(np.asarray(np.add(words, half))), np.int64(bits))
    return np.asarray(shifted).view(np.uint64)


def _float_conv2d(op: Conv2d) -> Callable[[Array, Array], Array]:
    """The largest magnitude that a convolution can reach, by the norms of its operands: an upper bound is enough."""

    def bound(a: Array, b: Array) -> Array:
        axes = tuple(range(1, b.ndim))
        return np.asarray(np.abs(a).max(initial=0.0) * np.abs(b).sum(axis=axes).max(initial=0.0))

    return bound
