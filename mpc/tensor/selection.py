"""Selection by secret booleans and by comparison: where, select, maximum, minimum, relu.

Exact, but for the one truncation of what had more than f fraction bits: less than one unit in the last place. What a
comparison opens serves that truncation and the selection too, so that a fresh product costs no more than an input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY, Index
from mpc.errors import ShapeError
from mpc.fixed import RAW_BOUND
from mpc.tensor import boolean
from mpc.tensor.arithmetic import add, align_all, as_float, lift, subtract
from mpc.tensor.base import Array, Secret, same_program, truncate, unsupported
from mpc.tensor.encoding import encode_like
from mpc.tensor.joining import stack
from mpc.tensor.order import greater_equal
from mpc.tensor.shapes import as_public, broadcast
from mpc.tensor.shaping import broadcast_arrays

S = TypeVar("S", bound=Secret)


def selected(pairs: Any) -> list[Any]:
    """For each (booleans, numbers): the number where the boolean is True, else 0. All in one round.

    Cost: 1 round and 1/8 byte an element, and 8 to open numbers that are neither open nor just truncated.
    """
    numbers = truncate([x for _, x in pairs])
    protocol = numbers[0].context.protocol
    shares = protocol.select([(bits.share, x.share) for (bits, _), x in zip(pairs, numbers, strict=True)])
    return [x.like(share) for x, share in zip(numbers, shares, strict=True)]


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y. Local, if the condition is public.

    Else 1 round and 8.125 bytes an element, which open x - y; 1 round and 1/8 byte, if x and y are public, or x is open and
    y is 0. Of booleans, 1 round and 1/4 byte.
    """
    if not isinstance(condition, Secret):
        return _public_where(as_public(condition, "where").astype(bool), x, y)
    if condition.kind != "bool":
        unsupported("where", "the condition must be boolean; compare it, as with `!= 0`")
    values = [v if isinstance(v, Secret) else as_public(v, "where") for v in (x, y)]
    same_program([condition, *(v for v in values if isinstance(v, Secret))], "where")
    broadcast("where", condition.shape, *(v.shape for v in values))
    if all(v.dtype == np.bool_ for v in values):
        return _boolean_where(condition, *values)
    x, y = _numbers(values)
    if not isinstance(x, Secret) and not isinstance(y, Secret):
        return _where_of_public(condition, x, y)
    if not isinstance(x, Secret):  # the secret one is the one selected
        condition, x, y = boolean.not_(condition), y, x
    check_range(x, y, "where")
    return _plus(selected([(condition, _minus(x, y))])[0], y)


_FEW = 2  # secret conditions for which a `where` after the other takes no more rounds


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """np.select: the choice of the first condition that holds.

    Public conditions only: local. One or two secret ones: a `where` for each. For k of them, all at once: 1 round for each
    factor of 4 in k and 1 for the selection (2 rounds up to 4, 3 up to 16); k^2 / 8 to k^2 / 5 bytes an element for the
    conditions, and 8.125 for each choice as in `where`.
    """
    if len(condlist) != len(choicelist):
        raise ShapeError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    if sum(isinstance(condition, Secret) for condition in condlist) <= _FEW:
        return _one_after_the_other(condlist, choicelist, default)
    firsts = _firsts(condlist)
    choices = [v if isinstance(v, Secret) else as_public(v, "select") for v in (*choicelist, default)]
    if all(v.dtype == np.bool_ for v in choices):
        return _boolean_choice(firsts, choices)
    *choices, rest = _numbers(choices)
    floats = rest.dtype.kind == "f"
    bits = firsts[0]
    model = bits.like(bits.share, "float" if floats else "int", bits.context.fraction_bits if floats else 0)
    differences = [_difference(v, rest) for v in choices]
    truncate([d for d in differences if isinstance(d, Secret)])  # all in one round; each keeps its result
    words = [truncate([d])[0].share if isinstance(d, Secret) else encode_like(model, d, "select") for d in differences]
    pairs = [(first.share, w) for first, w in zip(firsts, words, strict=True)]
    for share in bits.context.protocol.select(pairs):
        rest = _plus(model.like(share), rest)
    return rest


