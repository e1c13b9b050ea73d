"""What variables have in common with arrays: operators, methods and NumPy's protocols, each a named operation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from mpc.errors import UsageError
from mpc.tensor import Tensor
from mpc.tensor.dispatch import full_name
from mpc.tensor.refusals import Refusals

Axis = int | tuple[int, ...] | None


def _by_axis(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that names axes as NumPy does: it tells those who use PyTorch's names."""

    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "dim" in kwargs or "keepdim" in kwargs:
            raise UsageError(f"{method.__name__}: axes are named as in NumPy: axis in place of dim, keepdims in place of keepdim")
        return method(self, *args, **kwargs)

    return checked


def _operator(ufunc: Any, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return ufunc(other, self) if swapped else ufunc(self, other)

    return method


class Arrays(Refusals, ABC):
    """Operators and methods of arrays, made of NumPy functions; those go to `_apply`, with their names."""

    __slots__ = ()
    __array_priority__ = 2000.0  # above tensors, so that tensor @ variable is the variable's
    __hash__ = object.__hash__

    @property
    @abstractmethod
    def tensor(self) -> Tensor: ...

    @abstractmethod
    def _apply(self, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """The operation `name`; `function` computes it for tensors."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise UsageError(f"np.{ufunc.__name__}.{method} is not available for secret tensors; use np.sum, np.outer, ...")
        return self._apply(ufunc.__name__, ufunc, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._apply(full_name(func).removeprefix("np."), func, args, kwargs)

    def __mpc_function__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return self._apply(function.__name__, function, args, kwargs)

    # ------------------------------------------------------------------ what is public, and what is revealed

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.tensor.dtype

    def reveal(self, to: Any = None) -> Any:
        """As that of the tensor."""
        return self.tensor.reveal(to)

    def __len__(self) -> int:
        return len(self.tensor)

    # ------------------------------------------------------------------ operators

    __add__, __radd__ = _operator(np.add), _operator(np.add, swapped=True)
    __sub__, __rsub__ = _operator(np.subtract), _operator(np.subtract, swapped=True)
    __mul__, __rmul__ = _operator(np.multiply), _operator(np.multiply, swapped=True)
    __truediv__, __rtruediv__ = _operator(np.divide), _operator(np.divide, swapped=True)
    __matmul__, __rmatmul__ = _operator(np.matmul), _operator(np.matmul, swapped=True)
    __pow__, __rpow__ = _operator(np.power), _operator(np.power, swapped=True)
    __lt__, __le__, __gt__, __ge__ = (_operator(f) for f in (np.less, np.less_equal, np.greater, np.greater_equal))
    __eq__, __ne__ = _operator(np.equal), _operator(np.not_equal)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __getitem__(self, key: Any) -> Any:
        return self._apply("getitem", Tensor.__getitem__, (self, key), {})

    # ------------------------------------------------------------------ methods

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.swapaxes(self, -1, -2)

    def reshape(self, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Any:
        return np.reshape(self, -1)

    def flatten(self, order: str = "C") -> Any:
        if order != "C":
            raise UsageError("flatten: NumPy's, which gives a vector; nn.functional.flatten(x, 1) keeps the first axis")
        return self.ravel()

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return np.swapaxes(self, axis1, axis2)

    @_by_axis
    def squeeze(self, axis: Axis = None) -> Any:
        return np.squeeze(self, axis)

    @_by_axis
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.sum(self, axis, keepdims=keepdims)

    @_by_axis
    def mean(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.mean(self, axis, keepdims=keepdims)

    @_by_axis
    def var(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
        return np.var(self, axis, ddof=ddof, keepdims=keepdims)

    @_by_axis
    def std(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
        return np.std(self, axis, ddof=ddof, keepdims=keepdims)

    @_by_axis
    def prod(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.prod(self, axis, keepdims=keepdims)

    @_by_axis
    def cumsum(self, axis: int | None = None) -> Any:
        return np.cumsum(self, axis)

    @_by_axis
    def max(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.max(self, axis, keepdims=keepdims)

    @_by_axis
    def min(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.min(self, axis, keepdims=keepdims)

    @_by_axis
    def argmax(self, axis: int | None = None) -> Any:
        return np.argmax(self, axis)

    @_by_axis
    def argmin(self, axis: int | None = None) -> Any:
        return np.argmin(self, axis)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        return np.take(self, indices, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        return np.repeat(self, repeats, axis)

    def dot(self, other: Any) -> Any:
        return np.dot(self, other)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)
