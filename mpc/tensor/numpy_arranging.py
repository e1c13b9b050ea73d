"""NumPy's functions that ask about tensors, rearrange or join them: NumPy's arguments, our function.

Parameters are NumPy's, in its order and with its names, as far as they are available. `dtype` and `out` stand where NumPy
has them, and are refused before the call (see dispatch.py).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.tensor import joining, reduction, shaping
from mpc.tensor.arithmetic import lift
from mpc.tensor.base import Secret
from mpc.tensor.multiplication import multiply
from mpc.tensor.reduction import linear
from mpc.tensor.shapes import as_numpy, as_sizes, stand_in

Function = Callable[..., Any]


def _dtype(value: Any) -> Any:
    return value.dtype if isinstance(value, Secret) else value


def _filled(a: Any, value: Any, shape: Any) -> Any:
    sizes = a.shape if shape is None else as_sizes("full_like", shape)
    return lift(a, as_numpy("full_like", np.broadcast_to, np.asarray(value, a.dtype), sizes), "full_like")


def _each(function: Function, ndim: int, arrays: tuple[Any, ...]) -> Any:
    results = tuple(shaping.at_least(a, ndim) if isinstance(a, Secret) else function(a) for a in arrays)
    return results[0] if len(results) == 1 else results


def _rearranging(name: str) -> Function:
    """A NumPy function that only moves elements of its first argument, with NumPy's own parameters."""
    function = getattr(np, name)

    def rearranged(*args: Any, **kwargs: Any) -> Any:
        bound = as_numpy(name, inspect.signature(function).bind, *args, **kwargs)
        tensor, *rest = bound.args
        return shaping.gather(name, tensor, function, *rest, **bound.kwargs)

    rearranged.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return rearranged


def _triangle(name: str, m: Any, k: int) -> Any:
    mask = as_numpy(name, getattr(np, name), np.ones(m.shape[-2:], np.int64), k)
    return multiply(m, mask)


def _diagonal_or_matrix(name: str, v: Any, k: int) -> Any:
    """np.diag and np.diagflat: of a vector, the matrix that has it as its diagonal."""
    function = getattr(np, name)
    if name == "diag" and v.ndim == 2:
        return shaping.gather(name, v, np.diag, k)
    as_numpy(name, function, stand_in(v.shape), k)
    return linear(name, v, lambda a: function(a, k))


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [to_begin, reduction.difference(shaping.reshape(ary, -1)), to_end]
    return joining.concatenate([np.ravel(p) for p in parts if p is not None], 0, "ediff1d")


QUERIES: dict[str, Function] = {
    "shape": lambda a: a.shape,
    "ndim": lambda a: a.ndim,
    "size": lambda a, axis=None: a.size if axis is None else reduction.count("size", a, axis),
    "iscomplexobj": lambda x: False,
    "isrealobj": lambda x: True,
    "iscomplex": lambda x: np.zeros(x.shape, bool),
    "isreal": lambda x: np.ones(x.shape, bool),
    "result_type": lambda *arrays_and_dtypes: np.result_type(*(_dtype(v) for v in arrays_and_dtypes)),
    "common_type": lambda *arrays: np.common_type(*(np.empty(0, _dtype(v)) if isinstance(v, Secret) else v for v in arrays)),
}

SAME: dict[str, Function] = {
    "copy": lambda a, order="K", subok=False: a,
    "real": lambda val: val,
    "imag": lambda val: _filled(val, 0, None),
    "zeros_like": lambda a, dtype=None, order="K", subok=True, shape=None: _filled(a, 0, shape),
    "empty_like": lambda prototype, dtype=None, order="K", subok=True, shape=None: _filled(prototype, 0, shape),
    "ones_like": lambda a, dtype=None, order="K", subok=True, shape=None: _filled(a, 1, shape),
    "full_like": lambda a, fill_value, dtype=None, order="K", subok=True, shape=None: _filled(a, fill_value, shape),
}

