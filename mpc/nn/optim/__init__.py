"""Optimisers, learning-rate schedules and gradient clipping."""

from mpc.nn.optim.adam import Adam, AdamW
from mpc.nn.optim.clipping import clip_grad_norm_, clip_grad_value_
from mpc.nn.optim.optimizer import Optimizer
from mpc.nn.optim.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    StepLR,
)
from mpc.nn.optim.sgd import SGD

__all__ = [
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "Optimizer",
    "SGD",
    "StepLR",
    "clip_grad_norm_",
    "clip_grad_value_",
]
