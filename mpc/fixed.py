"""Fixed point: real numbers as ring elements, value * 2^scale rounded to nearest (halves to even)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.errors import RangeError

Array = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]

RAW_BITS = 62  # signed ring elements stay below 2^62 in magnitude
MAX_FRACTION_BITS = 28


def input_bound(fraction_bits: int) -> float:
    """Inputs stay below this, so that a product of an input with a number up to 1 keeps the range of 2^62."""
    return 2.0 ** (RAW_BITS - 2 * fraction_bits)


def encode(values: Array, scale: int, bound: float, what: str) -> Words:
    """Ring elements of real numbers below `bound` in magnitude; RangeError, which names `what`, for others.

    Exact to half a unit in the last place, 2^-(scale + 1).
    """
    values = np.asarray(values)
    if values.dtype.kind in "iub":
        return encode_integers(values, scale, bound, what)
    values = values.astype(np.float64)
    _check(values, bound, what)
    return np.asarray(np.rint(np.ldexp(values, scale))).astype(np.int64).view(np.uint64)


def encode_integers(values: Array, scale: int, bound: float, what: str) -> Words:
    """The same for integers; no float comes in between, so all of them are exact."""
    if values.dtype.kind == "u" and values.size and int(values.max()) >= bound:
        raise RangeError(f"{what}: the value {int(values.max())} is beyond the range: |value| must be below {bound:g}")
    words = values.astype(np.int64)
    if words.size and max(int(words.max()), -int(words.min())) >= bound:
        largest = max(int(words.max()), int(words.min()), key=abs)
        raise RangeError(f"{what}: the value {largest} is beyond the range: |value| must be below {bound:g}")
    return np.asarray(np.left_shift(words, np.int64(scale))).view(np.uint64)


def decode(words: Words, scale: int) -> Array:
    """The real numbers (float64) of ring elements; integers (int64) where scale is 0."""
    signed = words.view(np.int64)
    return signed if scale == 0 else np.asarray(np.ldexp(signed.astype(np.float64), -scale))


def _check(values: Array, bound: float, what: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        bad = "NaN" if np.isnan(values).any() else "infinite"
        raise RangeError(
            f"{what}: {int(values.size - finite.sum())} of {values.size} values are {bad}; every value must be finite and below "
            f"{bound:g} in magnitude"
        )
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest >= bound:
        raise RangeError(
            f"{what}: the value {largest:g} is beyond the range: |value| must be below {bound:g}. Scale the data down, or "
            "use fewer fraction_bits."
        )


def factor_scale(norm: float, fraction_bits: int) -> int:
    """The scale for a public factor whose results are sums of at most `norm` times a value.

    Factors up to 1 get more bits than `fraction_bits`, so that 1/1000 is as precise as 1, and the product stays in the
    range that a factor of 1 would need.
    """
    if norm <= 0 or norm >= 1:
        return fraction_bits
    extra = -math.frexp(norm)[1]  # norm < 2^-extra
    return min(fraction_bits + extra, RAW_BITS - fraction_bits)
