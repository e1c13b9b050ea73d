"""Functions of one variable and their relatives, by NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

UFUNCS: dict[str, Function] = {}

FUNCTIONS: dict[str, Function] = {}
