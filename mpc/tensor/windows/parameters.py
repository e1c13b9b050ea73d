"""What a caller says about windows, for each axis: numbers or one for each, and the paddings by name."""

from __future__ import annotations

import operator
from typing import Any

from mpc.errors import OptionError, ShapeError

Pair = tuple[int, int]
Sides = tuple[Pair, Pair]


def per_axis(operation: str, name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """One number for each axis, from one for all of them or a sequence; none below `least`."""
    try:
        values = (operator.index(value),) * axes
    except TypeError:
        try:
            values = tuple(operator.index(v) for v in value)
        except TypeError:
            raise OptionError(f"{operation}: {name}={value!r}: give an integer, or {axes} of them") from None
    if len(values) == 1:
        values *= axes
    if len(values) != axes or min(values) < least:
        raise OptionError(f"{operation}: {name}={value!r}: give an integer of {least} or more, or {axes} of them")
    return values


def sides(operation: str, padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """(before, after) for each axis. `padding` is a number, one for each axis, a pair for each axis, "valid" or "same"."""
    axes = len(kernel)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * axes
        if padding != "same":
            raise OptionError(f"{operation}: padding={padding!r}: give numbers, 'valid' or 'same'")
        if any(s != 1 for s in stride):
            raise OptionError(f"{operation}: padding='same' needs a stride of 1, not {stride}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if hasattr(padding, "__len__") and len(padding) == axes and all(hasattr(p, "__len__") for p in padding):
        return tuple(per_axis(operation, "padding", p, 2, 0) for p in padding)
    return tuple((p, p) for p in per_axis(operation, "padding", padding, axes, 0))


def check_axes(operation: str, name: str, shape: tuple[int, ...], axes: tuple[int, ...], expected: str) -> None:
    """ShapeError unless the shape has one of these numbers of axes."""
    if len(shape) not in axes:
        raise ShapeError(f"{operation}: {name} must have the shape {expected}, not {shape}")
