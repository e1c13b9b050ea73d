"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mpc.errors import OptionError
from mpc.nn.module import Parameter
from mpc.nn.optim.optimizer import Optimizer, settled, times, total
from mpc.tensor import Tensor


class SGD(Optimizer):
    """torch.optim.SGD: momentum, dampening, weight decay and Nesterov's momentum.

    Parameters and velocities have f fraction bits, and are rounded at random so that nothing is lost on average, however
    small lr is. A step: 1 round, 8 bytes a parameter; with momentum 16 bytes.
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
        if nesterov and (momentum <= 0 or dampening != 0):
            raise OptionError("nesterov needs a momentum above 0, and no dampening")
        self.momentum, self.dampening, self.weight_decay, self.nesterov = momentum, dampening, weight_decay, nesterov
        self._velocity: dict[int, Tensor] = {}

    def _update(self, params: Sequence[Parameter]) -> None:
        changes, velocities = [], []
        for p in params:
            assert p.grad is not None
            g = p.grad if not self.weight_decay else total([p.grad, times(p.tensor, self.weight_decay)])
            if self.momentum:
                old = self._velocity.get(id(p))
                v = g if old is None else total([old, times(old, self.momentum - 1), times(g, 1 - self.dampening)])
                velocities.append(v)
                g = total([g, times(v, self.momentum)]) if self.nesterov else v
            changes.append(times(g, -self.lr))
        ready = settled([*changes, *velocities], params[0].tensor.context.fraction_bits)
        for p, change in zip(params, ready, strict=False):
            p.set(p.tensor + change)
        for p, v in zip(params, ready[len(changes) :], strict=False):
            self._velocity[id(p)] = v
