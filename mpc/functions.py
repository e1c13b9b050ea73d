"""Functions of secret tensors that NumPy has not, by SciPy's names. Those that NumPy has are its own: np.exp(t), np.sqrt(t), ...

Accuracy, rounds and bytes are in the docstrings: f = 16 fraction bits, the additive protocol with two parties, measured on
dense scans of the whole domain. A unit is one in the last place, 2^-f.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from mpc.tensor import lookup, selection, sorting
from mpc.tensor.base import Secret, unsupported
from mpc.tensor.curves import bounded, roots, soft
from mpc.tensor.dispatch import named
from mpc.tensor.windows import convolution, padding, pooling

P = ParamSpec("P")
R = TypeVar("R")


def _of_secrets(function: Callable[P, R], tensors: int = 1) -> Callable[P, R]:
    """The function, which refuses to be called where none of its first `tensors` arguments is secret."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        values = [*args[:tensors], *kwargs.values()]
        for value in values:  # a class that wraps tensors may take the call, as by NumPy's __array_function__
            take_over: Callable[..., R] | None = getattr(value, "__mpc_function__", None)
            if take_over is not None:
                return take_over(checked, args, kwargs)
        if values and not any(isinstance(value, Secret) for value in values):
            kind = type(values[0]).__name__
            unsupported(function.__name__, f"needs a secret tensor, not {kind}; for public arrays use SciPy or NumPy")
        with named(function.__name__):
            return function(*args, **kwargs)

    return checked


erf = _of_secrets(bounded.erf)
expit = sigmoid = _of_secrets(bounded.expit)
gelu = _of_secrets(bounded.gelu)
silu = _of_secrets(bounded.silu)
softplus = _of_secrets(bounded.softplus)
rsqrt = _of_secrets(roots.rsqrt)
log_softmax = _of_secrets(soft.log_softmax)
logsumexp = _of_secrets(soft.logsumexp)
softmax = _of_secrets(soft.softmax)
one_hot = _of_secrets(lookup.one_hot)
take = _of_secrets(lookup.take, 2)
relu = _of_secrets(selection.relu)
top_k = _of_secrets(sorting.top_k)

# of windows, by PyTorch's names
conv1d = _of_secrets(convolution.conv1d, 3)
conv2d = _of_secrets(convolution.conv2d, 3)
conv_transpose1d = _of_secrets(convolution.conv_transpose1d, 3)
conv_transpose2d = _of_secrets(convolution.conv_transpose2d, 3)
adaptive_avg_pool1d = _of_secrets(pooling.adaptive_avg_pool1d)
adaptive_avg_pool2d = _of_secrets(pooling.adaptive_avg_pool2d)
adaptive_max_pool2d = _of_secrets(pooling.adaptive_max_pool2d)
avg_pool1d = _of_secrets(pooling.avg_pool1d)
avg_pool2d = _of_secrets(pooling.avg_pool2d)
max_pool1d = _of_secrets(pooling.max_pool1d)
max_pool2d = _of_secrets(pooling.max_pool2d)
unfold = _of_secrets(padding.unfold)

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "erf",
    "expit",
    "gelu",
    "log_softmax",
    "logsumexp",
    "max_pool1d",
    "max_pool2d",
    "one_hot",
    "relu",
    "rsqrt",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "take",
    "top_k",
    "unfold",
]
