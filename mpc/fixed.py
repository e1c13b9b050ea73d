"""Fixed point: real numbers as ring elements, value * 2^scale rounded to nearest (halves to even)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.errors import RangeError

Array = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]

RAW_BITS = 62  # signed ring elements stay below 2^62 in magnitude
RAW_BOUND = 2.0**RAW_BITS
MAX_FRACTION_BITS = 28


def input_bound(fraction_bits: int) -> float:
    """Inputs stay below this, so that a product of an input with a number up to 1 keeps the range of 2^62."""
    return 2.0 ** (RAW_BITS - 2 * fraction_bits)


# ---------------------------------------------------------------------------------------- encoding


def encode(values: Array, scale: int, bound: float, what: str) -> Words:
    """Ring elements of real numbers below `bound` in magnitude; RangeError, which names `what`, for others.

    Floats to half a unit in the last place, 2^-(scale + 1), of their float64; integers and booleans exactly.
    """
    if values.dtype.kind in "iub":
        return _encode_integers(values, scale, bound, what)
    return _encode_floats(_checked(values, bound, what), scale)


def _encode_floats(values: Array, scale: int) -> Words:
    return np.asarray(np.rint(np.ldexp(values, scale))).astype(np.int64).view(np.uint64)


def _encode_integers(values: Array, scale: int, bound: float, what: str) -> Words:
    """No float comes in between, so every integer is exact."""
    extremes = (int(values.min()), int(values.max())) if values.size else (0, 0)
    largest = max(extremes, key=abs)
    if abs(largest) >= bound:
        raise RangeError(_beyond(what, str(largest), bound, "Scale the data down."))
    return np.asarray(np.left_shift(values.astype(np.int64), np.int64(scale))).view(np.uint64)


def _checked(values: Array, bound: float, what: str) -> Array:
    """The values as float64, all of them finite and in the range."""
    with np.errstate(all="ignore"):  # a long double may become infinite: that is found below
        values = values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        bad = "NaN" if np.isnan(values).any() else "infinite"
        raise RangeError(
            f"{what}: {int(values.size - finite.sum())} of {values.size} values are {bad}; every value must be finite and below "
            f"{_power(bound)} in magnitude"
        )
    extremes = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    largest = max(extremes, key=abs)
    if abs(largest) >= bound:
        raise RangeError(_beyond(what, f"{largest:g}", bound, "Scale the data down, or use fewer fraction_bits."))
    return values


def _beyond(what: str, value: str, bound: float, cure: str) -> str:
    return f"{what}: the value {value} is beyond the range: |value| must be below {_power(bound)}. {cure}"


def _power(bound: float) -> str:
    return f"{bound:g} = 2^{math.frexp(bound)[1] - 1}"


def decode(words: Words, scale: int) -> Array:
    """The real numbers (float64) of ring elements; integers (int64) where scale is 0."""
    signed = words.view(np.int64)
    return signed if scale == 0 else np.asarray(np.ldexp(signed.astype(np.float64), -scale))


# ---------------------------------------------------------------------------------------- public factors


def encode_factor(values: Array, norm: float, least: int, fraction_bits: int, what: str) -> tuple[Words, int]:
    """(words, scale) of public factors whose results are sums of at most `norm` times a value.

    The scale is the least, from `least`, that represents all factors exactly, so that a product with whole numbers needs
    no truncation. Where that takes more, it is f for a norm of 1 or more. A smaller norm gets as many bits more as it
    has leading zeros: the largest factor keeps a relative error of at most 2^-f, and the product needs the range that a
    factor of 1 would need.
    """
    values = _checked(values, input_bound(fraction_bits), what)
    leading_zeros = -math.frexp(norm)[1] if 0 < norm < 1 else 0  # norm < 2^-leading_zeros
    rounded = min(fraction_bits + leading_zeros, RAW_BITS - fraction_bits)
    scale = max(least, min(_exact_scale(values), rounded))
    return _encode_floats(values, scale), scale


def _exact_scale(values: Array) -> int:
    """The least scale that represents all of the values exactly."""
    mantissa, exponent = np.frexp(values)
    integers = np.ldexp(mantissa, 53).astype(np.int64)  # value = integer * 2^(exponent - 53)
    zeros = np.frexp((integers & -integers).astype(np.float64))[1] - 1  # trailing zeros
    needed = np.where(integers == 0, 0, 53 - zeros - exponent)
    return max(0, int(np.max(needed, initial=0)))
