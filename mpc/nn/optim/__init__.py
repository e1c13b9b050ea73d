"""Optimisers, learning-rate schedules and gradient clipping."""

from mpc.nn.optim.optimizer import Optimizer
from mpc.nn.optim.sgd import SGD

__all__ = ["Optimizer", "SGD"]
