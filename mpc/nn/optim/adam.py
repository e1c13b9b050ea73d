"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import OptionError
from mpc.nn.module import Parameter
from mpc.nn.optim.optimizer import Optimizer, flat, parted
from mpc.nn.scales import settled, short, times, total
from mpc.tensor import Tensor
from mpc.tensor.curves.over_root import over_root

_RATE_BITS = 5  # of 1 - beta, at most: what they are taken for corrects the bias too
_LAST_RATE_BIT = 12  # 1 - beta in multiples of 2^-12: squares of gradients below 2^25 fade by it in products below 2^62


def _rate(beta: float) -> float:
    """What 1 - beta is taken for: where 5 bits would leave squares no room, fewer, but a power of two at least."""
    bits = min(_RATE_BITS, _LAST_RATE_BIT + math.frexp(1 - beta)[1])
    word, exponent = short(1 - beta, max(1, bits))
    return math.ldexp(word, -exponent)


@dataclass
class _State:
    """Of one parameter: sums of gradients and of their squares that fade by beta with each step, and how many steps there were.

    The means are 1 - beta times that. So nothing is rounded before it is summed.
    """

    gradients: Tensor
    squares: Tensor
    steps: int


class Adam(Optimizer):
    """torch.optim.Adam: weight decay is part of the gradient.

    Gradients are rounded to 2^-gradient_bits and must be below 2^(25 - gradient_bits), for betas up to 0.999: the default serves
    for 10^-6 to 32, and the gradients of a mean loss have those digits. Their squares are kept exactly. eps^2 is added under the
    root, and is at least the square of that last place: where all gradients have been 0, nothing changes. 1 - beta is taken in 5
    bits, and in multiples of 2^-12 (0.999 as 0.99902), and the bias is corrected for what was taken.

    A step: 9 rounds, 158 bytes a parameter, for all parameters together; from 4096 parameters on 14 rounds, 155 bytes.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        gradient_bits: int = 20,
    ):
        super().__init__(params, lr)
        if not all(0 <= beta < 1 for beta in betas):
            raise OptionError(f"betas must be from 0 up to 1, not {betas}")
        if betas[0] ** 2 >= betas[1]:
            raise OptionError(f"betas={betas}: the square of the first must be below the second, or steps have no bound")
        self.betas, self.eps, self.weight_decay, self.gradient_bits = betas, eps, weight_decay, gradient_bits
        self._rates = [_rate(beta) for beta in betas]
        self._state: dict[int, _State] = {}

    def _kept(self, parameter: Parameter) -> dict[str, Any] | None:
        state = self._state.get(id(parameter))
        return None if state is None else dict(vars(state))

    def _keep(self, parameter: Parameter, kept: dict[str, Any] | None) -> None:
        self._state.pop(id(parameter), None)
        if kept is not None:
            self._state[id(parameter)] = _State(**kept)

    def _update(self, params: Sequence[Parameter]) -> None:
        states = self._moved(params)
        ratio = over_root(flat([s.gradients for s in states]), self._with_eps(states))
        changes = [self._change(p, state, part) for p, state, part in zip(params, states, parted(ratio, params), strict=True)]
        for p, change in zip(params, settled(changes, params[0].tensor.context.fraction_bits), strict=True):
            p.set(p.tensor + change)

    def _moved(self, params: Sequence[Parameter]) -> list[_State]:
        """The states after this step's gradients. 1 round: what fades away, and the gradients, are rounded together."""
        bits, old = self.gradient_bits, [self._state.get(id(p)) or self._start(p) for p in params]
        sums, squares = flat([s.gradients for s in old]), flat([s.squares for s in old])
        fading = [times(sums, self._rates[0]), times(squares, self._rates[1])]
        *gradients, less, less_squares = settled(
            [*map(self._gradient, params), *fading], [*(bits for _ in params), bits, 2 * bits], len(params)
        )
        new = flat([g.like(g.context.protocol.bilinear(MULTIPLY, g.share, g.share), scale=2 * bits) for g in gradients])
        both = parted(sums - less + flat(gradients), params), parted(squares - less_squares + new, params)
        states = [_State(moved, moved_squares, s.steps + 1) for moved, moved_squares, s in zip(*both, old, strict=True)]
        self._state |= {id(p): state for p, state in zip(params, states, strict=True)}
        return states

    def _start(self, p: Parameter) -> _State:
        zeros = p.tensor.constant(np.zeros(p.shape, np.uint64), "float", self.gradient_bits)
        return _State(zeros, zeros.like(zeros.share, scale=2 * self.gradient_bits), 0)

    def _gradient(self, p: Parameter) -> Tensor:
        assert p.grad is not None
        return p.grad if self.decoupled or not self.weight_decay else total([p.grad, times(p.tensor, self.weight_decay)])

    def _corrections(self, state: _State) -> tuple[float, float]:
        """What makes means of the two sums."""
        first, second = (rate / (1 - (1 - rate) ** state.steps) for rate in self._rates)
        return first, second

    def _with_eps(self, states: Sequence[_State]) -> Tensor:
        squares = flat([s.squares for s in states])
        unit = 2.0 ** (2 * self.gradient_bits)
        words = [max(1, round(self.eps**2 / self._corrections(s)[1] * unit)) for s in states]
        each = np.repeat(np.array(words, np.uint64), [s.squares.size for s in states])
        return squares.like(squares.context.protocol.add(squares.share, each))

    def _change(self, p: Parameter, state: _State, ratio: Tensor) -> Tensor:
        first, second = self._corrections(state)
        change = times(ratio, -self.lr * first / math.sqrt(second))
        return total([change, times(p.tensor, -self.lr * self.weight_decay)]) if self.decoupled and self.weight_decay else change


class AdamW(Adam):
    """torch.optim.AdamW: weight decay acts on the parameters themselves. As Adam."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        gradient_bits: int = 20,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, gradient_bits)
