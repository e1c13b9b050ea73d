"""Variables: tensors whose operations are recorded, so that `backward` can go through them in reverse.

An operation on a variable looks up a gradient rule by its name (mpc.nn.rules). The rule computes the result, and returns with
it the pullback, which takes the gradient of the result to those of the operands. So a backward pass works with what the
forward pass has opened, compared and selected already.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from mpc.errors import ShapeError, UsageError
from mpc.nn.arrays import Arrays
from mpc.nn.rules import CONSTANT, PRODUCTS, RULES
from mpc.nn.rules.rule import Gradient, Lazy, Pullback, Rule
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import rescaled
from mpc.tensor.base import truncate
from mpc.tensor.dispatch import given_arguments

_recording: ContextVar[bool] = ContextVar("recording", default=True)  # each party of a simulation has its own


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it nothing is recorded: operations on variables give plain tensors."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


class _Made:
    """How a variable came to be: its operation, the operands, and the way back."""

    __slots__ = ("name", "operands", "pullback", "shrink")

    def __init__(self, name: str, operands: Sequence[Any], pullback: Pullback, shrink: float):
        self.name, self.operands, self.pullback, self.shrink = name, operands, pullback, shrink


class Variable(Arrays):
    """A secret tensor that gradients flow to. It takes operators and NumPy functions as tensors do; `tensor` is its value.

    `Variable(t)` makes one of an input; parameters of modules are variables. `grad` is set by `backward`.
    """

    __slots__ = ("_made", "_value", "grad")

    def __init__(self, value: Tensor | Lazy, made: _Made | None = None):
        self._value, self._made = value, made
        self.grad: Tensor | None = None

    def __repr__(self) -> str:
        return f"Variable(<secret>, shape={self.shape}, dtype={self.dtype})"

    @property
    def tensor(self) -> Tensor:
        """The value. A loss computes it when it is first asked for: training alone does not need it."""
        value: Tensor = self._value.compute() if isinstance(self._value, Lazy) else self._value
        self._value = value
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    def detach(self) -> Tensor:
        """The value, without its history."""
        return self.tensor

    @property
    def wanted(self) -> bool:
        """Whether gradients flow to it."""
        return True

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this to the `grad` of every variable that it was made of. The history is used up by that.

        `gradient` (of something later, with respect to this; its shape) may be left out for a scalar. Where a scalar is a mean
        of n elements, the gradients on the way are those of their sum, so that none is too small for fixed point; what arrives
        in `grad` is divided by n. Cost: the rules' own; independent gradients are truncated and opened together.
        """
        bits = 0
        if gradient is None:
            if self.size != 1:
                raise ShapeError(f"backward: a gradient must be given for a result of shape {self.shape}; only a scalar has one")
            bits = _divisor_bits(self)
            gradient = np.full(self.shape, 2.0**bits)
        _send_back(self, gradient, bits)

    def _apply(self, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return apply(name, function, args, kwargs)


def _divisor_bits(variable: Variable) -> int:
    """By how many bits a scalar's gradient would shrink on the way to the arrays that it averages."""
    total, made = 0.0, variable._made
    while made is not None:
        total += made.shrink
        (parent,) = _variables(made.operands) if len(list(_variables(made.operands))) == 1 else (None,)
        made = parent._made if parent is not None and parent.size == 1 else None
    return math.ceil(min(max(total, 0.0), 16.0))


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
    if name in CONSTANT:
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
    if _recording.get() and any(variable.wanted for variable in _variables(operands)):
        return Variable(value, _Made(name, operands, pullback, getattr(pullback, "shrink", 0.0)))
    return value.compute() if isinstance(value, Lazy) else value


@cache
def _signature(rule: Rule) -> inspect.Signature:
    return inspect.signature(rule)


def _variables(operands: Any) -> Iterator[Variable]:
    for operand in operands:
        if isinstance(operand, Variable):
            yield operand
        elif type(operand) in (list, tuple):
            yield from _variables(operand)


# ---------------------------------------------------------------------------------------- going back


def _send_back(last: Variable, gradient: Any, bits: int) -> None:
    """From `last` to the leaves, by waves: variables whose gradients are complete, and that so share their rounds."""
    waiting = _uses(last)
    gradients: dict[int, Any] = {id(last): gradient}
    wave = [last]
    while wave:
        arrived = [gradients.pop(id(variable)) for variable in wave]
        _open_together([g for v, g in zip(wave, arrived, strict=True) if v._made is not None and v._made.name in PRODUCTS])
        following = []
        for variable, g in zip(wave, arrived, strict=True):
            made, variable._made = variable._made, None
            if made is None:
                _keep(variable, g, bits)
                continue
            for parent, part in _parts(made.operands, made.pullback(g)):
                if part is not None:
                    part = part() if callable(part) else part
                    gradients[id(parent)] = gradients[id(parent)] + part if id(parent) in gradients else part
                waiting[id(parent)] -= 1
                if not waiting[id(parent)] and id(parent) in gradients:
                    following.append(parent)
        wave = following


def _uses(last: Variable) -> dict[int, int]:
    """How many gradients each variable that `last` was made of waits for."""
    if last._made is None:
        raise UsageError("backward: nothing was recorded for this, or its history is used up; compute it again")
    waiting: dict[int, int] = {}
    todo = [last]
    while todo:
        made = todo.pop()._made
        for parent in _variables(made.operands if made is not None else ()):
            if parent.wanted:
                if id(parent) not in waiting:
                    todo.append(parent)
                waiting[id(parent)] = waiting.get(id(parent), 0) + 1
    return waiting


def _parts(operands: Any, gradients: Any) -> Iterator[tuple[Variable, Gradient]]:
    """Each wanted variable among the operands with its gradient."""
    for operand, part in zip(operands, gradients, strict=False):
        if isinstance(operand, Variable):
            if operand.wanted:
                yield operand, part
        elif type(operand) in (list, tuple):
            yield from _parts(operand, part)


def _open_together(gradients: Sequence[Any]) -> None:
    """Truncate, and open, what is multiplied next: one round for all."""
    tensors = [g for g in gradients if isinstance(g, Tensor)]
    if tensors:
        ready = truncate(tensors)
        tensors[0].context.protocol.open([t.share for t in ready])


def _keep(variable: Variable, gradient: Any, bits: int) -> None:
    if not isinstance(gradient, Tensor):  # public, as that of a sum is
        gradient = variable.tensor * 0 + gradient
    gradient = rescaled(gradient, bits) if bits else gradient
    variable.grad = gradient if variable.grad is None else variable.grad + gradient
