"""What kind of state a program keeps: the same from its first checkpoint on, so that a resumed run can go on from any."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.checkpoints.state import Kept, is_stateful, is_unknown
from mpc.errors import CheckpointError, Error
from mpc.tensor import Tensor

Outline = None | str | dict[str, Any] | tuple[str, list[Any]]

_OBJECT = "a network, optimiser or the like"
_PLAIN = ("a number", "a text", "bytes")


def outline(value: Any) -> Outline:
    """None for None, which stands for anything that comes later; texts that describe; dicts, lists and tuples of such."""
    if value is None:
        return None
    if isinstance(value, Tensor):
        return f"a secret {value.kind} tensor of shape {value.shape}"
    if (isinstance(value, np.ndarray) or is_unknown(value)) and value.shape:
        return f"an array of {value.dtype} of shape {value.shape}"
    if isinstance(value, dict):
        return {key: outline(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [outline(item) for item in value]
    if isinstance(value, Kept) or is_stateful(value):
        return _OBJECT
    return "a text" if isinstance(value, str) else "bytes" if isinstance(value, bytes) else "a number"


def difference(first: Outline, later: Outline, path: str = "state") -> str | None:
    """Where and how a later state is not one that the first can stand for. Lists of plain values may grow and shrink."""
    if first is None:
        return f"{path} was None at first and cannot become {_OBJECT}" if _holds_object(later) else None
    if isinstance(first, dict) and isinstance(later, dict):
        for key in [*first, *later]:
            if key not in first or key not in later:
                return f"{path} {'has no' if key in first else 'has a new'} key {key!r}"
        found = (difference(first[key], later[key], f"{path}[{key!r}]") for key in first)
        return next(filter(None, found), None)
    if isinstance(first, tuple) and isinstance(later, tuple) and first[0] == later[0]:
        if len(first[1]) == len(later[1]):
            found = (difference(a, b, f"{path}[{k}]") for k, (a, b) in enumerate(zip(first[1], later[1], strict=True)))
            return next(filter(None, found), None)
        if all(item is None or item in _PLAIN for item in [*first[1], *later[1]]):
            return None
    return None if first == later else f"{path} is {_named(later)} in place of {_named(first)}"


def _holds_object(what: Outline) -> bool:
    if isinstance(what, dict):
        return any(map(_holds_object, what.values()))
    return any(map(_holds_object, what[1])) if isinstance(what, tuple) else what == _OBJECT


def _named(what: Outline) -> str:
    if isinstance(what, dict):
        return f"a dict of {len(what)}"
    if isinstance(what, tuple):
        return f"a {what[0]} of {len(what[1])}"
    return what or "None"


def place(given: Any, kept: Any, path: str = "state") -> Any:
    """What was kept, with the states of networks and the like loaded into those that the program has in their places."""
    if isinstance(kept, Kept):
        try:
            given.load_state_dict(kept.state)
        except Error as error:
            raise CheckpointError(f"{path} does not take the state that was kept of it: {error}") from error
        return given
    if isinstance(kept, dict) and isinstance(given, dict):
        return {key: place(given[key], item, f"{path}[{key!r}]") for key, item in kept.items()}
    if isinstance(kept, list | tuple) and isinstance(given, list | tuple) and len(given) == len(kept):
        return type(kept)(place(a, b, f"{path}[{k}]") for k, (a, b) in enumerate(zip(given, kept, strict=True)))
    return kept
