"""Dropout."""

from __future__ import annotations

from typing import Any

from mpc.errors import OptionError
from mpc.nn.module import Module


class Dropout(Module):
    """In training, elements become 0 with probability p, and the others are divided by 1 - p; in `eval()`, nothing happens.

    Which elements is public: drawn jointly by the parties, so a product with public numbers. Local; for p = 0.5 without a
    truncation. `inplace` changes nothing: tensors are immutable.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False):
        if not 0 <= p <= 1:
            raise OptionError(f"p must be from 0 to 1, not {p}")
        self.p = p

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return x * 0
        return x * ((self.party.random.random(*x.shape) >= self.p) / (1 - self.p))

    def extra_repr(self) -> str:
        return f"p={self.p}"
