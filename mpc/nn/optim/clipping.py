"""Gradient clipping.

Squares of gradients have room for norms up to 2^9 only. So a first sum of squares, of gradients that are rounded more coarsely,
tells (in a secret bit) whether the norm is larger; if so, the coarse ones take the place of the fine ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import OptionError, RangeError, UsageError
from mpc.nn.module import Parameter
from mpc.nn.optim.optimizer import flat, parted
from mpc.nn.rules.rule import Lazy
from mpc.nn.scales import settled, total
from mpc.nn.tape import Variable
from mpc.tensor import Tensor
from mpc.tensor.curves.operands import at_least, word
from mpc.tensor.curves.over_root import over_root
from mpc.tensor.curves.roots import wide_sqrt
from mpc.tensor.magnitude import clip

_BITS = 20  # fraction bits of gradients here, as Adam's
_LARGE = 9  # the squares of a norm of 2^9 or more, of gradients with so many bits, have no room
_SHIFT = 15  # by so many bits gradients are divided then, at most


def clip_grad_norm_(parameters: Parameter | Iterable[Parameter], max_norm: float, norm_type: float = 2.0) -> Variable:
    """Multiply all gradients by one secret number, so that their Euclidean norm, all together, is at most max_norm.

    Returns that norm as it was, secret, and computed only when the program looks at it. max_norm=inf changes nothing.
    Domain: norms below 2^25; for a max_norm above 1, below 2^25 divided by its next power of two. Error: gradients and the
    number are rounded to 2^-20, and from a norm of 2^9 on clipped gradients to 2^-14 of max_norm; 2^-16 of the number. The norm
    itself is within 2^-14, and from 2^9 on within 2^-9 of itself.
    20 rounds, 16 bytes a parameter (9 rounds for max_norm=inf); the norm itself 9 rounds more.
    """
    if norm_type != 2:
        raise OptionError(f"norm_type={norm_type} is not available; only 2 is")
    if not (2.0**-_BITS <= max_norm < 2.0 ** (30 - _BITS) or max_norm == math.inf):
        raise OptionError(f"max_norm must be from 2^-{_BITS} to 2^{30 - _BITS}, or inf, not {max_norm}")
    chosen = _with_gradients(parameters)
    shift = _SHIFT if max_norm == math.inf else _SHIFT - max(0, math.ceil(math.log2(max_norm)))
    with _named(chosen[0], shift):
        scaled = _scaled(chosen, shift)
        if max_norm < math.inf:
            factor = _factor(scaled, round(max_norm * 2**_BITS))
            for p, g in zip(chosen, scaled.gradients, strict=True):
                p.grad = g.like(_product(g, factor), scale=2 * _BITS)
    return Variable(Lazy((), scaled.norm))


@contextmanager
def _named(parameter: Parameter, shift: int) -> Iterator[None]:
    """What is out of range here, where the protocol can tell, is a norm."""
    try:
        yield
    except RangeError:
        who, bits = parameter.tensor.context.who, 30 - _BITS + shift
        raise RangeError(
            f"{who}, operation 'clip_grad_norm_': the norm of the gradients is beyond 2^{bits}. Scale the loss down, or lower lr."
        ) from None


@dataclass(frozen=True)
class _Scaled:
    """Gradients, all divided by 2^shift if their norm is `large`; and the sum of their squares, which then has room."""

    gradients: list[Tensor]
    squares: Tensor
    large: Tensor
    shift: int

    def if_large(self, yes: int, no: int) -> Any:
        """A word: one of two public ones. Local."""
        protocol = self.squares.context.protocol
        return protocol.add(protocol.bilinear(MULTIPLY, self.large.share, word(yes - no)), word(no))

    def norm(self) -> Tensor:
        root = wide_sqrt(self.squares, "norm")
        return root.like(_product(root, root.like(self.if_large(1 << self.shift, 1))))


def _scaled(chosen: list[Parameter], shift: int) -> _Scaled:
    gradients, n = [p.grad for p in chosen if p.grad is not None], len(chosen)
    both = settled([*gradients, *gradients], [_BITS] * n + [_BITS - shift] * n, n)
    protocol = both[0].context.protocol
    (bit,) = at_least(_squares(both[n:]), [1 << 2 * (_LARGE + _BITS - shift)])
    large = both[0].like(protocol.to_words(bit), "int", 0)
    protocol.open([large.share])
    small = 1 - large
    scaled = [
        fine.like(protocol.add(_product(fine, small), _product(coarse, large)))
        for fine, coarse in zip(both[:n], both[n:], strict=True)
    ]
    protocol.open([g.share for g in scaled])
    return _Scaled(scaled, _squares(scaled), large, shift)


def _squares(gradients: list[Tensor]) -> Tensor:
    protocol = gradients[0].context.protocol
    sums = [protocol.linear(protocol.square(g.share), "sum", np.sum) for g in gradients]
    return total([g.like(share, scale=2 * g.scale) for g, share in zip(gradients, sums, strict=True)])


def _product(x: Tensor, y: Tensor) -> Any:
    return x.context.protocol.bilinear(MULTIPLY, x.share, y.share)


def _factor(scaled: _Scaled, limit: int) -> Tensor:
    """limit / sqrt(squares), and where that is more, 1, or 2^shift for large ones: so that they come back. Below 2^7."""
    squares = scaled.squares
    protocol = squares.context.protocol
    least = scaled.if_large((limit >> scaled.shift) ** 2, limit**2)
    above = squares.like(protocol.subtract(squares.share, least))
    (excess,) = protocol.select([(at_least(above, [0])[0], above.share)])
    most = squares.constant(word(limit), "float", _BITS)
    (factor,) = settled([over_root(most, squares.like(protocol.add(excess, least)))], _BITS)
    return factor


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    """Clip each element of the gradients to [-clip_value, clip_value]. Gradients are rounded to 2^-20. 5 rounds, 25 bytes."""
    chosen = _with_gradients(parameters)
    g = flat(settled([p.grad for p in chosen if p.grad is not None], _BITS))
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
