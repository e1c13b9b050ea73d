"""Secure multi-party computation for people who use NumPy. Start at README.md."""

from importlib import import_module
from typing import Any

from mpc import errors, functions, ring
from mpc.errors import Error
from mpc.launch import run, simulate
from mpc.session import Party
from mpc.tensor import Tensor

__all__ = ["Error", "Party", "Tensor", "errors", "functions", "ring", "learn", "nn", "onnx", "run", "simulate"]
__version__ = "0.1.0"

_WHEN_USED = ("learn", "nn", "onnx")  # rooms that a program may do without


def __getattr__(name: str) -> Any:
    if name in _WHEN_USED:
        return import_module(f"mpc.{name}")
    raise AttributeError(f"module 'mpc' has no attribute '{name}'")
