"""mpc.Tensor: what a program holds in place of an array that nobody may see."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.errors import UsageError
from mpc.tensor.base import Secret, truncate
from mpc.tensor.dispatch import call, full_name
from mpc.tensor.methods import Methods
from mpc.tensor.numpy_functions import FUNCTIONS
from mpc.tensor.numpy_ufuncs import UFUNCS
from mpc.tensor.operators import PRIORITY, Operators, outranks
from mpc.tensor.refusals import Refusals
from mpc.tensor.revealing import Parties, reveal


class Tensor(Refusals, Operators, Methods):
    """An immutable secret tensor. It behaves like an ndarray; only `reveal` shows values.

    Made by `party.input`. Operators and NumPy functions take tensors and public arrays; products with secrets
    communicate, everything linear is local. Results of products are truncated to `fraction_bits` when something needs
    it, or by `truncate()`.
    """

    __slots__ = ()
    __array_priority__ = PRIORITY

    def __repr__(self) -> str:
        return f"Tensor(<secret>, shape={self.shape}, dtype={self.dtype})"

    def reveal(self, to: Parties = None) -> Any:
        """The values, as an ndarray (a scalar has no axes): at every party, or only at those in `to`, None elsewhere.

        Truncates first: more digits would tell more than the value. Cost: 1 round, 8 bytes an element to each peer (1 bit
        for booleans), and 1 more for a truncation.
        """
        return reveal([self], to)[0]

    def truncate(self) -> Tensor:
        """The same value with its product's extra digits dropped now, not when next needed.

        Cost: 1 round, and 8 bytes an element unless it is open; none if it is at `fraction_bits` already.
        """
        return truncate([self])[0]

    # ------------------------------------------------------------------ NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """np.add(tensor, ...) and ndarray + tensor: by UFUNCS; TypeError, which names the ufunc, for others."""
        if any(outranks(value) for value in inputs):
            return NotImplemented
        if method != "__call__":
            raise UsageError(f"np.{ufunc.__name__}.{method} is not available for secret tensors; use np.sum, np.outer, ...")
        function = UFUNCS.get(ufunc.__name__)
        if function is None:
            raise UsageError(f"np.{ufunc.__name__} is not available for secret tensors")
        return call(f"np.{ufunc.__name__}", function, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """np.sum(tensor), ...: by FUNCTIONS; TypeError, which names the function, for others."""
        if not all(issubclass(t, Secret | np.ndarray) for t in types):
            return NotImplemented
        function = FUNCTIONS.get(func)
        if function is None:
            raise UsageError(f"{full_name(func)} is not available for secret tensors")
        return call(full_name(func), function, args, kwargs)
