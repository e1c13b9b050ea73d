"""What optimisers have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import MissingError, OptionError, UsageError
from mpc.nn.module import Module, Parameter
from mpc.nn.tape import Variable
from mpc.tensor import Tensor
from mpc.tensor.joining import concatenate

_FACTOR_BITS = 10  # of a public factor: its relative error is below 2^-10


class Optimizer:
    """Changes parameters by their gradients: `zero_grad()`, `loss.backward()`, `step()`.

    `lr` may be changed between steps, as schedules do.
    """

    def __init__(self, params: Iterable[Parameter], lr: float):
        self.params = _parameters(params)
        self.lr = not_negative("lr", lr)

    @property
    def param_groups(self) -> NoReturn:
        raise MissingError("param_groups: an optimiser has one group of parameters, and one learning rate: optimizer.lr")

    def zero_grad(self) -> None:
        for parameter in self.params:
            parameter.grad = None

    def step(self) -> None:
        """Change those parameters that have a gradient, all of them in the same rounds."""
        not_negative("lr", self.lr)
        chosen = [parameter for parameter in self.params if parameter.grad is not None and parameter.requires_grad]
        if not chosen:
            raise UsageError("step: no parameter has a gradient; call loss.backward() first")
        with self._scope(chosen[0]):
            self._update(chosen)

    def _scope(self, parameter: Parameter) -> Any:
        return parameter.tensor.context.protocol.endpoint.scope("step")

    def _update(self, params: Sequence[Parameter]) -> None:
        raise NotImplementedError


def not_negative(name: str, value: Any) -> float:
    """The value of a public option, a finite number from 0 on."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UsageError(f"{name} must be a number, not {type(value).__name__}")
    number = float(value)
    if not 0 <= number < math.inf:
        raise OptionError(f"{name} must be 0 or more, and finite, not {value}")
    return number


def _parameters(params: Any) -> list[Parameter]:
    """What an optimiser changes, each once."""
    if isinstance(params, Module):
        raise UsageError("an optimiser takes net.parameters(), not the network itself")
    if isinstance(params, Variable | Tensor) or not isinstance(params, Iterable):
        raise UsageError(
            f"an optimiser takes a list of parameters, not {type(params).__name__}: net.parameters(), or [parameter]"
        )
    several = list(params)
    if not several:
        raise UsageError("an optimiser without parameters: pass net.parameters(), of a network that net.to(party) returned")
    for p in several:
        if isinstance(p, Mapping):
            raise UsageError("there are no groups of parameters: make one optimiser for each, with its own learning rate")
        if not isinstance(p, Parameter):
            raise UsageError(f"an optimiser changes parameters, nn.Parameter, not {type(p).__name__}; pass net.parameters()")
        if not p.ready:
            raise UsageError(
                "an optimiser of parameters that have no values: it was made before net.to(party), which returns a copy "
                "with values: write model = net.to(party), and pass model.parameters()"
            )
    return list({id(p): p for p in several}.values())


def short(factor: float, bits: int = _FACTOR_BITS) -> tuple[int, int]:
    """(word, exponent): the factor as word / 2^exponent in a few bits, with a relative error below 2^-bits."""
    if factor == 0:
        return 0, 0
    exponent = bits - math.frexp(factor)[1]
    word = round(math.ldexp(factor, exponent))
    while word % 2 == 0:
        word, exponent = word // 2, exponent - 1
    return (word, exponent) if exponent > 0 else (word << -exponent, 0)


def times(x: Tensor, factor: float, bits: int = _FACTOR_BITS) -> Tensor:
    """x * factor, not truncated, for a public factor in few bits (a relative error below 2^-bits). Local.

    So a step needs no truncation between a gradient and its product with the learning rate.
    """
    word, exponent = short(factor, bits)
    return x.like(_multiple(x, word), scale=x.scale + exponent)


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum, at the scale of the finest term, not truncated. Local."""
    scale = max(t.scale for t in terms)
    protocol = terms[0].context.protocol
    share = None
    for t in terms:
        part = _multiple(t, 1 << (scale - t.scale))
        share = part if share is None else protocol.add(share, part)
    return terms[0].like(share, scale=scale)


def _multiple(x: Tensor, word: int) -> Any:
    return x.share if word == 1 else x.context.protocol.bilinear(MULTIPLY, x.share, np.asarray(np.int64(word).view(np.uint64)))


def settled(tensors: Sequence[Tensor], scales: int | Sequence[int], squared: int = 0) -> list[Tensor]:
    """The same values with so many fraction bits: those that have more are truncated, all in one round.

    The first `squared` of them are multiplied next: what needs no truncation is opened for that in the same round.
    """
    wanted = [scales] * len(tensors) if isinstance(scales, int) else scales
    long = [t.scale > scale for t, scale in zip(tensors, wanted, strict=True)]
    result = [
        t if more else t.like(_multiple(t, 1 << (scale - t.scale)), scale=scale)
        for t, scale, more in zip(tensors, wanted, long, strict=True)
    ]
    items = [(t.share, t.scale - scale) for t, scale, more in zip(tensors, wanted, long, strict=True) if more]
    opening = [t.share for t, more in zip(result[:squared], long, strict=False) if not more]
    shares = iter(tensors[0].context.protocol.truncate(items, opening) if items else ())
    return [t.like(next(shares), scale=scale) if more else t for t, scale, more in zip(result, wanted, long, strict=True)]


# ---------------------------------------------------------------------------------------- all parameters as one vector


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """One after the other, as a vector. Local; they have one scale."""
    joined: Tensor = concatenate([t.reshape(-1) for t in tensors])
    return joined


def parted(vector: Tensor, models: Sequence[Any]) -> list[Tensor]:
    """The parts of a vector that `flat` made, in the models' shapes. Local."""
    ends = np.cumsum([model.size for model in models])
    return [vector[end - model.size : end].reshape(model.shape) for end, model in zip(ends, models, strict=True)]
