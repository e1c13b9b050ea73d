"""Comparisons and selection, by NumPy's names. For the parameters see numpy_arranging.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.tensor import boolean, extrema, magnitude, order, reduction, selection
from mpc.tensor.arithmetic import as_float
from mpc.tensor.base import Secret
from mpc.tensor.shapes import as_public, broadcast

Function = Callable[..., Any]


def _fabs(x: Any) -> Any:
    return magnitude.absolute(as_float(boolean.as_number(x)))


def _count_nonzero(a: Any, axis: Any, keepdims: bool) -> Any:
    return reduction.total(order.truth(a), axis, keepdims)


def _array(value: Any, operation: str) -> Any:
    return value if isinstance(value, Secret) else as_public(value, operation)


def _array_equal(a1: Any, a2: Any) -> Any:
    a1, a2 = _array(a1, "array_equal"), _array(a2, "array_equal")
    return boolean.all_(order.equal(a1, a2)) if a1.shape == a2.shape else False


def _array_equiv(a1: Any, a2: Any) -> Any:
    a1, a2 = _array(a1, "array_equiv"), _array(a2, "array_equiv")
    try:
        broadcast("array_equiv", a1.shape, a2.shape)
    except ValueError:
        return False
    return boolean.all_(order.equal(a1, a2))


UFUNCS: dict[str, Function] = {
    "less": order.less,
    "less_equal": order.less_equal,
    "greater": order.greater,
    "greater_equal": order.greater_equal,
    "equal": order.equal,
    "not_equal": order.not_equal,
    "maximum": selection.maximum,
    "minimum": selection.minimum,
    "fmax": selection.maximum,
    "fmin": selection.minimum,
    "absolute": magnitude.absolute,
    "fabs": _fabs,
    "sign": magnitude.sign,
    "copysign": magnitude.copysign,
    "heaviside": magnitude.heaviside,
}

FUNCTIONS: dict[str, Function] = {
    "where": selection.where,
    "select": selection.select,
    "clip": lambda a, a_min=None, a_max=None, out=None, *, min=None, max=None: magnitude.clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max
    ),
    "max": lambda a, axis=None, out=None, keepdims=False, initial=None: reduction.largest(a, axis, keepdims, initial),
    "min": lambda a, axis=None, out=None, keepdims=False, initial=None: reduction.smallest(a, axis, keepdims, initial),
    "argmax": lambda a, axis=None, out=None, *, keepdims=False: extrema.argmax(a, axis, keepdims),
    "argmin": lambda a, axis=None, out=None, *, keepdims=False: extrema.argmin(a, axis, keepdims),
    "ptp": lambda a, axis=None, out=None, keepdims=False: extrema.peak_to_peak(a, axis, keepdims),
    "any": lambda a, axis=None, out=None, keepdims=False, *, where=True: boolean.any_(order.truth(a), axis, keepdims),
    "all": lambda a, axis=None, out=None, keepdims=False, *, where=True: boolean.all_(order.truth(a), axis, keepdims),
    "count_nonzero": lambda a, axis=None, *, keepdims=False: _count_nonzero(a, axis, keepdims),
    "isclose": lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: magnitude.isclose(a, b, rtol, atol),
    "allclose": lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: boolean.all_(magnitude.isclose(a, b, rtol, atol)),
    "array_equal": lambda a1, a2, equal_nan=False: _array_equal(a1, a2),
    "array_equiv": _array_equiv,
}
FUNCTIONS["amax"], FUNCTIONS["amin"] = FUNCTIONS["max"], FUNCTIONS["min"]
