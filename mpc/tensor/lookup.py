"""Elements by secret index: one-hot words of the index, and a product with the table.

An index is an integer from 0 to n - 1 for n entries; what is below or beyond counts modulo the power of two from n on, and
where that is n or more, gives 0. (So for n a power of two -1 is the last entry, as in NumPy; for others it is not.) The
plaintext protocol raises RangeError for an index outside. Nobody learns which entries are read.
"""

from __future__ import annotations

import math
import operator
from typing import Any, TypeVar

import numpy as np

from mpc import fixed
from mpc.contract import MATMUL
from mpc.errors import IndexingError, OptionError, RangeError
from mpc.tensor import shaping
from mpc.tensor.base import Array, Secret, numeric, unsupported
from mpc.tensor.joining import stack
from mpc.tensor.multiplication import matmul
from mpc.tensor.shapes import as_numpy, as_public, axis_index
from mpc.tensor.shaping import expand_dims, moveaxis, reshape, squeeze

S = TypeVar("S", bound=Secret)


def one_hot(x: S, size: int) -> S:
    """Integers 0 and 1 of shape (*x.shape, size): 1 at the place that x says. x holds integers from 0 to size - 1.

    Cost: 1 round and 8 bytes an element of x; none, if x is open. Dealt: `size` words an element, up to the next power of two.
    """
    return _one_hot(x, size, "one_hot")


def _one_hot(x: S, size: int, operation: str) -> S:
    size = as_numpy(operation, operator.index, size)
    if size < 1:
        raise OptionError(f"{operation}: size={size} must be 1 or more")
    if x.kind != "int":
        unsupported(operation, f"indices must be integers, not {x.dtype}; convert them with astype(int)")
    try:
        x.context.protocol.domain(x.share, 0, size - 1, operation)
    except RangeError:
        raise RangeError(
            f"{x.context.who}, operation '{operation}': an index is outside of 0 to {size - 1}, the places of {size} entries. "
            "Bring indices into range first, as with np.clip or %."
        ) from None
    return x.like(x.context.protocol.one_hot(x.share, size))


def take(table: Any, indices: S, axis: int | None = None, operation: str = "take") -> S:
    """np.take by secret indices: entries of the flattened table, or slices along an axis. The table is public or secret.

    Public indices of a secret table are np.take itself, and local.

    Cost: 1 round and 8 bytes an index, if the table is public. Else 2 rounds: the second opens n words for each index into
    n entries, and the table, 8 bytes each; a table that is open already, or was used before, costs nothing.
    """
    if not isinstance(indices, Secret):
        return shaping.take(table, indices, axis)
    table = table if isinstance(table, Secret) else as_public(table, operation)
    if axis is None:
        table, axis = _flat(table), 0
    place = axis_index(operation, axis, len(table.shape))
    n, rest = table.shape[place], tuple(size for k, size in enumerate(table.shape) if k != place)
    if n == 0:
        raise RangeError(f"{operation}: no entries along axis {axis} of a table of shape {table.shape}")
    rows = (reshape if isinstance(table, Secret) else np.reshape)(_moved(table, place, 0), (n, math.prod(rest)))
    chosen = _product(_one_hot(reshape(indices, -1), n, operation), rows, operation)
    result = reshape(chosen, (*indices.shape, *rest))
    return moveaxis(result, range(indices.ndim), range(place, place + indices.ndim))


def take_any(table: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """By secret indices, or by public ones of a secret table."""
    if not isinstance(indices, Secret):
        return shaping.take(table, indices, axis, mode)
    if mode != "raise":
        unsupported("np.take", f"mode={mode!r} is not available for secret indices; bring them into range first")
    return take(table, indices, axis)


def item(x: S, index: S) -> S:
    """x[index] for a secret index: entries along the first axis. As `take`."""
    if index.kind == "bool":
        unsupported("indexing", "how many elements a secret mask chooses would be public; select them with np.where")
    if not x.ndim:
        raise IndexingError("indexing: too many indices for a tensor without axes")
    return take(x, index, 0, "indexing")


def take_along_axis(table: Any, indices: S, axis: int | None = -1) -> S:
    """np.take_along_axis by secret indices; costs as `take`, with the table's slices as tables of their own."""
    table = table if isinstance(table, Secret) else as_public(table, "take_along_axis")
    if axis is None:
        table, axis = _flat(table), 0
    if len(table.shape) != indices.ndim:
        unsupported("take_along_axis", f"indices of {indices.ndim} axes for a table of {len(table.shape)}")
    place = axis_index("take_along_axis", axis, indices.ndim)
    hot = _one_hot(moveaxis(indices, place, -1), table.shape[place], "take_along_axis")
    moved = _moved(table, place, -1)
    columns = expand_dims(moved, -1) if isinstance(moved, Secret) else moved[..., None]
    return moveaxis(squeeze(_product(hot, columns, "take_along_axis"), -1), -1, place)


def choose(index: Any, choices: Any, mode: str = "raise") -> Any:
    """np.choose: the element of choices[index] at each place. Costs as `take_along_axis`; local for a public index."""
    if mode != "raise":
        unsupported("np.choose", f"mode={mode!r} is not available; bring the indices into range first")
    index = index if isinstance(index, Secret) else as_public(index, "choose")
    values: list[Any] = [v if isinstance(v, Secret) else as_public(v, "choose") for v in choices]
    if not values or any(v.dtype == np.bool_ for v in values):
        unsupported("np.choose", "the choices must be a list of numbers, not booleans; select those with np.where")
    index, *values = shaping.broadcast_arrays(index, *values)
    table: Any = stack(values, -1) if any(isinstance(v, Secret) for v in values) else np.stack(values, -1)
    if not isinstance(index, Secret):
        return squeeze(shaping.take_along_axis(table, index[..., None], -1), -1)
    places: Any = expand_dims(index, -1)
    return squeeze(take_along_axis(table, places), -1)


def _flat(table: Any) -> Any:
    return reshape(table, -1) if isinstance(table, Secret) else table.ravel()


def _moved(table: Any, source: int, destination: int) -> Any:
    return (moveaxis if isinstance(table, Secret) else np.moveaxis)(table, source, destination)


def _product(hot: S, table: Any, operation: str) -> S:
    """hot @ table, at the scale of the table: f for public floats, so that the entry is encoded as an input is."""
    if isinstance(table, Secret):
        numeric(table, operation)
        return matmul(hot, table)
    return hot.like(*public_product(hot, table, operation))


def public_product(hot: Secret, table: Array, operation: str) -> tuple[Any, str, int]:
    """(share, kind, scale) of hot @ table for a public table, whose entries are encoded to f fraction bits."""
    context = hot.context
    kind = "float" if table.dtype.kind == "f" else "int"
    scale = context.fraction_bits if kind == "float" else 0
    words = fixed.encode(table, scale, fixed.RAW_BOUND / 2.0**scale, f"{context.who}, operation '{operation}', public table")
    as_numpy(operation, MATMUL.shape, hot.shape, table.shape)
    return context.protocol.bilinear(MATMUL, hot.share, words), kind, scale
