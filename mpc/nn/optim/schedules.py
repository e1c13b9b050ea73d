"""Learning-rate schedules, with PyTorch's names and use: `scheduler.step()` after each epoch. Learning rates are public."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mpc.errors import UsageError
from mpc.nn.optim.optimizer import Optimizer
from mpc.nn.parameter import whole


class LRScheduler:
    """Sets the optimiser's `lr` to that of an epoch: at once for epoch 0, and with each `step()` for the next one.

    One schedule for an optimiser: each starts from the `lr` that the optimiser had when the schedule was made.
    """

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            raise UsageError(f"{type(self).__name__}: an optimiser is expected, not {type(optimizer).__name__}")
        self.optimizer, self.base_lr, self.last_epoch = optimizer, optimizer.lr, 0
        self._set()

    def state_dict(self) -> dict[str, Any]:
        """The epoch, and the rate that it began with: for `party.checkpoint`."""
        return {"base_lr": self.base_lr, "last_epoch": self.last_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What `state_dict` gave. Sets the optimiser's learning rate."""
        self.base_lr, self.last_epoch = float(state["base_lr"]), int(state["last_epoch"])
        self._set()

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch."""
        raise NotImplementedError

    def step(self) -> None:
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """The learning rate now, in a list, as PyTorch's groups of parameters are."""
        return [self.optimizer.lr]

    def _set(self) -> None:
        self.optimizer.lr = self.rate(self.last_epoch)


class LambdaLR(LRScheduler):
    """lr times lr_lambda(epoch)."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]):
        self._lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * self._lambda(epoch)


class StepLR(LRScheduler):
    """lr times gamma every step_size epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        self._step_size, self._gamma = whole("step_size", step_size, 1), gamma
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * self._gamma ** (epoch // self._step_size)


class MultiStepLR(LRScheduler):
    """lr times gamma at each of these epochs."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1):
        self._milestones, self._gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * self._gamma ** bisect_right(self._milestones, epoch)


class ExponentialLR(LRScheduler):
    """lr times gamma every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float):
        self._gamma = gamma
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * self._gamma**epoch


class LinearLR(LRScheduler):
    """lr times start_factor at first, and end_factor after total_iters epochs; on a line between."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5):
        self._start, self._end, self._total = start_factor, end_factor, whole("total_iters", total_iters, 1)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * (self._start + (self._end - self._start) * min(epoch, self._total) / self._total)


class CosineAnnealingLR(LRScheduler):
    """From lr to eta_min in T_max epochs, along half a cosine."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        self._epochs, self._least = whole("T_max", T_max, 1), eta_min
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self._least + (self.base_lr - self._least) * (1 + math.cos(math.pi * epoch / self._epochs)) / 2
