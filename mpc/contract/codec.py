"""Requests as bytes: JSON for the structure, raw arrays beside it. Only the classes registered here can come out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from mpc.contract import bilinear, views
from mpc.errors import FrameError

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")

_CLASSES: dict[str, type] = {}
_FIELDS: dict[type, tuple[str, ...]] = {}
_PLAIN = (type(None), bool, int, float, str)


def register(cls: type[T]) -> type[T]:
    """Class decorator: instances of this dataclass may travel."""
    _CLASSES[cls.__name__] = cls
    _FIELDS[cls] = tuple(f.name for f in dataclasses.fields(cls))  # type: ignore[arg-type]
    return cls


for _cls in (views.Reshape, views.Transpose, views.BroadcastTo, views.Index):
    register(_cls)
for _cls in (bilinear.Multiply, bilinear.Matmul, bilinear.Conv2d):  # type: ignore[assignment]
    register(_cls)


def encode(value: Any) -> list[Array]:
    """`value` as a uint8 array of JSON, and the arrays that it refers to."""
    arrays: list[Array] = []
    text = json.dumps(_pack(value, arrays), separators=(",", ":"))
    return [np.frombuffer(text.encode(), np.uint8), *arrays]


def decode(parts: list[Array]) -> Any:
    """The inverse; FrameError for anything that `encode` could not have made."""
    try:
        return _unpack(json.loads(parts[0].tobytes()), parts[1:])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise FrameError(f"a malformed request: {error}") from None


def _pack(value: Any, arrays: list[Array]) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [_pack(v, arrays) for v in value]
    if kind in _FIELDS:
        return {kind.__name__: [_pack(getattr(value, name), arrays) for name in _FIELDS[kind]]}
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray):
        arrays.append(value.astype(bool if value.dtype == bool else np.int64, copy=False))
        return {"array": len(arrays) - 1}
    if isinstance(value, slice):
        return {"slice": [_pack(v, arrays) for v in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    raise TypeError(f"{kind.__name__} cannot travel in a request")


def _unpack(value: Any, arrays: list[Array]) -> Any:
    if isinstance(value, list):
        return tuple(_unpack(v, arrays) for v in value)
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    special: dict[str, Callable[[], Any]] = {
        "array": lambda: arrays[content],
        "slice": lambda: slice(*_unpack(content, arrays)),
        "ellipsis": lambda: Ellipsis,
    }
    return special[name]() if name in special else _CLASSES[name](*_unpack(content, arrays))
