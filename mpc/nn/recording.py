"""What is recorded while variables are computed with: how each came to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mpc.nn.rules.rule import Lazy, Pullback
from mpc.tensor import Tensor

# each party of a simulation has its own of these
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_layers: ContextVar[tuple[str, ...]] = ContextVar("layers", default=())  # that we are in


def recording() -> bool:
    return _recording.get()


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it nothing is recorded: operations on variables give plain tensors."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


@contextmanager
def layer(name: str) -> Iterator[None]:
    """What is recorded within it counts its costs on the way back under this name."""
    token = _layers.set((*_layers.get(), name))
    try:
        yield
    finally:
        _layers.reset(token)


class Made:
    """How a value came to be: the operands, the way back, and the layers in which it was."""

    __slots__ = ("factors", "layers", "operands", "pullback", "shrink")

    def __init__(self, operands: Sequence[Any], pullback: Pullback):
        self.operands, self.pullback = operands, pullback
        self.shrink: float = getattr(pullback, "shrink", 0.0)
        self.factors: Sequence[Tensor] | None = getattr(pullback, "factors", None)  # None: no gradient is multiplied by secrets
        self.layers = _layers.get()


USED = Made((), lambda gradient: ())  # in place of a history that a backward pass has used up


class Node:
    """A value, its history, and the gradient that arrives there."""

    __slots__ = ("grad", "made", "value")

    def __init__(self, value: Tensor | Lazy, made: Made | None = None):
        self.value, self.made = value, made
        self.grad: Tensor | None = None

    @property
    def wanted(self) -> bool:
        """Whether gradients flow to it."""
        return True

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def tensor(self) -> Tensor:
        """The value. A loss computes it when it is first asked for: training alone does not need it."""
        value: Tensor = self.value.compute() if isinstance(self.value, Lazy) else self.value
        self.value = value
        return value


def nodes(operands: Any) -> Iterator[Node]:
    """Those among the operands, and in lists and tuples of them."""
    for operand in operands:
        if isinstance(operand, Node):
            yield operand
        elif type(operand) in (list, tuple):
            yield from nodes(operand)
