"""A protocol without secrecy: the oracle of the tests, and the place to debug a program's numerics.

Every party holds every value. Words are kept as the ring has them; each result's signed value is checked against the
range that the secret protocols need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mpc.contract import Bilinear, Exponential, Protocol, View, Waves
from mpc.errors import RangeError
from mpc.party import Endpoint, JointRandom

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
        self._random: JointRandom | None = None

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

    def shuffle(self, shares: Sequence[Plain]) -> list[Plain]:
        if self._random is None:
            self._random = JointRandom(self.endpoint)
        order = self._random.permutation(shares[0].shape[0])
        return [Plain(x.value[order]) for x in shares]

    def export(self, x: Plain) -> list[Array]:
        return [x.value]

    def restore(self, arrays: Sequence[Array], shape: tuple[int, ...], boolean: bool) -> Plain:
        return Plain(arrays[0])

    def add(self, x: Plain, y: Plain | Array) -> Plain:
        return self._checked("add", np.add, x, y)

    def subtract(self, x: Plain, y: Plain | Array) -> Plain:
        return self._checked("subtract", np.subtract, x, y)

    def negate(self, x: Plain) -> Plain:
        return Plain(np.asarray(np.negative(x.value)))

    def linear(self, x: Plain, name: str, function: Callable[[Array], Array]) -> Plain:
        return self._checked(name, function, x)

    def bilinear(self, op: Bilinear, x: Plain | Array, y: Plain | Array) -> Plain:
        return self._checked(op.name, op, x, y)

    def truncate(self, items: Sequence[tuple[Plain, int]], opening: Sequence[Plain] = ()) -> list[Plain]:
        """Round to nearest (halves up)."""
        return [Plain(_round_shift(x.value, bits)) for x, bits in items]

    def xor(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_xor(x.value, _value(y))))

    def and_(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.logical_and(x.value, _value(y))))

    def all(self, x: Plain) -> Plain:
        return Plain(np.asarray(np.all(x.value, axis=0)))

    def at_least(self, x: Plain, thresholds: Array, bits: int = 62, opening: Sequence[Plain] = ()) -> Plain:
        difference = self._checked("at_least", np.subtract, Plain(x.value[None]), thresholds).value
        if _magnitude(difference) >= 1 << bits:
            raise RangeError(f"party {self.endpoint.index}, operation 'at_least': a difference of 2^{bits} or more")
        return Plain(np.asarray(_signed(difference) >= 0))

    def equal(self, x: Plain, y: Plain | Array) -> Plain:
        return Plain(np.asarray(np.equal(x.value, _value(y))))

    def floor(self, items: Sequence[tuple[Plain, int]]) -> list[Plain]:
        return [Plain(np.asarray(np.right_shift(_signed(x.value), np.int64(bits))).view(np.uint64)) for x, bits in items]

    def domain(self, x: Plain, low: int, high: int, operation: str) -> None:
        signed = _signed(x.value)
        for worst in (int(signed.min(initial=high)), int(signed.max(initial=low))):
            if not low <= worst <= high:
                raise RangeError(f"party {self.endpoint.index}, operation '{operation}': {_outside(worst, low, high)}")

    def to_words(self, x: Plain) -> Plain:
        return Plain(x.value.astype(np.uint64))

    def select(self, items: Sequence[tuple[Plain, Plain | Array]]) -> list[Plain]:
        return [Plain(np.asarray(np.where(b.value, _value(x), np.uint64(0)))) for b, x in items]

    def one_hot(self, x: Plain, size: int) -> Plain:
        place = x.value & np.uint64((1 << (size - 1).bit_length()) - 1)
        return Plain((place[..., None] == np.arange(size, dtype=np.uint64)).astype(np.uint64))

    def waves(
        self, x: Plain, series: Sequence[Waves], opening: Sequence[Plain] = (), compared: tuple[int, int] | None = None
    ) -> list[Plain]:
        return [Plain(_waves(_signed(np.asarray(x.value * np.uint64(s.factor))), s)) for s in series]

    def exponential(self, x: Plain, curve: Exponential) -> Plain:
        inside = (_signed(x.value) - curve.low).view(np.uint64) < np.uint64(((1 << curve.width) - 1) << curve.step)
        value = np.where(inside, np.ldexp(_signed(x.value).astype(np.float64), -curve.fraction), 0.0)
        return Plain(_round(np.ldexp(np.exp(value * curve.rate), curve.scale)))

    def _checked(
        self,
        operation: str,
        function: Callable[..., Array],
        *operands: Plain | Array,
    ) -> Plain:
        """function of the words modulo 2^64; RangeError where its true value does not fit.

        The same function of floats tells whether the true value is below 1.5 * 2^62, with an error far below 2^61 (sums
        of magnitudes up to 2^110 keep it so). Then the words are the true value, and they are compared exactly.
        """
        words = [_value(x) for x in operands]
        floats = np.asarray(function(*(_signed(w).astype(np.float64) for w in words)))
        result = np.asarray(function(*words))
        largest = float(np.max(np.abs(floats), initial=0.0))
        if largest >= 1.5 * _LIMIT or _magnitude(result) >= _LIMIT:
            raise RangeError(
                f"party {self.endpoint.index}, operation '{operation}': a value of {largest:.6g} units in the last place "
                f"leaves the range of 2^62 = {_LIMIT:.6g}. Scale the data down, or use fewer fraction_bits."
            )
        return Plain(result)


def _outside(worst: int, low: int, high: int) -> str:
    """Why `worst` is not an input; a domain of 1 alone is that of [x != 0]."""
    if low == high == 1:
        return "an input is 0, where it is not defined; all other inputs are allowed. Replace zeros first, with np.where."
    return (
        f"an input of {worst} units in the last place is outside of the domain from {low} to {high} (units of 2^-fraction_bits, "
        "or less for a sum or a product). Scale the data, or clip it first."
    )


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


def _waves(z: Array, series: Waves) -> Array:
    phase = np.ldexp(np.mod(z, 1 << series.period) if series.period < 63 else z, -series.period) * (2 * np.pi)
    total = sum(
        c * np.cos(k * phase) + s * np.sin(k * phase) for k, (c, s) in enumerate(zip(series.cosines, series.sines, strict=True))
    )
    return _round(np.ldexp(np.broadcast_to(total, z.shape), series.scale))


def _round(values: Array) -> Array:
    return np.asarray(np.rint(values)).astype(np.int64).view(np.uint64)
