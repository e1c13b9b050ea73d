"""Requests as bytes: JSON for the structure, numbers and raw arrays beside it. Only the classes registered here can come out.

What a class lists as `numbered` are numbers of masks, different each time that the same is asked for: the text has their places.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mpc.contract import bilinear, views
from mpc.errors import FrameError

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")

_CLASSES: dict[str, type] = {}
_FIELDS: dict[type, tuple[str, ...]] = {}
_NUMBERED: dict[type, tuple[int, ...]] = {}  # the places of numbers among the fields


def register(cls: type[T]) -> type[T]:
    """Class decorator: instances of this dataclass may travel."""
    _CLASSES[cls.__name__] = cls
    _FIELDS[cls] = tuple(f.name for f in dataclasses.fields(cls))  # type: ignore[arg-type]
    _NUMBERED[cls] = tuple(map(_FIELDS[cls].index, getattr(cls, "numbered", ())))
    return cls


for _cls in (views.Reshape, views.Transpose, views.BroadcastTo, views.Index):
    register(_cls)
for _cls in (bilinear.Multiply, bilinear.Matmul, bilinear.Conv2d, bilinear.Conv2dInput, bilinear.Conv2dWeight):  # type: ignore[assignment]
    register(_cls)


class Encoded(NamedTuple):
    """`text` is the same wherever only numbers differ; in it stand their places, from 1, and those of the arrays."""

    text: bytes
    numbers: tuple[int, ...]
    arrays: tuple[Array, ...]

    def same_but_numbers(self, other: Encoded) -> bool:
        return self.text == other.text and all(map(_same, self.arrays, other.arrays))


def encode(value: Any) -> Encoded:
    """`value`, its numbers and the arrays that it refers to apart."""
    numbers: list[int] = []
    arrays: list[Array] = []

    def plainly(item: Any) -> Any:
        """What JSON itself has no words for."""
        fields = _FIELDS.get(type(item))
        if fields is not None:
            content = [getattr(item, name) for name in fields]
            for place in _NUMBERED[type(item)]:
                numbers.append(content[place])
                content[place] = len(numbers)
            return {type(item).__name__: content}
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
    return Encoded(text.encode(), tuple(numbers), tuple(arrays))


class Decoded(NamedTuple):
    """A value with places where its numbers belong, and how many these are."""

    value: Any
    numbers: int


def decode(text: bytes, arrays: Iterable[Array] = ()) -> Decoded:
    """The inverse, of a text whose arrays are the next of these; FrameError for what `encode` could not have made."""
    places = zip(count(), arrays, strict=False)
    numbers = 0

    def built(item: dict[str, Any]) -> Any:
        nonlocal numbers
        ((name, content),) = item.items()
        if name == "array":
            place, array = next(places)  # once each, in order: copies of one that is named often would take any memory
            if place != content:
                raise ValueError("arrays out of their order")
            return array
        if name == "slice":
            return slice(*content)
        if name == "ellipsis":
            return Ellipsis
        cls = _CLASSES[name]
        numbers += len(_NUMBERED[cls])
        return cls(*map(_frozen, content))

    try:
        return Decoded(_frozen(json.loads(text, object_hook=built)), numbers)
    except (StopIteration, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise FrameError(f"a malformed request: {error}") from None


def _same(a: Array, b: Array) -> bool:
    return a is b or (a.dtype == b.dtype and np.array_equal(a, b))


def _frozen(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(map(_frozen, value)) if type(value) is list else value
