"""Rearrangements, and joining: their gradients are rearranged back. All local."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpc.nn.rules.arithmetic import fitted
from mpc.nn.rules.rule import Rule, Ruled
from mpc.tensor import Tensor
from mpc.tensor.reduction import linear


def reshape(x: Any, shape: Any, order: str = "C") -> Ruled:
    return np.reshape(x, shape, order=order), lambda g: (np.reshape(g, x.shape, order=order),)  # type: ignore[call-overload]


def transpose(x: Any, axes: Any = None) -> Ruled:
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return np.transpose(x, axes), lambda g: (np.transpose(g, back),)


def swapaxes(x: Any, axis1: int, axis2: int) -> Ruled:
    return np.swapaxes(x, axis1, axis2), lambda g: (np.swapaxes(g, axis1, axis2),)


def moveaxis(x: Any, source: Any, destination: Any) -> Ruled:
    return np.moveaxis(x, source, destination), lambda g: (np.moveaxis(g, destination, source),)


def _reshaped(function: Callable[..., Any]) -> Rule:
    """The rule of a function that keeps all elements in their order."""

    def rule(x: Any, axis: Any = None) -> Ruled:
        return function(x, axis), lambda g: (np.reshape(g, x.shape),)

    return rule


def ravel(x: Any) -> Ruled:
    return np.ravel(x), lambda g: (np.reshape(g, x.shape),)


def broadcast_to(x: Any, shape: Any) -> Ruled:
    return np.broadcast_to(x, shape), lambda g: (fitted(g, x),)


def getitem(x: Tensor, key: Any) -> Ruled:
    """x[key] for a public key."""
    return x[key], lambda g: (scattered(g, x.shape, key),)


def scattered(values: Any, shape: tuple[int, ...], key: Any) -> Any:
    """An array of zeros of that shape, to which `values` are added at `key`."""

    def place(array: Any) -> Any:
        result = np.zeros(shape, array.dtype)
        np.add.at(result, key, array)
        return result

    return linear("getitem", values, place) if isinstance(values, Tensor) else place(np.asarray(values))


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Ruled:
    ends = np.cumsum([np.shape(a)[axis] for a in arrays])[:-1]
    return np.concatenate(arrays, axis), lambda g: (np.split(g, ends, axis),)


def stack(arrays: Sequence[Any], axis: int = 0) -> Ruled:
    return np.stack(arrays, axis), lambda g: ([np.take(g, k, axis) for k in range(len(arrays))],)


RULES: dict[str, Rule] = {
    "reshape": reshape,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "moveaxis": moveaxis,
    "expand_dims": _reshaped(np.expand_dims),
    "squeeze": _reshaped(np.squeeze),
    "ravel": ravel,
    "broadcast_to": broadcast_to,
    "getitem": getitem,
    "concatenate": concatenate,
    "stack": stack,
}
