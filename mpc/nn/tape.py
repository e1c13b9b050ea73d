"""Variables: tensors whose operations are recorded, so that `backward` can go through them in reverse.

An operation on a variable looks up a gradient rule by its name (mpc.nn.rules). The rule computes the result, and returns with
it the pullback, which takes the gradient of the result to those of the operands. So a backward pass works with what the
forward pass has opened, compared and selected already.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from mpc.errors import ShapeError, UsageError
from mpc.nn.arrays import Arrays
from mpc.nn.backward import send_back
from mpc.nn.recording import Made, Node, nodes, recording
from mpc.nn.rules import COMPOSED, CONSTANT, RULES
from mpc.nn.rules.rule import Lazy, Rule
from mpc.tensor import Tensor
from mpc.tensor.dispatch import given_arguments


class Variable(Node, Arrays):
    """A secret tensor that gradients flow to. It takes operators and NumPy functions as tensors do; `tensor` is its value.

    `Variable(t)` makes one of an input; parameters of modules are variables. `grad` is set by `backward`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Variable(<secret>, shape={self.shape}, dtype={self.dtype})"

    def detach(self) -> Tensor:
        """The value, without its history."""
        return self.tensor

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this to the `grad` of every variable that it was made of. The history is used up by that.

        `gradient` (of something later, with respect to this; its shape) may be left out for a scalar. Where a scalar is a mean
        of n elements, the gradients on the way are those of their sum, so that none is too small for fixed point; what arrives
        in `grad` is divided by n. Cost: the rules' own; independent gradients are truncated and opened together.
        """
        if gradient is None:
            if self.size != 1:
                raise ShapeError(f"backward: a gradient must be given for a result of shape {self.shape}; only a scalar has one")
        elif np.shape(gradient) != self.shape:
            raise ShapeError(f"backward: a gradient of shape {np.shape(gradient)} for a result of shape {self.shape}")
        send_back(self, gradient)

    def _apply(self, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return apply(name, function, args, kwargs)


# ---------------------------------------------------------------------------------------- recording


def value_of(operand: Any) -> Any:
    """Without history, in lists and tuples too."""
    if isinstance(operand, Variable):
        return operand.tensor
    if type(operand) in (list, tuple):
        return type(operand)(value_of(part) for part in operand)
    return operand


def apply(name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The operation `name` on operands of which some are variables: by its rule; without one, `function` on their values."""
    rule = RULES.get(name)
    wanted = recording() and any(variable.wanted for variable in nodes((*args, *kwargs.values())))
    if wanted and name in COMPOSED:
        return COMPOSED[name](*args, **given_arguments(name, kwargs))
    if name in CONSTANT or not wanted:
        return function(*map(value_of, args), **{key: value_of(value) for key, value in kwargs.items()})
    if rule is None:
        raise UsageError(f"{name} has no gradient here; take .detach() of its operands, if none shall flow through it")
    return record(name, rule, args, kwargs)


def record(name: str, rule: Rule, args: Sequence[Any], kwargs: dict[str, Any] | None = None) -> Any:
    """The result of a rule: a variable, if gradients flow to an operand and something is recorded; else a tensor."""
    try:
        bound = _signature(rule).bind(*args, **given_arguments(name, kwargs or {}))
    except TypeError as error:
        raise UsageError(f"{name}: {error}") from None
    operands = bound.args
    value, pullback = rule(*map(value_of, operands), **bound.kwargs)
    if recording() and any(variable.wanted for variable in nodes(operands)):
        return Variable(value, Made(operands, pullback))
    return value.compute() if isinstance(value, Lazy) else value


@cache
def _signature(rule: Rule) -> inspect.Signature:
    return inspect.signature(rule)
