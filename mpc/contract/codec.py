"""Requests as bytes: JSON for the structure, raw arrays beside it. Only the classes registered here can come out."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, TypeVar

import numpy as np

from mpc.contract import bilinear, views
from mpc.errors import FrameError

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")

_CLASSES: dict[str, type] = {}
_FIELDS: dict[type, tuple[str, ...]] = {}


def register(cls: type[T]) -> type[T]:
    """Class decorator: instances of this dataclass may travel."""
    _CLASSES[cls.__name__] = cls
    _FIELDS[cls] = tuple(f.name for f in dataclasses.fields(cls))  # type: ignore[arg-type]
    return cls


for _cls in (views.Reshape, views.Transpose, views.BroadcastTo, views.Index):
    register(_cls)
for _cls in (bilinear.Multiply, bilinear.Matmul, bilinear.Conv2d, bilinear.Conv2dInput, bilinear.Conv2dWeight):  # type: ignore[assignment]
    register(_cls)


def encode(value: Any) -> list[Array]:
    """`value` as a uint8 array of JSON, and the arrays that it refers to."""
    arrays: list[Array] = []

    def plainly(item: Any) -> Any:
        """What JSON itself has no words for."""
        fields = _FIELDS.get(type(item))
        if fields is not None:
            return {type(item).__name__: [getattr(item, name) for name in fields]}
        if isinstance(item, np.integer):
            return int(item)
        if isinstance(item, np.ndarray):
            arrays.append(item.astype(bool if item.dtype == bool else np.int64, copy=False))
            return {"array": len(arrays) - 1}
        if isinstance(item, slice):
            return {"slice": [item.start, item.stop, item.step]}
        if item is Ellipsis:
            return {"ellipsis": True}
        raise TypeError(f"{type(item).__name__} cannot travel in a request")

    text = json.dumps(value, separators=(",", ":"), default=plainly)
    return [np.frombuffer(text.encode(), np.uint8), *arrays]


def decode(parts: list[Array]) -> Any:
    """The inverse; FrameError for anything that `encode` could not have made."""

    arrays = dict(enumerate(parts[1:]))

    def built(item: dict[str, Any]) -> Any:
        ((name, content),) = item.items()
        if name == "array":
            return arrays.pop(content)  # once each: copies of one that is named often would take any memory
        if name == "slice":
            return slice(*content)
        if name == "ellipsis":
            return Ellipsis
        return _CLASSES[name](*map(_frozen, content))

    try:
        return _frozen(json.loads(parts[0].tobytes(), object_hook=built))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise FrameError(f"a malformed request: {error}") from None


def _frozen(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(map(_frozen, value)) if type(value) is list else value
