"""mpc.Tensor: what a program holds in place of an array that nobody may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from mpc.errors import UsageError
from mpc.tensor import arithmetic, boolean, products, reduction, shaping
from mpc.tensor.base import DTYPES, Secret, truncate
from mpc.tensor.encoding import decode
from mpc.tensor.numpy_functions import FUNCTIONS
from mpc.tensor.numpy_ufuncs import UFUNCS

_CONTROL = (
    "a secret cannot steer control flow: no party knows its value. Select with np.where, or reveal it first if everybody "
    "may see it"
)


class Tensor(Secret):
    """An immutable secret tensor. It behaves like an ndarray; only `reveal` shows values.

    Made by `party.input`. Operators and NumPy functions take tensors and public arrays; products with secrets
    communicate, everything linear is local. Results of products are truncated to `fraction_bits` when something needs
    it, or by `truncate()`.
    """

    __slots__ = ()
    __array_priority__ = 1000.0

    # ------------------------------------------------------------------ attributes

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 (fixed point), int64 or bool: what `reveal` returns."""
        return DTYPES[self.kind]

    @property
    def T(self) -> Tensor:
        return shaping.transpose(self)

    @property
    def mT(self) -> Tensor:
        return shaping.swapaxes(self, -1, -2)

    def __repr__(self) -> str:
        return f"Tensor(<secret>, shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        if not self.ndim:
            raise UsageError("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self)))

    # ------------------------------------------------------------------ coming out

    def reveal(self, to: int | list[int] | None = None) -> Any:
        """The values, as an ndarray (a scalar has no axes): at every party, or only at those in `to`, None elsewhere.

        Truncates first: more digits would tell more than the value. Cost: 1 round, 8 bytes an element to each peer (1 bit
        for booleans), and 1 more for a truncation.
        """
        return reveal([self], to)[0]

    def truncate(self) -> Tensor:
        """The same value with its product's extra digits dropped now, not when next needed. 0 or 1 rounds."""
        return truncate([self])[0]

    # ------------------------------------------------------------------ operators

    def __add__(self, other: Any) -> Tensor:
        return arithmetic.add(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Tensor:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return arithmetic.add(-self, other)

    def __mul__(self, other: Any) -> Tensor:
        return arithmetic.multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tensor:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> NoReturn:
        arithmetic.divide(self, self)
        raise AssertionError

    def __matmul__(self, other: Any) -> Tensor:
        return arithmetic.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return arithmetic.matmul_public_left(other, self)

    def __pow__(self, exponent: Any) -> Tensor:
        return arithmetic.power(self, exponent)

    def __neg__(self) -> Tensor:
        return arithmetic.negative(self)

    def __pos__(self) -> Tensor:
        return self

    def __and__(self, other: Any) -> Tensor:
        return boolean.and_(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Tensor:
        return boolean.or_(self, other)

    __ror__ = __or__

    def __xor__(self, other: Any) -> Tensor:
        return boolean.xor(self, other)

    __rxor__ = __xor__

    def __invert__(self) -> Tensor:
        return boolean.not_(self)

    def __getitem__(self, key: Any) -> Tensor:
        return shaping.getitem(self, key)

    # ------------------------------------------------------------------ methods, as ndarray has them

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        return shaping.reshape(self, *shape, order=order)

    def ravel(self) -> Tensor:
        return shaping.reshape(self, -1)

    flatten = ravel

    def transpose(self, *axes: Any) -> Tensor:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return shaping.transpose(self, order or None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return shaping.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        return shaping.squeeze(self, axis)

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        return shaping.take(self, indices, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        return shaping.gather(self, lambda a: np.repeat(a, repeats, axis))

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return shaping.gather(self, lambda a: np.diagonal(a, offset, axis1, axis2))

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return reduction.total(self.diagonal(offset, axis1, axis2), -1)

    def dot(self, other: Any) -> Tensor:
        result: Tensor = products.dot(self, other)
        return result

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reduction.total(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reduction.mean(self, axis, keepdims)

    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return reduction.variance(self, axis, ddof, keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return reduction.cumsum(self, axis)

    def copy(self) -> Tensor:
        return self

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def astype(self, dtype: Any) -> Tensor:
        wanted = np.dtype(dtype).kind
        if wanted == self.dtype.kind:
            return self
        if wanted == "f" and self.kind == "int":
            return arithmetic.as_float(self)
        raise UsageError(f"astype: a secret {self.dtype} tensor cannot become {np.dtype(dtype)}")

    # ------------------------------------------------------------------ NumPy

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        function = UFUNCS.get(name)
        if function is None:
            raise UsageError(f"np.{name} is not available for secret tensors")
        if method != "__call__":
            raise UsageError(f"np.{name}.{method} is not available for secret tensors; use the np function (np.sum, ...)")
        given = sorted(k for k, v in kwargs.items() if v is not None)
        if given:
            raise UsageError(f"np.{name}: {given[0]}= cannot be used with secret tensors, which are immutable: take the result")
        return function(*inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        function = FUNCTIONS.get(func)
        if function is None:
            raise UsageError(f"np.{func.__name__} is not available for secret tensors")
        for name in ("out", "where", "dtype"):
            if kwargs.pop(name, None) is not None:
                raise UsageError(f"np.{func.__name__}: {name}= cannot be used with secret tensors")
        return function(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise UsageError("a secret tensor is no array: no party knows its values. reveal() it first if everybody may see it")

    # ------------------------------------------------------------------ what would need the value

    def __bool__(self) -> NoReturn:
        raise UsageError(_CONTROL)

    __hash__ = object.__hash__

    def __contains__(self, item: Any) -> NoReturn:
        raise UsageError(_CONTROL)

    def __float__(self) -> NoReturn:
        raise UsageError("a secret has no value to convert to a number: " + _CONTROL)

    __int__ = __index__ = __complex__ = __float__

    def item(self) -> NoReturn:
        float(self)
        raise AssertionError

    def tolist(self) -> NoReturn:
        float(self)
        raise AssertionError

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UsageError("a secret tensor is immutable; build a new one with np.where or np.concatenate")

    def __reduce__(self) -> NoReturn:
        raise UsageError("a secret tensor stays at its party and is never pickled; return tensor.reveal() instead")

    def _no_comparison(self, other: Any) -> NoReturn:
        if other is None or not isinstance(other, Secret | np.ndarray | np.number | int | float):
            raise UsageError(f"a secret tensor cannot be compared with {type(other).__name__}: {_CONTROL}")
        raise UsageError("comparisons of secret tensors are not available; reveal what everybody may compare")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_comparison

    def _no_abs(self) -> NoReturn:
        raise UsageError("abs of a secret tensor needs comparisons, which are not available")

    __abs__ = _no_abs


def reveal(tensors: list[Tensor], to: int | list[int] | None = None) -> list[Any]:
    """Reveal several tensors in one round (and one more if any must be truncated first)."""
    if not tensors:
        return []
    for t in tensors:
        if not isinstance(t, Tensor):
            raise UsageError(f"reveal: {type(t).__name__} is not a secret tensor")
    protocol = tensors[0].context.protocol
    size = protocol.endpoint.size
    targets = list(range(size)) if to is None else [to] if isinstance(to, int) else sorted(set(to))
    if any(not isinstance(i, int) or not 0 <= i < size for i in targets):
        raise UsageError(f"reveal: to={to!r} names a party that does not exist; parties are 0 to {size - 1}")
    tensors = truncate(tensors)
    values = protocol.reveal([t.share for t in tensors], targets)
    return [None if v is None else decode(v, t.kind, t.scale) for t, v in zip(tensors, values, strict=True)]
