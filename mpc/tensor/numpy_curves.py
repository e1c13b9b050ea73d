"""Functions of one variable and their relatives, by NumPy's names. For the parameters see numpy_arranging.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mpc.tensor.base import unsupported
from mpc.tensor.curves import bounded, exponential, inverting, lengths, logarithms, periodic, powers, roots, soft, solving
from mpc.tensor.multiplication import multiply

Function = Callable[..., Any]

UFUNCS: dict[str, Function] = {
    "divide": powers.divide,
    "power": powers.power,
    "float_power": powers.float_power,
    "reciprocal": inverting.reciprocal,
    "exp": exponential.exp,
    "exp2": exponential.exp2,
    "expm1": exponential.expm1,
    "log": logarithms.log,
    "log2": logarithms.log2,
    "log10": logarithms.log10,
    "log1p": logarithms.log1p,
    "logaddexp": soft.logaddexp,
    "sqrt": roots.sqrt,
    "cbrt": roots.cbrt,
    "hypot": lengths.hypot,
    "sin": periodic.sin,
    "cos": periodic.cos,
    "tan": periodic.tan,
    "tanh": bounded.tanh,
    "deg2rad": lambda x: multiply(x, math.pi / 180),
    "radians": lambda x: multiply(x, math.pi / 180),
    "rad2deg": lambda x: multiply(x, 180 / math.pi),
    "degrees": lambda x: multiply(x, 180 / math.pi),
}


def _std(a: Any, axis: Any, ddof: float, keepdims: bool, correction: float | None) -> Any:
    return lengths.std(a, axis, ddof if correction is None else correction, keepdims)


def _corrcoef(x: Any, y: Any, rowvar: bool) -> Any:
    if y is not None:
        unsupported("np.corrcoef", "y= is not available; stack the variables in one tensor")
    return lengths.corrcoef(x, rowvar)


FUNCTIONS: dict[str, Function] = {
    "sinc": lambda x: periodic.sinc(x),
    "std": lambda a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, correction=None: _std(
        a, axis, ddof, keepdims, correction
    ),
    "corrcoef": lambda x, y=None, rowvar=True: _corrcoef(x, y, rowvar),
    "linalg.norm": lambda x, ord=None, axis=None, keepdims=False: lengths.norm(x, ord, axis, keepdims),
    "linalg.vector_norm": lambda x, *, axis=None, keepdims=False, ord=2: lengths.vector_norm(x, ord, axis, keepdims),
    "linalg.solve": solving.solve,
    "linalg.inv": solving.inverse,
}
