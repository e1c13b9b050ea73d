"""Where secrets come out."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from mpc.errors import OptionError
from mpc.tensor.base import Secret, same_program, truncate, unsupported
from mpc.tensor.encoding import decode

Parties = int | Iterable[int] | None


def reveal(tensors: Sequence[Secret], to: Parties = None) -> list[Any]:
    """Reveal several tensors in one round (and one more if any must be truncated first)."""
    for t in tensors:
        if not isinstance(t, Secret):
            unsupported("reveal", f"{type(t).__name__} is not a secret tensor")
    if not tensors:
        return []
    same_program(tensors, "reveal")
    protocol = tensors[0].context.protocol
    targets = _parties(to, protocol.endpoint.size)
    tensors = truncate(tensors)
    with protocol.endpoint.revealing():  # here, so that every protocol has it
        values = protocol.reveal([t.share for t in tensors], targets)
    shown = protocol.endpoint.shown
    return [None if v is None else shown(decode(v, t.kind, t.scale), targets) for t, v in zip(tensors, values, strict=True)]


def _parties(to: Parties, size: int) -> list[int]:
    if to is None:
        return list(range(size))
    numbers: Iterable[Any] = to if isinstance(to, Iterable) else [to]
    return sorted({party_number("reveal", "to", number, size) for number in numbers})


def party_number(operation: str, option: str, value: Any, size: int) -> int:
    """`value` as the number of a party; OptionError if there is no such party."""
    try:
        number = operator.index(value)
    except TypeError:
        unsupported(operation, f"{option}={value!r} must be the number of a party, 0 to {size - 1}")
    if not 0 <= number < size:
        raise OptionError(f"{operation}: {option}={value!r} names a party that does not exist; parties are 0 to {size - 1}")
    return number
