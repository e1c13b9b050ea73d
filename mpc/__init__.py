"""Secure multi-party computation for people who use NumPy. Start at README.md."""

from mpc import errors, functions, ring
from mpc.errors import Error
from mpc.launch import run, simulate
from mpc.session import Party
from mpc.tensor import Tensor

__all__ = ["Error", "Party", "Tensor", "errors", "functions", "ring", "run", "simulate"]
__version__ = "0.1.0"
