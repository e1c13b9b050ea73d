"""Size and sign: abs, sign, heaviside, clip, isclose. Each compares a number with public bounds, from one opening."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from mpc.fixed import RAW_BOUND
from mpc.tensor import boolean
from mpc.tensor.arithmetic import add, as_float, subtract
from mpc.tensor.base import Array, Secret, numeric, truncate
from mpc.tensor.joining import stack
from mpc.tensor.multiplication import multiply
from mpc.tensor.order import less_equal
from mpc.tensor.selection import check_range, extreme_of_two, relu, selected
from mpc.tensor.shapes import as_public, broadcast
from mpc.tensor.shaping import broadcast_arrays, getitem
from mpc.tensor.thresholds import at_least, spread

S = TypeVar("S", bound=Secret)


def absolute(x: S) -> S:
    """|x|. 4 rounds and 12.375 bytes an element, a truncation included."""
    if x.kind == "bool":
        return x
    positive = relu(x)
    return subtract(add(positive, positive), truncate([x])[0])


def sign(x: S) -> S:
    """-1, 0 or 1; exact also for products that are not truncated yet. 4 rounds and 16.75 bytes an element."""
    numeric(x, "sign")
    bits = boolean.as_number(_not_negative_and_positive(x))
    result = subtract(add(getitem(bits, 0), getitem(bits, 1)), 1)
    return as_float(result) if x.kind == "float" else result


def heaviside(x: Any, at_zero: Any) -> Any:
    """np.heaviside: 0 for negative x, 1 for positive x, else `at_zero`. 4 rounds and 16.75 bytes an element.

    A secret `at_zero` takes 1 round and 8.125 bytes more.
    """
    if not isinstance(x, Secret):
        return add(multiply(at_zero, (np.asarray(x) == 0).astype(np.int64)), (np.asarray(x) > 0).astype(np.float64))
    bits = _not_negative_and_positive(x)
    if isinstance(at_zero, Secret):
        positive, zero = as_float(boolean.as_number(getitem(bits, 1))), boolean.xor(getitem(bits, 0), getitem(bits, 1))
        return add(positive, multiply(zero, at_zero))
    words = boolean.as_number(bits)
    positive = getitem(words, 1)
    return add(as_float(positive), multiply(subtract(getitem(words, 0), positive), as_public(at_zero, "heaviside")))


def _not_negative_and_positive(x: S) -> S:
    return at_least(boolean.as_number(x), [0, 0], [False, True])


# ---------------------------------------------------------------------------------------- bounds


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x within bounds, each public, secret or None; where low > high, high. A truncation is included.

    Two public bounds: 4 rounds and 16.75 bytes an element. Else as `maximum`, for each bound.
    """
    public = [None if b is None or isinstance(b, Secret) else as_public(b, "clip") for b in (low, high)]
    if not isinstance(x, Secret) or any(isinstance(b, Secret) for b in (low, high)):
        return _one_by_one(as_public(x, "clip") if not isinstance(x, Secret) else x, low, high)
    low, high = (None if b is None or _unlimited(x, b * s) else b for b, s in zip(public, (-1, 1), strict=True))
    if low is None or high is None:
        return _one_by_one(x, low, high)
    return _between(x, low, high)


def _one_by_one(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else extreme_of_two("clip", x, low, 1)
    return x if high is None else extreme_of_two("clip", x, high, -1)


def _unlimited(x: Secret, bound: Array) -> bool:
    """True if no value that x can have is above the bound, and its shape adds nothing."""
    everywhere = bool(np.all(bound.astype(np.float64) >= RAW_BOUND / 2.0**x.scale))
    return everywhere and broadcast("clip", x.shape, bound.shape) == x.shape


def _between(x: S, low: Array, high: Array) -> S:
    """low + relu(x - low) - relu(x - high)."""
    x = boolean.as_number(x)
    if "f" in (low.dtype.kind, high.dtype.kind):
        x = as_float(x)
    for bound in (low, high):
        check_range(x, bound, "clip")
    x = spread(x, broadcast("clip", x.shape, low.shape, high.shape))
    low = np.minimum(low, high)
    if x.kind == "float":  # as they are encoded below, so that no rounding leads out of the bounds
        f = x.context.fraction_bits
        low, high = (np.ldexp(np.rint(np.ldexp(b.astype(np.float64), f)), -f) for b in (low, high))
    bits = at_least(x, [low, high], [False, False], "clip")
    (x,) = truncate([x])
    above = selected([(getitem(bits, 0), subtract(x, low)), (getitem(bits, 1), subtract(x, high))])
    return add(subtract(above[0], above[1]), low)  # type: ignore[no-any-return]


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08) -> Any:
    """|a - b| <= atol + rtol |b|. A public b: 3 rounds and 16.5 bytes an element; a secret one: 8 rounds."""
    if isinstance(b, Secret):
        distance, b = broadcast_arrays(subtract(as_float(boolean.as_number(b)), a), b)
        sizes = absolute(stack([distance, b]))
        return less_equal(getitem(sizes, 0), add(multiply(getitem(sizes, 1), rtol), atol))
    center = as_public(b, "isclose").astype(np.float64)
    with np.errstate(invalid="ignore"):
        tolerance = atol + rtol * np.abs(center)
        low, high = center - tolerance, center + tolerance
    bits = at_least(boolean.as_number(a), [low, high], [False, True], "isclose")
    return boolean.and_(boolean.xor(getitem(bits, 0), getitem(bits, 1)), np.isfinite(center))
