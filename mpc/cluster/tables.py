"""Tables of a TOML file, read strictly: every refusal says in which table of which file, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from mpc.errors import ClusterError

T = TypeVar("T")
_KINDS = {str: "a text", bool: "a truth value", int: "a number", float: "a number", dict: "a table", list: "a list"}


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: a question, if one of the known words is like it."""
    found = difflib.get_close_matches(word[:64], list(known), 1)
    return f"; did you mean {found[0]!r}?" if found else "."


@dataclass(frozen=True)
class Table:
    """One table, and the text for its place in messages."""

    place: str
    values: dict[str, Any]

    def refusal(self, text: str) -> ClusterError:
        return ClusterError(f"{self.place}: {text}")

    def allow(self, known: tuple[str, ...], outer: tuple[str, ...] = ()) -> None:
        """Refuse keys that nobody knows. Those of `outer` stand behind a table header by mistake."""
        for key in self.values.keys() - set(known):
            if key in outer:
                raise self.refusal(f"{key!r} does not belong in this table; put it at the top of the file, before all tables")
            shown = repr(key if len(key) <= 64 else f"{key[:61]}...")
            raise self.refusal(f"{shown} is not known here{nearest(key, known)} Known are: {', '.join(known)}")

    def text(self, key: str, default: str | None, example: str) -> str:
        value = self.values.get(key, default)
        if value is None:
            raise self.refusal(f"{key!r} is missing; add {key} = {example}")
        if not isinstance(value, str):
            raise self.refusal(f"{key!r} must be a text in quotes, as in {key} = {example}, not {_kind(value)}")
        return value

    def parsed(self, key: str, parse: Callable[[str], T], example: str, default: str | None = None) -> T:
        """What `parse` makes of a text; what it refuses is refused with the place."""
        value = self.text(key, default, example)
        try:
            return parse(value)
        except ClusterError as error:
            raise self.refusal(f"{key!r}: {error}") from None

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refusal(f"{key!r} must be a whole number from {low} to {high}{_not(value)}")
        return value

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # also not nan
            raise self.refusal(f"{key!r} must be a number of seconds from {low:g} to {high:g}{_not(value)}")
        return float(value)

    def inner(self, key: str) -> Table | None:
        """The table of that name; None if there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.refusal(f"{key!r} must be one table: write [{key}] on a line of its own, once, not {_kind(value)}")
        return None if value is None else Table(f"{self.place}: [{key}]", value)

    def each(self, key: str, least: int, most: int) -> list[Table]:
        """The tables of that name, which are written one after the other."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refusal(f"{key!r}: write [[{key}]], with two brackets, on a line before each of them")
        if not least <= len(value) <= most:
            raise self.refusal(f"it has {len(value)} tables [[{key}]]; there must be {least} to {most}, one for each {key}")
        return [Table(f"{self.place}: [[{key}]] {k} of {len(value)}{_called(item)}", item) for k, item in enumerate(value, 1)]


def _called(item: dict[str, Any]) -> str:
    name = item.get("name")
    return f" ({name!r})" if isinstance(name, str) and len(name) <= 64 else ""


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a date or time")


def _not(value: object) -> str:
    """What was found instead, where that is short."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f", not {_kind(value)}"
    return f", not {value}" if isinstance(value, float) or abs(value) < 1 << 64 else ""