def _one_after_the_other(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        public = not any(isinstance(v, Secret) for v in (condition, choice, result))
        result = np.where(condition, choice, result) if public else where(condition, choice, result)
    return result


def _firsts(conditions: Sequence[Any]) -> list[Any]:
    """Booleans for each condition, in their common shape: whether it holds, and none of those before it."""
    secrets = [c for c in conditions if isinstance(c, Secret)]
    same_program(secrets, "select")
    if any(c.kind != "bool" for c in secrets):
        unsupported("select", "the conditions must be boolean; compare them, as with `!= 0`")
    tensors = [
        c if isinstance(c, Secret) else lift(secrets[0], as_public(c, "select").astype(bool), "select") for c in conditions
    ]
    joined = stack(broadcast_arrays(*tensors))
    k, protocol = len(tensors), joined.context.protocol
    of, at = (a.reshape(k, k, *(1,) * (joined.ndim - 1)) for a in np.indices((k, k)))  # condition `of` counts for choice `at`
    rows = protocol.view(joined.share, Index((of.reshape(k, k),)))
    firsts = joined.like(protocol.all(protocol.or_(protocol.xor(rows, of < at), of > at)))
    return [firsts.viewed(Index((j,))) for j in range(k)]


def _boolean_choice(firsts: Sequence[S], choices: Sequence[Any]) -> S:
    """Of booleans, the last of them the default."""
    *choices, rest = choices
    differences = broadcast_arrays(*(_xor(v, rest) for v in choices), *firsts)[: len(choices)]
    secret = any(isinstance(d, Secret) for d in differences)
    joined: S = stack(broadcast_arrays(*firsts, differences[0])[: len(choices)])
    chosen = boolean.and_(joined, stack(differences) if secret else np.stack(differences))
    for k in range(len(choices)):
        rest = _xor(rest, chosen.viewed(Index((k,))))
    return rest  # type: ignore[no-any-return]


def _xor(x: Any, y: Any) -> Any:
    """x ^ y, either of them secret or none."""
    if not isinstance(x, Secret):
        x, y = y, x
    return boolean.xor(x, y) if isinstance(x, Secret) else np.logical_xor(x, y)


def _difference(x: Any, y: Any) -> Any:
    """x - y, either of them secret or none; x itself where y changes nothing."""
    if isinstance(x, Secret):
        return _minus(x, y)
    return subtract(y, x, swapped=True) if isinstance(y, Secret) else np.asarray(np.subtract(x, y))


def _numbers(values: list[Any]) -> list[Any]:
    """Without booleans among them, and floats all if one is."""
    converted = iter(boolean.as_numbers([v for v in values if isinstance(v, Secret)]))
    values = [next(converted) if isinstance(v, Secret) else v for v in values]
    if any(v.dtype.kind == "f" for v in values):
        values = [as_float(v) if isinstance(v, Secret) else v.astype(np.float64) for v in values]
    return [v if isinstance(v, Secret) or v.dtype != np.bool_ else v.astype(np.int64) for v in values]


def check_range(x: Secret, y: Any, operation: str) -> None:
    """RangeError, which names the operation, for a public y that has no place beside x."""
    f = x.context.fraction_bits
    scale = x.scale if x.scale <= 2 * f else f  # what has more is truncated for a large y
    if not isinstance(y, Secret) and not np.all(np.abs(y.astype(np.float64)) < RAW_BOUND / 2.0**scale):
        encode_like(x.like(x.share, scale=scale), y, operation)


def _minus(x: S, y: Any) -> S:
    """x - y, and x itself where y is public zeros: x may be open, and a difference is not."""
    return x if _changes_nothing(x, y) else subtract(x, y)


def _plus(x: S, y: Any) -> S:
    return x if _changes_nothing(x, y) else add(x, y)


def _changes_nothing(x: Secret, y: Any) -> bool:
    """True for public zeros, of a shape that broadcasts to that of x."""
    return not isinstance(y, Secret) and not y.any() and broadcast("where", x.shape, y.shape) == x.shape


def _boolean_where(condition: S, x: Any, y: Any) -> S:
    """y ^ (condition & (x ^ y))."""
    change = _xor(x, y)
    return boolean.xor(boolean.and_(condition, change), y)


def _where_of_public(condition: S, x: Array, y: Array) -> S:
    """y + condition * (x - y), in words."""
    kind = "float" if "f" in (x.dtype.kind, y.dtype.kind) else "int"
    bits = boolean.as_number(condition)
    model = bits.like(bits.share, kind, bits.context.fraction_bits if kind == "float" else 0)
    x_words, y_words = (encode_like(model, v, "where") for v in (x, y))
    protocol = bits.context.protocol
    return model.like(protocol.add(protocol.bilinear(MULTIPLY, bits.share, np.asarray(x_words - y_words)), y_words))


def _public_where(chosen: Array, x: Any, y: Any) -> Any:
    x, y = align_all([x, y], "where")
    shape = broadcast("where", chosen.shape, x.shape, y.shape)
    protocol = x.context.protocol
    if x.kind == "bool":
        return x.like(protocol.xor(protocol.and_(x.share, chosen), protocol.and_(y.share, ~chosen)))
    ones, rest = (np.broadcast_to(c, shape).astype(np.uint64) for c in (chosen, ~chosen))
    return x.like(protocol.add(protocol.bilinear(MULTIPLY, x.share, ones), protocol.bilinear(MULTIPLY, y.share, rest)))


# ---------------------------------------------------------------------------------------- the larger of two


def maximum(x: Any, y: Any) -> Any:
    """The larger one. 4 rounds and 12.375 bytes an element, a truncation included."""
    return extreme_of_two("maximum", x, y, 1)


def minimum(x: Any, y: Any) -> Any:
    """The smaller one. As `maximum`."""
    return extreme_of_two("minimum", x, y, -1)


def extreme_of_two(operation: str, x: Any, y: Any, sign: int) -> Any:
    """y + (x - y where that has the sign, else 0); x is a secret."""
    x, y = (v if isinstance(v, Secret) else as_public(v, operation) for v in (x, y))
    same_program([v for v in (x, y) if isinstance(v, Secret)], operation)
    if x.dtype == np.bool_ and y.dtype == np.bool_:
        x, y = (x, y) if isinstance(x, Secret) else (y, x)
        return boolean.or_(x, y) if sign > 0 else boolean.and_(x, y)
    x, y = _numbers([x, y])
    if not isinstance(x, Secret):
        x, y = y, x
    if not isinstance(y, Secret) and np.all(-sign * y.astype(np.float64) >= RAW_BOUND / 2.0**x.scale):
        return add(x, np.zeros(y.shape, y.dtype))  # no x is beyond that
    check_range(x, y, operation)
    difference = _minus(x, y)
    bits = greater_equal(difference, 0)
    return _plus(selected([(bits if sign > 0 else boolean.not_(bits), difference)])[0], y)


def relu(x: S) -> S:
    """max(x, 0). 4 rounds and 12.375 bytes an element, for a fresh product too: its truncation is included, within 1 ulp."""
    return maximum(x, 0)  # type: ignore[no-any-return]
