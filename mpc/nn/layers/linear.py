"""Linear, Flatten and Identity."""

from __future__ import annotations

from typing import Any

from mpc.nn import functional as F
from mpc.nn.init import Uniform
from mpc.nn.module import Module, Parameter
from mpc.nn.parameter import whole


class Linear(Module):
    """x @ weight.T + bias for x of shape (..., in_features): torch.nn.Linear.

    Forward: 1 round; 8 bytes an element of x and of the weight, which both stay open for the backward pass. Backward: 1
    round, 8 bytes an element of the gradient. What they give is truncated by whatever needs it.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        self.in_features = whole("Linear: in_features", in_features)
        self.out_features = whole("Linear: out_features", out_features)
        self.weight = Parameter((self.out_features, self.in_features), Uniform(self.in_features))
        self.bias = Parameter((self.out_features,), Uniform(self.in_features)) if bias else None

    def forward(self, x: Any) -> Any:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Axes start_dim to end_dim as one. Local."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        return F.flatten(x, self.start_dim, self.end_dim)


class Identity(Module):
    """Gives its input."""

    def forward(self, x: Any) -> Any:
        return x
