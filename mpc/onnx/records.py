"""How many records a serialized protocol buffer has, found without building it.

An empty message of two bytes takes hundreds when it is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VARINT, _LONG, _BYTES, _SHORT = 0, 1, 2, 5
_DEEPEST = 32


def count(data: memoryview, kind: Any, most: int) -> int:
    """The fields of a message of this descriptor, and of the messages in it. ValueError for more than `most`, or what is none."""
    return sum(1 for _ in _limited(_fields(data, kind, _DEEPEST), most))


def _limited(fields: Iterator[None], most: int) -> Iterator[None]:
    for number, field in enumerate(fields, 1):
        if number > most:
            raise ValueError(f"it has more than {most} records")
        yield field


def _fields(data: memoryview, kind: Any, depth: int) -> Iterator[None]:
    if depth == 0:
        raise ValueError(f"its messages nest deeper than {_DEEPEST}")
    place = 0
    while place < len(data):
        yield None
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == _VARINT:
            _, place = _varint(data, place)
        elif wire in (_LONG, _SHORT):
            place += 8 if wire == _LONG else 4
        elif wire == _BYTES:
            size, place = _varint(data, place)
            field = kind.fields_by_number.get(tag >> 3)
            if field is not None and field.message_type is not None:
                yield from _fields(data[place : place + size], field.message_type, depth - 1)
            place += size
        else:
            raise ValueError(f"a field has the wire type {wire}")
    if place != len(data):
        raise ValueError("it ends within a field")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number that stands there, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place == len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number has no end")
