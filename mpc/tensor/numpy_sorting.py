"""Sorting, searching, lookup and rounding, by NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.tensor import binning, interpolation, lookup, quantiles, rounding, shaping, sorting
from mpc.tensor.base import Secret, unsupported

Function = Callable[..., Any]


def _secret(operation: str, x: Any, name: str, **others: Any) -> Any:
    """The one argument that must be secret, and may be alone."""
    if not isinstance(x, Secret) or any(isinstance(value, Secret) for value in others.values()):
        unsupported(f"np.{operation}", f"its argument '{name}' must be secret, and {', '.join(others) or 'the others'} public")
    return x


def _sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Any:
    sorting.check_kind("sort", kind, order)
    return sorting.sort(a, axis)


def _argsort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Any:
    sorting.check_kind("argsort", kind, order)
    return sorting.argsort(a, axis)


def _partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Any:
    sorting.check_kind("partition", None, order)
    return sorting.partition(_secret("partition", a, "a"), kth, axis)


def _argpartition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Any:
    sorting.check_kind("argpartition", None, order)
    return sorting.argpartition(_secret("argpartition", a, "a"), kth, axis)


def _quantile(name: str) -> Function:
    function = getattr(quantiles, name)

    def quantile(
        a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: bool = False, *, weights: None = None,
    ) -> Any:  # fmt: skip
        if weights is not None:
            unsupported(f"np.{name}", "weights= is not available")
        return function(_secret(name, a, "a", q=q), q, axis, method, keepdims)

    return quantile


def _take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    return (lookup if isinstance(indices, Secret) else shaping).take_along_axis(arr, indices, axis)


def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    return binning.histogram(_secret("histogram", a, "a", bins=bins, range=range), bins, range, density, weights)


def _bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    return binning.bincount(_secret("bincount", x, "x", minlength=minlength), weights, minlength)


UFUNCS: dict[str, Function] = {
    "floor": rounding.floor,
    "ceil": rounding.ceil,
    "rint": rounding.rint,
    "trunc": rounding.trunc,
    "modf": rounding.modf,
    "floor_divide": rounding.floor_divide,
    "remainder": rounding.remainder,
    "fmod": rounding.fmod,
    "divmod": rounding.divmod_,
}

FUNCTIONS: dict[str, Function] = {
    "sort": _sort,
    "argsort": _argsort,
    "partition": _partition,
    "argpartition": _argpartition,
    "median": lambda a, axis=None, out=None, overwrite_input=False, keepdims=False: quantiles.median(a, axis, keepdims),
    "quantile": _quantile("quantile"),
    "percentile": _quantile("percentile"),
    "round": lambda a, decimals=0, out=None: rounding.round_(a, decimals),
    "fix": lambda x, out=None: rounding.trunc(x, "fix"),
    "take": lambda a, indices, axis=None, out=None, mode="raise": lookup.take_any(a, indices, axis, mode),
    "take_along_axis": _take_along_axis,
    "choose": lambda a, choices, out=None, mode="raise": lookup.choose(a, choices, mode),
    "searchsorted": lambda a, v, side="left", sorter=None: binning.searchsorted(a, v, side, sorter),
    "digitize": lambda x, bins, right=False: binning.digitize(_secret("digitize", x, "x", bins=bins), bins, right),
    "histogram": _histogram,
    "bincount": _bincount,
    "interp": lambda x, xp, fp, left=None, right=None, period=None: interpolation.interp(x, xp, fp, left, right, period),
}
FUNCTIONS["around"] = FUNCTIONS["round"]
