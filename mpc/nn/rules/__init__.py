"""The gradient rules by the names of operations: NumPy's, and those of mpc.functions.

A rule computes the result from tensors (and public arrays), and returns with it the pullback: from the gradient of the result
to one for each operand, None where there is none, or a function without arguments where it costs something and may not be
wanted. What the result had to open or to compare is at hand there. A gradient may be a public array, as that of a sum is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.nn.rules import arithmetic, curves, order, products, reductions, shapes, windows
from mpc.nn.rules.rule import Rule

RULES: dict[str, Rule] = {
    **arithmetic.RULES,
    **products.RULES,
    **shapes.RULES,
    **reductions.RULES,
    **order.RULES,
    **curves.RULES,
    **windows.RULES,
}

# Functions of variables that are made of others, which have rules; some give several variables.
COMPOSED: dict[str, Callable[..., Any]] = {**products.COMPOSED, **shapes.COMPOSED, **reductions.COMPOSED, **order.COMPOSED}

# Piecewise constant: plain tensors, through which no gradient flows.
CONSTANT = {
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not"),
    *("sign", "heaviside", "floor", "ceil", "rint", "round", "around", "fix", "trunc", "floor_divide", "any", "all", "isclose"),
    *("argmax", "argmin", "argsort", "argpartition", "count_nonzero", "searchsorted", "digitize", "histogram", "bincount"),
    *("allclose", "array_equal", "array_equiv", "isfinite", "isinf", "isnan", "iscomplexobj", "isrealobj", "result_type"),
    *("zeros_like", "ones_like", "full_like", "empty_like", "shape", "ndim", "size", "one_hot"),
}
