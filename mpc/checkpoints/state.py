"""A program's state as plain data and arrays, and back. Nothing of it is code.

A node of the tree is a list: its kind, and what that needs. Arrays stand beside the tree, in the order of the nodes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, runtime_checkable

import numpy as np

from mpc.errors import CheckpointError, UsageError
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES, Context

Array = np.ndarray[Any, np.dtype[Any]]

_NUMBERS = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float16", "float32", "float64")
_LARGEST_INT = 4096  # bits: Python refuses to read much longer ones

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, MemoryError)


@runtime_checkable
class Stateful(Protocol):
    """Networks, optimisers, schedules: what gives its state, and takes it back in place."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any) -> Any: ...


@dataclass(frozen=True)
class Kept:
    """The state of something stateful, to be loaded into what the program has in its place."""

    state: Any


def is_stateful(value: Any) -> bool:
    return isinstance(value, Stateful) and not isinstance(value, type)


def is_unknown(value: Any) -> bool:
    """Whether this stands, in a dry run, for a revealed value."""
    return getattr(type(value), "is_unknown", False) is True


# ---------------------------------------------------------------------------------------- writing


def dump(state: Any, context: Context) -> list[Array]:
    """The tree as text, and the arrays that it needs. UsageError for what cannot be kept. Local, no copies of shares."""
    arrays: list[Array] = []
    try:
        tree = _Writer(context, arrays).node(state, "")
    except RecursionError:
        raise UsageError(f"{context.who}, operation 'checkpoint': the state contains itself, or is nested too deeply") from None
    return [_bytes(json.dumps(tree, separators=(",", ":")).encode()), *arrays]


class _Writer:
    def __init__(self, context: Context, arrays: list[Array]):
        self._context, self._arrays = context, arrays

    def node(self, value: Any, path: str) -> list[Any]:
        if value is None or type(value) in (bool, int, float, str):
            return ["value", self._sized(value, path)]
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value, path)
        if is_unknown(value):
            return ["unknown", value.dtype.name, list(value.shape)]
        if type(value) is bytes:
            self._arrays.append(_bytes(value))
            return ["bytes"]
        if type(value) is dict:
            return ["dict", {self._key(k, path): self.node(v, f"{path}[{k!r}]" if path else str(k)) for k, v in value.items()}]
        if type(value) in (list, tuple):
            return [type(value).__name__, [self.node(v, f"{path}[{k}]") for k, v in enumerate(value)]]
        if is_stateful(value):
            return ["object", self.node(dict(value.state_dict()), path)]
        self._refuse(path, f"is a {type(value).__name__}")

    def _tensor(self, t: Tensor, path: str) -> list[Any]:
        """As it is, with all its digits: `export` drops the opening, not the scale."""
        if t.context is not self._context:
            self._refuse(path, "is a tensor of another party or run")
        t = t if t._truncated is None else t._truncated
        parts = self._context.protocol.export(t.share)
        self._arrays.extend(parts)
        return ["tensor", t.kind, t.scale, list(t.shape), len(parts)]

    def _array(self, value: Any, path: str) -> list[Any]:
        if value.dtype.name not in _NUMBERS or not (type(value) is np.ndarray or isinstance(value, np.generic)):
            self._refuse(path, f"is a {type(value).__name__} of dtype {value.dtype}")
        ordered = np.asarray(value, value.dtype.newbyteorder("<"), order="C")
        self._arrays.append(_bytes(ordered.tobytes()))
        return ["array" if isinstance(value, np.ndarray) else "scalar", value.dtype.name, list(value.shape)]

    def _sized(self, value: Any, path: str) -> Any:
        if type(value) is int and value.bit_length() > _LARGEST_INT:
            self._refuse(path, f"is an integer of {value.bit_length()} bits")
        return value

    def _key(self, key: Any, path: str) -> str:
        if type(key) is not str:
            self._refuse(path, f"has the key {key!r}, which is no str,")
        return key

    def _refuse(self, path: str, what: str) -> NoReturn:
        raise UsageError(
            f"{self._context.who}, operation 'checkpoint': {path} {what} and cannot be kept. A state is made of dicts (by str), "
            "lists and tuples of secret tensors, arrays of numbers, numbers, str, bytes, None, networks and optimisers."
        )


def _bytes(content: bytes) -> Array:
    return np.frombuffer(content, np.uint8)


# ---------------------------------------------------------------------------------------- reading


def load(arrays: Sequence[Array], context: Context) -> Any:
    """The inverse of `dump`; Kept in the place of what was stateful. CheckpointError for what `dump` has not written."""
    try:
        tree, rest = json.loads(bytes(arrays[0])), iter(arrays[1:])
        state = _Reader(context, rest).node(tree)
        if next(rest, None) is not None:
            raise ValueError("arrays are left")
    except _UNREADABLE as error:
        text = f"{context.who}, operation 'checkpoint': what the checkpoint holds is no state that this version has written"
        raise CheckpointError(text) from error
    return state


class _Reader:
    def __init__(self, context: Context, arrays: Iterator[Array]):
        self._context, self._arrays = context, arrays
        self._kinds: dict[str, Callable[..., Any]] = {
            "value": self._value,
            "unknown": self._unknown,
            "bytes": lambda: self._next().tobytes(),
            "array": self._array,
            "scalar": lambda name, shape: self._array(name, shape)[()],
            "tensor": self._tensor,
            "dict": lambda nodes: {key: self.node(node) for key, node in nodes.items()},
            "list": lambda nodes: [self.node(node) for node in nodes],
            "tuple": lambda nodes: tuple(self.node(node) for node in nodes),
            "object": lambda node: Kept(self.node(node)),
        }

    def node(self, tree: Any) -> Any:
        kind, *rest = tree
        return self._kinds[kind](*rest)

    def _next(self) -> Array:
        array = next(self._arrays, None)
        if array is None:
            raise ValueError("an array is missing")
        return array

    def _value(self, value: Any) -> Any:
        if value is not None and type(value) not in (bool, int, float, str):
            raise ValueError("no plain value")
        return value

    def _array(self, name: str, shape: list[int]) -> Array:
        if name not in _NUMBERS:
            raise ValueError("no dtype of numbers")
        dtype = np.dtype(name)
        return np.frombuffer(self._next().tobytes(), dtype.newbyteorder("<")).astype(dtype).reshape(shape)

    def _unknown(self, name: str, shape: list[int]) -> Any:
        endpoint = self._context.protocol.endpoint
        if not endpoint.dry or name not in _NUMBERS:
            raise ValueError("only a dry run knows no values")
        return endpoint.shown(np.broadcast_to(np.ones((), name), shape), range(endpoint.size))

    def _tensor(self, kind: str, scale: int, shape: list[int], count: int) -> Tensor:
        if kind not in DTYPES or type(scale) is not int or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError("no tensor")
        parts = [self._next() for _ in range(count)]
        share = self._context.protocol.restore(parts, tuple(shape), kind == "bool")
        return Tensor(self._context, share, kind, scale)
