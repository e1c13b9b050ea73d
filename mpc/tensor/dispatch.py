"""NumPy's way to our functions: what it hands over is checked against the function's signature, then called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from mpc.errors import RangeError, UsageError

# Arguments that no tensor function takes, with the value that asks for nothing (as None does).
REFUSED: dict[str, Any] = {"out": None, "dtype": None, "where": True, "casting": "same_kind"}


def full_name(function: Any) -> str:
    """np.sum, np.linalg.outer, ...: how a NumPy function is called in programs."""
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__}"


def call(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """function(*args, **kwargs), where NumPy's placeholders count as not given; UsageError for arguments it cannot take."""
    given = given_arguments(name, kwargs)
    try:
        bound = _signature(function).bind(*args, **given)
    except TypeError as error:
        raise UsageError(f"{name}: {error}") from None
    refuse(name, **bound.arguments)
    with named(name.rpartition(".")[2]):
        return function(*args, **given)


@contextmanager
def named(operation: str) -> Iterator[None]:
    """A RangeError of one of its steps names the operation that the program called."""
    try:
        yield
    except RangeError as error:
        text = re.sub(r"operation '(\w+)'", f"operation '{operation}'", str(error), count=1)
        if text == str(error):
            raise
        raise RangeError(text) from error


def given_arguments(name: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Those that ask for something; UsageError if one of REFUSED does."""
    given = {key: value for key, value in kwargs.items() if value is not np._NoValue}
    refuse(name, **given)
    return {key: value for key, value in given.items() if key not in REFUSED}


def refuse(name: str, **arguments: Any) -> None:
    """UsageError if one of REFUSED has a value that asks for something."""
    for key, value in arguments.items():
        if key in REFUSED and value is not None and (type(value) is not type(REFUSED[key]) or value != REFUSED[key]):
            cure = "select first, as in np.sum(np.where(mask, t, 0))" if key == "where" else "take the result instead"
            raise UsageError(f"{name}: {key}= cannot be used with secret tensors, which are immutable: {cure}")


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)
