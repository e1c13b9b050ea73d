"""Gradient clipping."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import OptionError, UsageError
from mpc.nn.module import Parameter
from mpc.nn.optim.optimizer import flat, parted, settled, total
from mpc.nn.rules.rule import Lazy
from mpc.nn.tape import Variable
from mpc.tensor import Tensor
from mpc.tensor.curves.operands import at_least, word
from mpc.tensor.curves.over_root import over_root
from mpc.tensor.curves.roots import wide_sqrt
from mpc.tensor.magnitude import clip

_BITS = 20  # fraction bits of gradients here, as Adam's


def clip_grad_norm_(parameters: Parameter | Iterable[Parameter], max_norm: float, norm_type: float = 2.0) -> Variable:
    """Multiply all gradients by one secret number, so that their Euclidean norm, all together, is at most max_norm.

    Returns that norm as it was, secret, and computed only when the program looks at it. Gradients are rounded to 2^-20. Domain:
    norms below 2^10. Error: 2^-16 of the number, and 2^-18. 13 rounds, 8 bytes a parameter; the norm itself 8 rounds more.
    """
    if norm_type != 2:
        raise OptionError(f"norm_type={norm_type} is not available; only 2 is")
    if not 2.0**-_BITS <= max_norm < 2.0 ** (30 - _BITS):
        raise OptionError(f"max_norm must be from 2^-{_BITS} to 2^{30 - _BITS}, not {max_norm}")
    chosen = _with_gradients(parameters)
    gradients = _rounded(chosen)
    protocol = gradients[0].context.protocol
    sums = [protocol.linear(protocol.bilinear(MULTIPLY, g.share, g.share), "sum", np.sum) for g in gradients]
    squares = total([g.like(share, scale=2 * _BITS) for g, share in zip(gradients, sums, strict=True)])
    (factor,) = settled([_factor(squares, round(max_norm * 2**_BITS))], _BITS)
    for p, g in zip(chosen, gradients, strict=True):
        p.grad = g.like(protocol.bilinear(MULTIPLY, g.share, factor.share), scale=2 * _BITS)
    return Variable(Lazy((), lambda: wide_sqrt(squares, "norm")))


def _factor(squares: Tensor, limit: int) -> Tensor:
    """limit / sqrt(squares), and 1 where that is more."""
    protocol = squares.context.protocol
    above = squares.like(protocol.subtract(squares.share, word(limit**2)))
    (excess,) = protocol.select([(at_least(above, [0])[0], above.share)])
    most = squares.constant(word(limit), "float", _BITS)
    return over_root(most, squares.like(protocol.add(excess, word(limit**2))))


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    """Clip each element of the gradients to [-clip_value, clip_value]. Gradients are rounded to 2^-20. 5 rounds, 25 bytes."""
    chosen = _with_gradients(parameters)
    g = flat(_rounded(chosen))
    f = g.context.fraction_bits
    bound = clip_value * 2.0 ** (_BITS - f)
    clipped = clip(g.like(g.share, scale=f), -bound, bound)
    (clipped,) = settled([clipped.like(clipped.share, scale=_BITS)], max(_BITS, f))
    for p, gradient in zip(chosen, parted(clipped, chosen), strict=True):
        p.grad = gradient


def _with_gradients(parameters: Parameter | Iterable[Parameter]) -> list[Parameter]:
    chosen = [p for p in ([parameters] if isinstance(parameters, Parameter) else parameters) if p.grad is not None]
    if not chosen:
        raise UsageError("clipping: no parameter has a gradient; call loss.backward() first")
    return chosen


def _rounded(chosen: list[Parameter]) -> list[Tensor]:
    return settled([p.grad for p in chosen if p.grad is not None], _BITS)
