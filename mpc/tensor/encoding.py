"""Public arrays on their way in, and words on their way out: which kind, which scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc import fixed
from mpc.errors import RangeError, UsageError
from mpc.tensor.base import DTYPES, Array, Context, Secret, unsupported

KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float"}


def kind_of(array: Array, operation: str) -> str:
    """The kind of secret that a public array becomes; TypeError for what is no number."""
    kind = KINDS.get(array.dtype.kind)
    if kind is None:
        unsupported(operation, f"an array of dtype {array.dtype} cannot be secret; use booleans, integers or floats")
    return kind


def input_kind(dtype: Any, what: str) -> str:
    """The kind of secret that the public arrays of this dtype become; UsageError for what is no dtype of numbers."""
    try:
        return kind_of(np.empty(0, dtype), what)
    except TypeError as error:
        if isinstance(error, UsageError):
            raise
        unsupported(what, f"dtype={dtype!r} must be float, int or bool")


def encode_input(context: Context, array: Array, what: str) -> tuple[Array, str, int]:
    """(words or booleans, kind, scale) of a private array; RangeError where a value does not fit."""
    if array.dtype == object and array.size and all(isinstance(value, int) for value in array.flat):
        raise RangeError(
            f"{what}: an integer is beyond the range: |value| must be below 2^{fixed.RAW_BITS}. Scale the data down."
        )
    kind = kind_of(array, what)
    if kind == "bool":
        return np.array(array, bool), kind, 0
    if kind == "int":
        return fixed.encode(array, 0, fixed.RAW_BOUND, what), kind, 0
    f = context.fraction_bits
    return fixed.encode(array, f, fixed.input_bound(f), what), kind, f


def encode_like(x: Secret, public: Array, operation: str) -> Array:
    """Words of a public operand at the scale of x; RangeError where they would leave the range."""
    what = f"{x.context.who}, operation '{operation}', public operand"
    return fixed.encode(public, x.scale, fixed.RAW_BOUND / 2.0**x.scale, what)


def decode(values: Array, kind: str, scale: int) -> Any:
    """What a revealed share stands for, in an array of its own; one without axes becomes a NumPy scalar."""
    decoded = values if kind == "bool" else fixed.decode(values, scale)
    return np.array(decoded, DTYPES[kind])[()]
