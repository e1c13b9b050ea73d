"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mpc.errors import OptionError
from mpc.fixed import RAW_BITS
from mpc.nn.module import Parameter
from mpc.nn.optim.optimizer import Optimizer
from mpc.nn.scales import settled, short, times, total
from mpc.tensor import Tensor

_ROOM = 7  # bits for the size of a change: beyond, training has diverged


class SGD(Optimizer):
    """torch.optim.SGD: momentum, dampening, weight decay and Nesterov's momentum.

    Parameters and velocities have f fraction bits, and are rounded at random so that nothing is lost on average, however
    small lr is. A step: 1 round, 8 bytes a parameter; with momentum 16 bytes. Where digits of gradients, of factors, and of
    the batch's size are too many together (large batches, small lr, Nesterov, weight decay), 1 round and 8 bytes more.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        super().__init__(params, lr)
        if not momentum >= 0 or not weight_decay >= 0:
            raise OptionError(f"momentum and weight_decay must be 0 or more, not {momentum} and {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise OptionError("nesterov needs a momentum above 0, and no dampening")
        self.momentum, self.dampening, self.weight_decay, self.nesterov = momentum, dampening, weight_decay, nesterov
        self._velocity: dict[int, Tensor] = {}

    def _kept(self, parameter: Parameter) -> dict[str, Any] | None:
        velocity = self._velocity.get(id(parameter))
        return None if velocity is None else {"velocity": velocity}

    def _keep(self, parameter: Parameter, kept: dict[str, Any] | None) -> None:
        self._velocity.pop(id(parameter), None)
        if kept is not None:
            self._velocity[id(parameter)] = kept["velocity"]

    def _update(self, params: Sequence[Parameter]) -> None:
        f, changes, velocities = params[0].tensor.context.fraction_bits, [], []
        for p, g in zip(params, self._gradients(params), strict=True):
            if self.momentum:
                old = self._velocity.get(id(p))
                v = g if old is None else total([old, times(old, self.momentum - 1), times(g, 1 - self.dampening)])
                velocities.append(v)
                g = total([g, times(v, self.momentum)]) if self.nesterov else v
            changes.append(times(g, -self.lr))
        ready = settled([*changes, *velocities], f)
        for p, change in zip(params, ready, strict=False):
            p.set(p.tensor + change)
        for p, v in zip(params, ready[len(changes) :], strict=False):
            self._velocity[id(p)] = v

    def _gradients(self, params: Sequence[Parameter]) -> list[Tensor]:
        """With weight decay in them; in few enough fraction bits for a change of up to 2^_ROOM to fit."""
        gradients = [p.grad for p in params if p.grad is not None]
        if self.weight_decay:
            gradients = [total([g, times(p.tensor, self.weight_decay)]) for p, g in zip(params, gradients, strict=True)]
        factors = [self.lr, *([1 - self.dampening] if self.momentum else []), *([self.momentum] if self.nesterov else [])]
        most = RAW_BITS - _ROOM - sum(short(factor)[1] for factor in factors)
        if max(g.scale for g in gradients) <= most:
            return gradients
        return settled(gradients, max(most, gradients[0].context.fraction_bits))
