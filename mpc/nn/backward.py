"""From a result to what it was made of: gradients, in the reverse order of the operations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from mpc.errors import UsageError
from mpc.fixed import RAW_BITS
from mpc.nn.recording import USED, Made, Node, nodes
from mpc.nn.rules.rule import Gradient, Lazy
from mpc.party import Endpoint
from mpc.tensor import Tensor
from mpc.tensor.arithmetic import rescaled
from mpc.tensor.base import Context, truncate

_GRADIENT_BITS = 14  # gradients of a sum may be that large


def _divisor_bits(last: Node, fraction_bits: int) -> int:
    """By how many bits a scalar's gradient would shrink on the way to the arrays that it averages: the most of all ways, as
    far as gradients of 2^14 still have room."""
    most: dict[int, float] = {}
    todo = [last]
    while todo:
        made = todo[-1].made
        scalars = [parent for parent in nodes(made.operands if made else ()) if math.prod(parent.shape) == 1]
        missing = [parent for parent in scalars if id(parent) not in most]
        if not missing:
            most[id(todo.pop())] = (made.shrink if made else 0.0) + max((most[id(p)] for p in scalars), default=0.0)
        todo += missing
    room = RAW_BITS - 2 * fraction_bits - _GRADIENT_BITS
    return math.ceil(min(max(most[id(last)], 0.0), max(room, 0)))


def send_back(last: Node, gradient: Any) -> None:
    """From `last` to the leaves, by waves: variables whose gradients are complete, and that so share their rounds.

    No gradient stands for 1, of a scalar, scaled up by what it is divided by on the way.
    """
    waiting, context = _uses(last), _context_of(last)
    endpoint, bits = context.protocol.endpoint, 0
    if gradient is None:
        bits = _divisor_bits(last, context.fraction_bits)
        gradient = np.full(last.shape, 2.0**bits)
    gradients: dict[int, Any] = {id(last): gradient}
    wave = [last]
    with endpoint.scope("backward"):
        while wave:
            wave = _one_wave(wave, gradients, waiting, endpoint, bits)


def _one_wave(
    wave: Sequence[Node], gradients: dict[int, Any], waiting: dict[int, int], endpoint: Endpoint, bits: int
) -> list[Node]:
    """From these variables to their operands; the next wave."""
    arrived = [gradients.pop(id(variable), None) for variable in wave]
    _open_together([(v.made, g) for v, g in zip(wave, arrived, strict=True) if v.made is not None and isinstance(g, Tensor)])
    following = []
    for variable, g in zip(wave, arrived, strict=True):
        made = variable.made
        if made is None:
            _keep(variable, g, bits)
            continue
        variable.made = USED
        with ExitStack() as scopes:
            for name in made.layers:
                scopes.enter_context(endpoint.scope(name))
            for parent, part in _parts(made.operands, None if g is None else made.pullback(g)):
                _add(gradients, parent, part)
                waiting[id(parent)] -= 1
                if not waiting[id(parent)]:
                    following.append(parent)
    return following


def _add(gradients: dict[int, Any], parent: Node, part: Gradient) -> None:
    part = part() if callable(part) else part
    if part is not None:
        gradients[id(parent)] = gradients[id(parent)] + part if id(parent) in gradients else part


def _context_of(variable: Node) -> Context:
    while isinstance(variable.value, Lazy):
        assert variable.made is not None
        variable = next(nodes(variable.made.operands))
    return variable.value.context


def _uses(last: Node) -> dict[int, int]:
    """How many gradients each variable that `last` was made of waits for."""
    if last.made is None:
        raise UsageError("backward: nothing was recorded for this: it is no result of operations on variables, or of no_grad()")
    waiting: dict[int, int] = {}
    todo = [last]
    while todo:
        made = todo.pop().made
        if made is USED:
            raise UsageError(
                "backward: the history of this, or of something that it was made of, is used up by a backward pass before. Add "
                "the losses and go back once, (a + b).backward(); detach() what is carried on; or compute it again"
            )
        for parent in nodes(made.operands if made is not None else ()):
            if parent.wanted:
                if id(parent) not in waiting:
                    todo.append(parent)
                waiting[id(parent)] = waiting.get(id(parent), 0) + 1
    return waiting


def _parts(operands: Any, gradients: Any) -> Iterator[tuple[Node, Gradient]]:
    """Each wanted variable among the operands with its gradient; None for all, if there are no gradients."""
    for k, operand in enumerate(operands):
        part = None if gradients is None or k >= len(gradients) else gradients[k]
        if isinstance(operand, Node):
            if operand.wanted:
                yield operand, part
        elif type(operand) in (list, tuple):
            yield from _parts(operand, part)


def _open_together(arrived: Sequence[tuple[Made, Tensor]]) -> None:
    """Truncate, and open, what is multiplied next: one round for all."""
    gradients = truncate([g for made, g in arrived if made.factors is not None])
    factors = [t for made, _ in arrived for t in made.factors or ()]
    if gradients or factors:
        (gradients + factors)[0].context.protocol.open([t.share for t in gradients + factors])


def _keep(variable: Node, gradient: Any, bits: int) -> None:
    if gradient is None:
        return
    if not isinstance(gradient, Tensor):  # public, as that of a sum is
        gradient = variable.tensor * 0 + gradient
    gradient = rescaled(gradient, bits) if bits else gradient
    variable.grad = gradient if variable.grad is None else variable.grad + gradient
