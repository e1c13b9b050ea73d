"""Which NumPy functions tensors have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import Any

import numpy as np

from mpc.tensor.base import Secret, unsupported
from mpc.tensor.numpy_algebra import PRODUCTS, SUMS
from mpc.tensor.numpy_arranging import ELEMENTS, JOINING, QUERIES, SAME, SHAPES
from mpc.tensor.numpy_curves import FUNCTIONS as CURVES
from mpc.tensor.numpy_order import FUNCTIONS as ORDER
from mpc.tensor.numpy_sorting import FUNCTIONS as SORTING

CATEGORIES: dict[str, dict[str, Callable[..., Any]]] = {
    "Shapes": SHAPES,
    "Choosing and moving elements": ELEMENTS,
    "Joining": JOINING,
    "Sums and statistics": SUMS,
    "Products": PRODUCTS,
    "Order and selection": ORDER,
    "Sorting, searching and lookup": SORTING,
    "Functions and linear algebra": CURVES,
    "Copies and constants": SAME,
    "Questions with a public answer": QUERIES,
}


# Functions that take secrets in several arguments; the others only in the one that they rearrange or sum.
_SEVERAL = {
    *JOINING,
    *PRODUCTS,
    *ORDER,
    *SORTING,
    *CURVES,
    "broadcast_arrays",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "result_type",
    "common_type",
}
_SECOND = {"compress", "extract"}


def _functions() -> dict[Any, Callable[..., Any]]:
    """By NumPy's function itself; those that an older NumPy lacks are left out."""
    found: dict[Any, Callable[..., Any]] = {}
    for category in CATEGORIES.values():
        for name, function in category.items():
            try:
                found[attrgetter(name)(np)] = function if name in _SEVERAL else _of_a_secret(name, function)
            except AttributeError:
                continue
    return found


def _of_a_secret(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses a call whose main argument is public: a secret among the others cannot take part."""
    place = 1 if name in _SECOND else 0
    parameter = list(inspect.signature(function).parameters)[place]

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(args[place] if len(args) > place else kwargs.get(parameter), Secret):
            unsupported(f"np.{name}", f"only its argument '{parameter}' may be secret, and that is public here")
        return function(*args, **kwargs)

    return checked


FUNCTIONS: dict[Any, Callable[..., Any]] = _functions()
