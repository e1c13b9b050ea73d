"""The methods and attributes that tensors share with NumPy's arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import numpy as np

from mpc.errors import UsageError
from mpc.tensor import arithmetic, boolean, extrema, lookup, magnitude, order, products, reduction, rounding, shaping, sorting
from mpc.tensor.base import Secret
from mpc.tensor.curves import lengths
from mpc.tensor.dispatch import refuse

Axis = int | tuple[int, ...] | None


class Methods(Secret):
    """As ndarray has them. Local, but for products (reduction.py, products.py) and order (extrema.py, magnitude.py)."""

    __slots__ = ()

    @property
    def T(self) -> Self:
        return shaping.transpose(self)

    @property
    def mT(self) -> Self:
        return shaping.matrix_transpose(self)

    @property
    def real(self) -> Self:
        return self

    @property
    def flat(self) -> Iterator[Self]:
        return self.ravel().__iter__()

    def __len__(self) -> int:
        if not self.ndim:
            raise UsageError("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, key: Any) -> Self:
        """By public indices, local; or by one tensor of secret integers, as np.take along the first axis."""
        return lookup.item(self, key) if isinstance(key, type(self)) else shaping.getitem(self, key)

    # ------------------------------------------------------------------ shapes and elements

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        return shaping.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def ravel(self, order: str = "C") -> Self:
        return shaping.reshape(self, -1, order)

    flatten = ravel

    def transpose(self, *axes: Any) -> Self:
        """By default all axes in reverse order."""
        order = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes
        return shaping.transpose(self, None if order is None or axes == () else order)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        return shaping.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Self:
        return shaping.squeeze(self, axis)

    def take(self, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Self:
        refuse("take", out=out)
        result: Self = lookup.take_any(self, indices, axis, mode)
        return result

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        return shaping.gather("repeat", self, np.repeat, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        return shaping.gather("diagonal", self, np.diagonal, offset, axis1, axis2)

    def compress(self, condition: Any, axis: int | None = None, out: None = None) -> Self:
        refuse("compress", out=out)
        return shaping.gather("compress", self, lambda a: np.compress(condition, a, axis))

    # ------------------------------------------------------------------ sums and products

    def sum(self, axis: Axis = None, dtype: None = None, out: None = None, keepdims: bool = False, initial: Any = None) -> Self:
        refuse("sum", dtype=dtype, out=out)
        return reduction.total(self, axis, keepdims, initial)

    def prod(self, axis: Axis = None, dtype: None = None, out: None = None, keepdims: bool = False, initial: Any = None) -> Self:
        refuse("prod", dtype=dtype, out=out)
        return reduction.prod(self, axis, keepdims, initial)

    def mean(self, axis: Axis = None, dtype: None = None, out: None = None, keepdims: bool = False) -> Self:
        refuse("mean", dtype=dtype, out=out)
        return reduction.mean(self, axis, keepdims)

    def var(self, axis: Axis = None, dtype: None = None, out: None = None, ddof: float = 0, keepdims: bool = False) -> Self:
        refuse("var", dtype=dtype, out=out)
        return reduction.variance(self, axis, ddof, keepdims)

    def std(self, axis: Axis = None, dtype: None = None, out: None = None, ddof: float = 0, keepdims: bool = False) -> Self:
        refuse("std", dtype=dtype, out=out)
        return lengths.std(self, axis, ddof, keepdims)

    def cumsum(self, axis: int | None = None, dtype: None = None, out: None = None) -> Self:
        refuse("cumsum", dtype=dtype, out=out)
        return reduction.cumsum(self, axis)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: None = None, out: None = None) -> Self:
        refuse("trace", dtype=dtype, out=out)
        return reduction.trace(self, offset, axis1, axis2)

    def dot(self, b: Any, out: None = None) -> Self:
        refuse("dot", out=out)
        result: Self = products.dot(self, b)
        return result

    # ------------------------------------------------------------------ order

    def max(self, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None) -> Self:
        refuse("max", out=out)
        return reduction.largest(self, axis, keepdims, initial)

    def min(self, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None) -> Self:
        refuse("min", out=out)
        return reduction.smallest(self, axis, keepdims, initial)

    def argmax(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Self:
        refuse("argmax", out=out)
        return extrema.argmax(self, axis, keepdims)

    def argmin(self, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Self:
        refuse("argmin", out=out)
        return extrema.argmin(self, axis, keepdims)

    def clip(self, min: Any = None, max: Any = None, out: None = None) -> Self:
        refuse("clip", out=out)
        result: Self = magnitude.clip(self, min, max)
        return result

    def argsort(self, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Self:
        sorting.check_kind("argsort", kind, order)
        return sorting.argsort(self, axis)

    def argpartition(self, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Self:
        sorting.check_kind("argpartition", None, order)
        return sorting.argpartition(self, kth, axis)

    def round(self, decimals: int = 0, out: None = None) -> Self:
        refuse("round", out=out)
        return rounding.round_(self, decimals)

    def __round__(self, ndigits: int | None = None) -> Self:
        return rounding.round_(self, 0 if ndigits is None else ndigits)

    def any(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Self:
        refuse("any", out=out)
        return boolean.any_(order.truth(self), axis, keepdims)

    def all(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Self:
        refuse("all", out=out)
        return boolean.all_(order.truth(self), axis, keepdims)

    def nonzero(self) -> NoReturn:
        """Refused: the shape of its result would tell a secret."""
        raise UsageError(
            "nonzero: how many elements there are would be secret, and a shape is public. Use np.count_nonzero or np.where"
        )

    # ------------------------------------------------------------------ copies

    def copy(self, order: str = "C") -> Self:
        """The tensor itself: it never changes."""
        return self

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def conj(self) -> Self:
        return self

    conjugate = conj

    def astype(self, dtype: Any, *, copy: bool = True) -> Self:
        """Booleans as numbers (1 round), integers as floats, floats as integers (np.trunc), numbers as whether they are not 0."""
        wanted = np.dtype(dtype)
        if wanted == self.dtype:
            return self
        if wanted == np.bool_:
            return order.truth(self)
        if wanted == np.int64:
            return rounding.as_int(self)
        if wanted == np.float64:
            return arithmetic.as_float(boolean.as_number(self))
        raise UsageError(f"astype: a secret {self.dtype} tensor cannot become {wanted}")
