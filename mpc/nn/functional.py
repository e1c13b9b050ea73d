"""Functions of networks, by PyTorch's names, on tensors and variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc import functions
from mpc.nn.rules.order import leaky_relu as _leaky_relu
from mpc.nn.tape import record

relu: Callable[[Any], Any] = functions.relu
gelu: Callable[[Any], Any] = functions.gelu
silu: Callable[[Any], Any] = functions.silu
sigmoid: Callable[[Any], Any] = functions.expit
softplus: Callable[[Any], Any] = functions.softplus
tanh: Callable[[Any], Any] = np.tanh


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x @ weight.T + bias: x (..., in), weight (out, in), bias (out). 1 round: what is not open of x and weight is opened."""
    product = x @ np.transpose(weight)
    return product if bias is None else product + bias


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where it is positive, else negative_slope * x. Costs of relu."""
    return record("leaky_relu", _leaky_relu, (x, negative_slope))


def softmax(x: Any, dim: int = -1) -> Any:
    return functions.softmax(x, axis=dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    return functions.log_softmax(x, axis=dim)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes start_dim to end_dim as one."""
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return np.reshape(x, (*x.shape[:first], -1, *x.shape[last + 1 :]))
