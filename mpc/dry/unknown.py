"""Public values that a dry run does not know: arrays of a dtype and a shape, and nothing in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from mpc.dry.where import stop

_STEERING = "Let the program not depend on it: np.where and comparisons work on secrets. Else run it with a live dealer."
_AS_ARRAY = "Leave it as the array that it is: arithmetic, NumPy functions and f-strings take it."
_OPERAND = "As an operand with secrets, write party.constant(value). As an index, or a part of another array, it has to be known."

# What NumPy answers by the dtype and the shape of the arguments alone,
_METHODS = """
    all any argmax argmin argpartition argsort astype clip conj copy cumprod cumsum diagonal dot flatten max mean min prod ravel
    reshape round searchsorted squeeze std sum swapaxes take trace transpose var
"""
# and what it does not.
_OF_VALUES = """
    nonzero flatnonzero argwhere unique unique_values unique_counts unique_inverse unique_all extract compress bincount repeat
    intersect1d union1d setdiff1d setxor1d trim_zeros save savez savez_compressed savetxt histogram_bin_edges
"""


class Unknown(NDArrayOperatorsMixin):
    """What a reveal gives in a dry run. Arithmetic and NumPy functions give Unknowns; what would show a value raises DryRunError.

    It is no ndarray: so nothing can take it for one whose values count.
    """

    is_unknown = True

    def __init__(self, dtype: Any, shape: tuple[int, ...]):
        self._array = np.broadcast_to(np.ones((), dtype), shape)  # ones: a quotient or a logarithm of them is a number

    @classmethod
    def like(cls, value: Any) -> Unknown:
        """Of the dtype and shape of an array or a number."""
        array = np.asarray(value)
        return cls(array.dtype, array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._array.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    @property
    def T(self) -> Unknown:
        return Unknown.like(self._array.T)

    def placeholder(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Ones of this dtype and shape, for what does not depend on values."""
        return self._array

    # ------------------------------------------------------------------ what depends on shapes alone

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if any(not isinstance(x, Unknown | np.ndarray) and hasattr(type(x), "__array_ufunc__") for x in inputs if not _scalar(x)):
            return NotImplemented
        targets = [*(out or ()), *([inputs[0]] if method == "at" else [])]
        if any(not isinstance(target, Unknown) for target in targets):
            stop("into an array whose values are known, as by +=", "Make a new array: total = total + value.")
        result = _quietly(getattr(ufunc, method), *inputs, **kwargs) if method != "at" else None
        return out[0] if out else result

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, Unknown | np.ndarray) for t in types):
            return NotImplemented
        one_argument = function is np.where and len(args) == 1
        if (
            function.__name__ in _OF_VALUES.split()
            or one_argument
            or (function is np.copyto and not isinstance(args[0], Unknown))
        ):
            stop(f"in np.{function.__name__}", _STEERING)
        result = _quietly(function, *args, **kwargs)
        if isinstance(result, bool):
            stop(f"in np.{function.__name__}", _STEERING)
        return "?" if isinstance(result, str) else result

    def __getitem__(self, key: Any) -> Unknown:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, Unknown) and part.dtype == bool for part in parts):
            stop("as an index of booleans", _STEERING)
        return Unknown.like(self._array[_plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        np.broadcast_to(_plain(value), self[key].shape)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Unknown]:
        return (self[k] for k in range(len(self)))

    def __round__(self, digits: int | None = None) -> Unknown:
        return self if digits is not None else Unknown(np.int64, self.shape)

    def __repr__(self) -> str:
        return "?"

    def __format__(self, spec: str) -> str:
        return "?"

    # ------------------------------------------------------------------ what depends on values

    def __bool__(self) -> NoReturn:
        stop("as a condition", _STEERING)

    def __index__(self) -> NoReturn:
        stop("as a whole number", _STEERING)

    def __int__(self) -> NoReturn:
        stop("as a Python int", _AS_ARRAY)

    def __float__(self) -> NoReturn:
        stop("as a Python float", _AS_ARRAY)

    def __complex__(self) -> NoReturn:
        stop("as a Python complex", _AS_ARRAY)

    def item(self, *args: Any) -> NoReturn:
        stop("in item()", _AS_ARRAY)

    def tolist(self) -> NoReturn:
        stop("in tolist()", _AS_ARRAY)

    def tobytes(self) -> NoReturn:
        stop("in tobytes()", _AS_ARRAY)

    def nonzero(self) -> NoReturn:
        stop("in nonzero()", _STEERING)

    def __contains__(self, value: Any) -> NoReturn:
        stop("in 'in'", _STEERING)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        stop("as an array", _OPERAND)

    def __reduce__(self) -> NoReturn:
        stop("to be pickled", _AS_ARRAY)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Unknown, *args: Any, **kwargs: Any) -> Any:
        return _quietly(getattr(self.placeholder(), name), *args, **kwargs)

    method.__name__ = name
    return method


for _name in _METHODS.split():
    setattr(Unknown, _name, _method(_name))


def _scalar(x: Any) -> bool:
    return isinstance(x, np.generic | int | float | complex | list | tuple)


def _quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The function of placeholders; whatever array comes out is unknown too."""
    with np.errstate(all="ignore"):
        return _unknown(function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()}))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value
    return value.placeholder() if isinstance(value, Unknown) else value


def _unknown(result: Any) -> Any:
    if isinstance(result, tuple) and any(isinstance(part, np.ndarray | np.generic) for part in result):
        return tuple(map(_unknown, result))
    if isinstance(result, list):
        return list(map(_unknown, result))
    return Unknown.like(result) if isinstance(result, np.ndarray | np.generic) else result
