"""A protocol without secrecy: the oracle of the tests, and the place to debug a program's numerics.

Every party holds every value. Words are kept as the ring has them; each result's signed value is checked against the
range that the secret protocols need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mpc.contract import Bilinear, Conv2d, Protocol, View
from mpc.errors import RangeError
from mpc.party import Endpoint

Array = np.ndarray[Any, np.dtype[Any]]
_LIMIT = 1 << 62


@dataclass(eq=False)
class Plain:
    """uint64 or bool values, in the clear. The array is read-only."""

    value: Array = field(repr=False)  # a program shows no more of a secret here than on a secure protocol

    def __post_init__(self) -> None:
        self.value.flags.writeable = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)


class Plaintext(Protocol):
    """No secrecy at all: every party sees every input. For debugging and as the reference.

    Sums and products whose value reaches 2^62 in magnitude raise RangeError; truncation rounds to nearest.
    """

    name = "plaintext"
    min_parties = 1
    max_parties = 64
    secure = False

    def __init__(self, endpoint: Endpoint):
        super().__init__(endpoint)

    def input(self, value: Array | None, owner: int, shape: tuple[int, ...], boolean: bool) -> Plain:
        if self.endpoint.index == owner:
            assert value is not None
            value = value.copy()
            self.endpoint.exchange("input", [value], senders=())
            return Plain(value)
        expected = np.zeros(shape, bool if boolean else np.uint64)
        ((received,),) = self.endpoint.exchange("input", [expected], to=(), senders=[owner])
        return Plain(received)

    def constant(self, value: Array) -> Plain:
        return Plain(value.copy())

    def reveal(self, shares: Sequence[Plain], to: Sequence[int]) -> list[Array | None]:
        return [x.value.copy() if self.endpoint.index in to else None for x in shares]

    def view(self, x: Plain, view: View) -> Plain:
        return Plain(view(x.value))

    def concatenate(self, shares: Sequence[Plain], axis: int) -> Plain:
        return Plain(np.concatenate([x.value for x in shares], axis))

    def add(self, x: Plain, y: Plain | Array) -> Plain:
        return self._checked("add", np.add, x, y)

    def subtract(self, x: Plain, y: Plain | Array) -> Plain:
        return self._checked("subtract", np.subtract, x, y)

    def negate(self, x: Plain) -> Plain:
        return Plain(np.asarray(np.negative(x.value)))

    def linear(self, x: Plain, name: str, function: Callable[[Array], Array]) -> Plain:
        return self._checked(name, function, x)

    def bilinear(self, op: Bilinear, x: Plain | Array, y: Plain | Array) -> Plain:
        return self._checked(op.name, op, x, y, estimate=_float_conv2d(op) if isinstance(op, Conv2d) else op)

    def truncate(self, items: Sequence[tuple[Plain, int]], opening: Sequence[Plain] = ()) -> list[Plain]:
        """Round to nearest (halves up)."""
        return [Plain(_round_shift(x.value, bits)) for x, bits in items]

    def xor(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_xor(x.value, _value(y))))

    def and_(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_and(x.value, _value(y))))

    def _checked(
        self,
        operation: str,
        function: Callable[..., Array],
        *operands: Plain | Array,
        estimate: Callable[..., Array] | None = None,
    ) -> Plain:
        """function of the words modulo 2^64; RangeError where its true value does not fit.

        The same function of floats tells whether the true value is below 1.5 * 2^62, with an error far below 2^61 (sums
        of magnitudes up to 2^110 keep it so). Then the words are the true value, and they are compared exactly.
        """
        words = [_value(x) for x in operands]
        floats = np.asarray((estimate or function)(*(_signed(w).astype(np.float64) for w in words)))
        result = np.asarray(function(*words))
        largest = float(np.max(np.abs(floats), initial=0.0))
        if largest >= 1.5 * _LIMIT or _magnitude(result) >= _LIMIT:
            raise RangeError(
                f"party {self.endpoint.index}, operation '{operation}': a value of {largest:.6g} units in the last place "
                f"leaves the range of 2^62 = {_LIMIT:.6g}. Scale the data down, or use fewer fraction_bits."
            )
        return Plain(result)


def _value(x: Plain | Array) -> Array:
    return x.value if isinstance(x, Plain) else x


def _signed(words: Array) -> Array:
    return words.view(np.int64)


def _magnitude(words: Array) -> int:
    signed = _signed(words)
    return max(int(signed.max(initial=0)), -int(signed.min(initial=0)))


def _round_shift(words: Array, bits: int) -> Array:
    half = np.uint64((1 << bits) >> 1)
    shifted = np.right_shift(_signed(np.asarray(np.add(words, half))), np.int64(bits))
    return np.asarray(shifted).view(np.uint64)


def _float_conv2d(op: Conv2d) -> Callable[[Array, Array], Array]:
    """The convolution of floats, to estimate what the one of words gives."""

    def convolve(images: Array, filters: Array) -> Array:
        if not np.prod(op.shape(images.shape, filters.shape), dtype=np.int64):
            return np.zeros(0)
        (top, left), (down, right) = op.padding, op.stride
        padded = np.pad(images, ((0, 0), (0, 0), (top, top), (left, left)))
        reach = tuple((k - 1) * d + 1 for k, d in zip(filters.shape[2:], op.dilation, strict=True))
        windows = sliding_window_view(padded, reach, axis=(2, 3))
        windows = windows[:, :, ::down, ::right, :: op.dilation[0], :: op.dilation[1]]
        n, _, height, width = windows.shape[:4]
        grouped = windows.reshape(n, op.groups, -1, height, width, *filters.shape[2:])
        by_group = filters.reshape(op.groups, -1, *filters.shape[1:])
        return np.asarray(np.einsum("ngchwij,gocij->ngohw", grouped, by_group, optimize=True))

    return convolve