SHAPES: dict[str, Function] = {
    "reshape": lambda a, shape, order="C", *, copy=None: shaping.reshape(a, shape, order),
    "ravel": lambda a, order="C": shaping.reshape(a, -1, order),
    "transpose": lambda a, axes=None: shaping.transpose(a, axes),
    "matrix_transpose": shaping.matrix_transpose,
    "linalg.matrix_transpose": shaping.matrix_transpose,
    "swapaxes": lambda a, axis1, axis2: shaping.swapaxes(a, axis1, axis2),
    "moveaxis": lambda a, source, destination: shaping.moveaxis(a, source, destination),
    "rollaxis": lambda a, axis, start=0: shaping.rollaxis(a, axis, start),
    "broadcast_to": lambda array, shape, subok=False: shaping.broadcast_to(array, shape),
    "broadcast_arrays": lambda *args, subok=False: shaping.broadcast_arrays(*args),
    "squeeze": lambda a, axis=None: shaping.squeeze(a, axis),
    "expand_dims": lambda a, axis: shaping.expand_dims(a, axis),
    "atleast_1d": lambda *arys: _each(np.atleast_1d, 1, arys),
    "atleast_2d": lambda *arys: _each(np.atleast_2d, 2, arys),
    "atleast_3d": lambda *arys: _each(np.atleast_3d, 3, arys),
}

ELEMENTS: dict[str, Function] = {
    "compress": lambda condition, a, axis=None, out=None: shaping.gather(
        "compress", a, lambda v: np.compress(condition, v, axis)
    ),
    "extract": lambda condition, arr: shaping.gather("extract", arr, lambda a: np.extract(condition, a)),
    "flip": lambda m, axis=None: shaping.flip(m, axis),
    "split": lambda ary, indices_or_sections, axis=0: shaping.split("split", ary, indices_or_sections, axis),
    "array_split": lambda ary, indices_or_sections, axis=0: shaping.split("array_split", ary, indices_or_sections, axis),
    "hsplit": lambda ary, indices_or_sections: shaping.split("hsplit", ary, indices_or_sections, min(1, ary.ndim - 1)),
    "vsplit": lambda ary, indices_or_sections: shaping.split("vsplit", shaping.at_least(ary, 2), indices_or_sections, 0),
    "dsplit": lambda ary, indices_or_sections: shaping.split("dsplit", ary, indices_or_sections, 2),
    "unstack": lambda x, *, axis=0: shaping.unstack(x, axis),
    "linalg.diagonal": lambda x, *, offset=0: shaping.gather("linalg.diagonal", x, np.linalg.diagonal, offset=offset),
    "triu": lambda m, k=0: _triangle("triu", m, k),
    "tril": lambda m, k=0: _triangle("tril", m, k),
    "diag": lambda v, k=0: _diagonal_or_matrix("diag", v, k),
    "diagflat": lambda v, k=0: _diagonal_or_matrix("diagflat", v, k),
    "pad": lambda array, pad_width, mode="constant", **kwargs: joining.pad(array, pad_width, mode, **kwargs),
}
for _name in ("roll", "repeat", "tile", "diagonal", "rot90", "fliplr", "flipud", "delete", "resize"):
    ELEMENTS[_name] = _rearranging(_name)

JOINING: dict[str, Function] = {
    "concatenate": lambda arrays, axis=0, out=None, *, dtype=None: joining.concatenate(arrays, axis),
    "stack": lambda arrays, axis=0, out=None, *, dtype=None: joining.stack(arrays, axis),
    "vstack": lambda tup, *, dtype=None: joining.vstack(tup),
    "hstack": lambda tup, *, dtype=None: joining.hstack(tup),
    "dstack": lambda tup: joining.dstack(tup),
    "column_stack": lambda tup: joining.column_stack(tup),
    "append": lambda arr, values, axis=None: joining.concatenate([arr, values], axis, "append"),
    "insert": joining.insert,
    "block": joining.block,
}
