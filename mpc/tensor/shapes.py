"""Shapes, axes and public operands by NumPy's own rules, with NumPy's errors as errors of ours that name the operation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from mpc.errors import AxisError, Error, IndexingError, RangeError, ShapeError, UsageError
from mpc.tensor.base import Array, Shape, unsupported

T = TypeVar("T")


def as_numpy(operation: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What NumPy's `function` makes of the arguments; its errors become the matching ones of ours."""
    try:
        return function(*args, **kwargs)
    except Error:
        raise
    except np.exceptions.AxisError as error:
        raise AxisError(f"{operation}: {error}") from None
    except IndexError as error:
        raise IndexingError(f"{operation}: {error}") from None
    except ValueError as error:
        raise ShapeError(f"{operation}: {str(error).removeprefix(f'{operation}: ')}") from None
    except TypeError as error:
        raise UsageError(f"{operation}: {error}") from None


def stand_in(shape: Shape) -> Array:
    """An array of this shape that takes no memory, to ask NumPy about shapes."""
    return np.broadcast_to(np.uint8(0), shape)


def broadcast(operation: str, *shapes: Shape) -> Shape:
    """The common shape; ShapeError if there is none."""
    return as_numpy(operation, np.broadcast_shapes, *shapes)


def axis_index(operation: str, axis: Any, ndim: int) -> int:
    """One axis, counted from the front."""
    return int(as_numpy(operation, normalize_axis_index, axis, ndim))


def axis_tuple(operation: str, axis: Any, ndim: int) -> Shape:
    """Axes counted from the front; all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, list):
        unsupported(operation, f"axes must be an integer or a tuple of integers, not the list {axis}")
    return tuple(as_numpy(operation, normalize_axis_tuple, axis, ndim))


def as_sizes(operation: str, shape: Any) -> Shape:
    """A shape given as an integer or a sequence."""

    def sizes() -> Shape:
        try:
            return (operator.index(shape),)
        except TypeError:
            return tuple(operator.index(n) for n in shape)

    return as_numpy(operation, sizes)


def as_public(value: Any, operation: str) -> Array:
    """A public operand as an array of booleans, integers or floats; TypeError for anything else."""
    if np.ma.is_masked(value):
        unsupported(operation, "a masked array has no public value where it is masked; fill it first (.filled(value))")
    array = as_numpy(operation, np.asarray, value)
    if array.dtype.kind in "biuf":
        return array
    if isinstance(value, int):
        raise RangeError(f"{operation}: the public operand {value} is beyond the range of 64-bit integers")
    unsupported(
        operation, f"a public operand must be a number or an array of numbers, not {type(value).__name__} (dtype {array.dtype})"
    )
