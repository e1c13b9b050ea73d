"""Activations. What each costs and how accurate it is stands at its function in mpc.functions."""

from __future__ import annotations

from typing import Any

from mpc.nn import functional as F
from mpc.nn.module import Module


class ReLU(Module):
    """max(x, 0). Forward: 4 rounds, 12.375 bytes an element; backward: 1 round, 8.125 bytes, by the same sign bits.

    `inplace` changes nothing: tensors are immutable.
    """

    monotone = True

    def __init__(self, inplace: bool = False):
        pass

    def forward(self, x: Any) -> Any:
        return F.relu(x)


class LeakyReLU(Module):
    """x where it is positive, else negative_slope * x. As ReLU, with 2 rounds more each way. `inplace` changes nothing."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class GELU(Module):
    """x Phi(x), of the normal distribution. Backward: erf and exp of the same opening."""

    def forward(self, x: Any) -> Any:
        return F.gelu(x)


class SiLU(Module):
    """x sigmoid(x). `inplace` changes nothing."""

    def __init__(self, inplace: bool = False):
        pass

    def forward(self, x: Any) -> Any:
        return F.silu(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)). Backward: s (1 - s), of its own value s."""

    monotone = True

    def forward(self, x: Any) -> Any:
        return F.sigmoid(x)


class Tanh(Module):
    """tanh(x). Backward: 1 - t^2, of its own value t."""

    monotone = True

    def forward(self, x: Any) -> Any:
        return F.tanh(x)


class Softplus(Module):
    """log(1 + exp(x))."""

    monotone = True

    def forward(self, x: Any) -> Any:
        return F.softplus(x)


class Softmax(Module):
    """exp(x) over its sum along `dim`."""

    def __init__(self, dim: int = -1):
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return F.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of softmax."""

    def forward(self, x: Any) -> Any:
        return F.log_softmax(x, self.dim)
