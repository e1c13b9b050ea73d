"""JSON that somebody else may have written, as the dataclass that it has to be."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from mpc.errors import ResultsError

_LONGEST = 2000  # characters of a text
_MOST = 2.0**63


def checked(kind: Any, value: Any, where: str, cure: str) -> Any:
    """The value as one of this type: a dataclass, a list, a dictionary, a text, a number from 0 on, a union with None.

    ResultsError, which names the place, for anything else, and for texts that cannot be shown.
    """
    problem = ResultsError(f"{where} is not what it has to be; {cure}")
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        if not isinstance(value, dict) or sorted(value) != sorted(names):
            raise problem
        return kind(**{name: checked(hints[name], value[name], f"{where}: {name}", cure) for name in names})  # type: ignore[operator]
    if get_origin(kind) is UnionType:
        (other,) = (each for each in get_args(kind) if each is not NoneType)
        return None if value is None else checked(other, value, where, cure)
    if get_origin(kind) is list and isinstance(value, list):
        (of,) = get_args(kind)
        return [checked(of, item, f"{where} {number}", cure) for number, item in enumerate(value, 1)]
    if get_origin(kind) is dict and isinstance(value, dict):
        return {checked(str, key, where, cure): checked(str, item, where, cure) for key, item in value.items()}
    if kind is float and type(value) in (int, float) and 0 <= value < _MOST:
        return float(value)
    fits = type(value) is kind and (
        (kind is int and 0 <= value < _MOST) or (kind is str and value.isprintable() and len(value) <= _LONGEST) or kind is bool
    )
    if not fits:
        raise problem
    return value
