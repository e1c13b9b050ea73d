"""What optimisers have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import OptionError, UsageError
from mpc.nn.module import Parameter
from mpc.tensor import Tensor
from mpc.tensor.base import truncate

_FACTOR_BITS = 10  # of a public factor: its relative error is below 2^-10


class Optimizer:
    """Changes parameters by their gradients: `zero_grad()`, `loss.backward()`, `step()`.

    `lr` may be changed between steps, as schedules do.
    """

    def __init__(self, params: Iterable[Parameter], lr: float):
        self.params = list(params)
        if not self.params:
            raise UsageError("an optimiser without parameters: pass net.parameters(), of a network that net.to(party) returned")
        if not lr >= 0:
            raise OptionError(f"lr must be 0 or more, not {lr}")
        self.lr = lr

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.grad = None

    def step(self) -> None:
        """Change those parameters that have a gradient, all of them in the same rounds."""
        chosen = [parameter for parameter in self.params if parameter.grad is not None and parameter.requires_grad]
        if not chosen:
            raise UsageError("step: no parameter has a gradient; call loss.backward() first")
        with self._scope(chosen[0]):
            self._update(chosen)

    def _scope(self, parameter: Parameter) -> Any:
        return parameter.tensor.context.protocol.endpoint.scope("step")

    def _update(self, params: Sequence[Parameter]) -> None:
        raise NotImplementedError


def times(x: Tensor, factor: float) -> Tensor:
    """x * factor, not truncated, for a public factor in few bits (10: a relative error below 2^-10). Local.

    So a step needs no truncation between a gradient and its product with the learning rate. |x| may have 2^20 less room.
    """
    if factor == 0:
        return x * 0
    exponent = _FACTOR_BITS - math.frexp(factor)[1]
    word = round(math.ldexp(factor, exponent))
    while word % 2 == 0:
        word, exponent = word // 2, exponent - 1
    exponent, word = (exponent, word) if exponent > 0 else (0, word << -exponent)
    protocol = x.context.protocol
    share = x.share if word == 1 else protocol.bilinear(MULTIPLY, x.share, np.asarray(np.int64(word).astype(np.uint64)))
    return x.like(share, scale=x.scale + exponent)


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum, at the scale of the finest term, not truncated. Local."""
    scale = max(t.scale for t in terms)
    protocol = terms[0].context.protocol
    shares = [
        t.share if t.scale == scale else protocol.bilinear(MULTIPLY, t.share, np.asarray(np.uint64(1 << (scale - t.scale))))
        for t in terms
    ]
    share = shares[0]
    for other in shares[1:]:
        share = protocol.add(share, other)
    return terms[0].like(share, scale=scale)


def settled(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Truncated, all in one round."""
    return truncate(list(tensors))
