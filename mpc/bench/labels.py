"""How what was measured is told apart: by the options in which it differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mpc.bench.results import Measured


class Option(NamedTuple):
    """`of`: its value, as text; `words`: how that stands amid other words."""

    name: str
    of: Callable[[Measured], str]
    words: str


OPTIONS = (
    Option("protocol", lambda each: each.configuration.protocol, "protocol {}"),
    Option("n", lambda each: str(each.configuration.parties), "{} parties"),
    Option("network", lambda each: each.configuration.network, "network {}"),
    Option("f", lambda each: str(each.configuration.fraction_bits), "{} fraction bits"),
)


def differing(rows: Sequence[Measured]) -> list[Option]:
    """The options that not all have in common."""
    return [option for option in OPTIONS if len({option.of(each) for each in rows}) > 1]


def in_common(rows: Sequence[Measured]) -> str:
    """In words, the options that all have in common."""
    shared = [option for option in OPTIONS if option not in differing(rows)]
    return ", ".join(option.words.format(option.of(rows[0])) for option in shared) if rows else ""


def label(name: str, measured: Measured, options: Sequence[Option] = OPTIONS) -> str:
    """A name, and the values of these options."""
    return ", ".join([name, *(option.words.format(option.of(measured)) for option in options)])
