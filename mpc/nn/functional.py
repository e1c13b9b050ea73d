"""Functions of networks, by PyTorch's names, on tensors and variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpc import functions
from mpc.functions import (  # noqa: F401 - by the same names here
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    max_pool1d,
    max_pool2d,
    unfold,
)
from mpc.nn.rules.normalisation import layer_norm as _layer_norm
from mpc.nn.rules.order import leaky_relu as _leaky_relu
from mpc.nn.rules.windows import pad as _pad
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


def pad(x: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """x with (before, after) of the last axis, then of the one before: constant, reflect, replicate or circular. Local."""
    return record("pad", _pad, (x, pad, mode, value))


def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """The last axes, of these sizes, normalised; times weight, plus bias. Forward: 11 rounds; backward: 4."""
    return record("layer_norm", _layer_norm, (x, tuple(normalized_shape), weight, bias, eps))
