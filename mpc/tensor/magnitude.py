"""Size and sign: abs, sign, copysign, heaviside, clip, isclose. What a function compares, it compares at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.fixed import RAW_BOUND
from mpc.tensor import boolean
from mpc.tensor.arithmetic import add, align_all, as_float, subtract
from mpc.tensor.base import Array, Secret, numeric, truncate
from mpc.tensor.joining import concatenate, stack
from mpc.tensor.multiplication import multiply
from mpc.tensor.order import greater_equal, less, less_equal
from mpc.tensor.selection import check_range, extreme_of_two, relu, selected, where
from mpc.tensor.shapes import as_public, broadcast
from mpc.tensor.shaping import broadcast_arrays, getitem, reshape
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


def copysign(x: Any, y: Any) -> Any:
    """np.copysign: |x| with the sign of y, and that of 0 is +. 4 rounds and 24.625 bytes an element, of secrets.

    With a public x or y 12.375 bytes.
    """
    x, y = (as_float(boolean.as_number(v)) if isinstance(v, Secret) else as_public(v, "copysign") * 1.0 for v in (x, y))
    if not isinstance(x, Secret):
        return where(less(y, 0), -np.abs(x), np.abs(x))
    if isinstance(y, Secret):
        x, y = broadcast_arrays(*truncate([x, y]))
        both = stack([x, y])
        signs = less(both, 0)
        x, change = getitem(both, 0), boolean.xor(getitem(signs, 0), getitem(signs, 1))
    else:
        (x,) = truncate([x])
        change = boolean.xor(less(x, 0), np.signbit(y))
    (turned,) = selected([(change, x)])
    return subtract(x, add(turned, turned))


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
    value = as_public(at_zero, "heaviside")
    check_range(bits.like(bits.share, "float", x.context.fraction_bits), value, "heaviside")
    words = boolean.as_number(bits)
    positive = getitem(words, 1)
    return add(as_float(positive), multiply(subtract(getitem(words, 0), positive), value))


def _not_negative_and_positive(x: S) -> S:
    return at_least(boolean.as_number(x), [0, 0], [False, True])


# ---------------------------------------------------------------------------------------- bounds


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x within bounds, each public, secret or None; where low > high, high. A truncation is included.

    Two public bounds: 4 rounds and 16.75 bytes an element. Two bounds of which one is secret: 5 rounds, 6 for a fresh product;
    25.25 bytes an element, and 12.25 for each pair of bounds. One bound: as `maximum`.
    """
    x, low, high = (v if v is None or isinstance(v, Secret) else as_public(v, "clip") for v in (x, low, high))
    if not isinstance(x, Secret):
        return _one_by_one(x, low, high)
    low = None if low is None or _unlimited(x, low, -1) else low
    high = None if high is None or _unlimited(x, high, 1) else high
    if low is None or high is None or all(v.dtype == np.bool_ for v in (x, low, high)):
        return _one_by_one(x, low, high)
    if isinstance(low, Secret) or isinstance(high, Secret):
        return _between_secrets(x, low, high)
    return _between(x, low, high)


def _one_by_one(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else extreme_of_two("clip", x, low, 1)
    return x if high is None else extreme_of_two("clip", x, high, -1)


def _unlimited(x: Secret, bound: Any, sign: int) -> bool:
    """True if no value that x can have is above the public bound (below it, if the sign is -1), and its shape adds nothing."""
    if isinstance(bound, Secret):
        return False
    everywhere = bool(np.all(sign * bound.astype(np.float64) >= RAW_BOUND / 2.0**x.scale))
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


def _between_secrets(x: S, low: Any, high: Any) -> S:
    """high where x or low is above it, else low where x is below that, else x."""
    broadcast("clip", x.shape, low.shape, high.shape)
    for bound in (low, high):
        check_range(x, bound, "clip")
    truncated = iter(truncate([v for v in (x, low, high) if isinstance(v, Secret)]))
    x, low, high = align_all([next(truncated) if isinstance(v, Secret) else v for v in (x, low, high)], "clip")
    differences = align_all([subtract(x, low), subtract(high, x), subtract(high, low)], "clip")
    joined: S = concatenate([reshape(d, -1) for d in differences], 0, "clip")
    from_low, to_high, ordered = _parted(greater_equal(joined, 0), differences)
    below, within = broadcast_arrays(boolean.not_(from_low), to_high)
    both = boolean.and_(stack([below, within]), ordered)
    distance, rest, _ = _parted(joined, differences)
    less, more = selected([(getitem(both, 0), distance), (boolean.not_(getitem(both, 1)), rest)])
    return add(subtract(x, less), more)


def _parted(joined: S, parts: Sequence[Secret]) -> list[S]:
    """What `concatenate` of flat parts has put together."""
    ends = np.cumsum([part.size for part in parts])
    return [reshape(getitem(joined, slice(int(e) - p.size, int(e))), p.shape) for e, p in zip(ends, parts, strict=True)]


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
