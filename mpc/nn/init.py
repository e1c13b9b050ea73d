"""First values of parameters, as PyTorch's: functions of a shape and the parties' joint randomness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.party import JointRandom

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]


def zeros(shape: Shape, random: JointRandom) -> Array:
    return np.zeros(shape)


def ones(shape: Shape, random: JointRandom) -> Array:
    return np.ones(shape)


def normal(shape: Shape, random: JointRandom) -> Array:
    """Standard normal."""
    return random.normal(*shape)


def symmetric(bound: float, shape: Shape, random: JointRandom) -> Array:
    """Uniform in [-bound, bound)."""
    return bound * (2 * random.random(*shape) - 1)


class Uniform:
    """Uniform in [-1/sqrt(fan_in), 1/sqrt(fan_in)): that is Kaiming's, with PyTorch's a = sqrt(5), for weights and for biases."""

    def __init__(self, fan_in: int):
        self._bound = 1 / math.sqrt(fan_in) if fan_in else 0.0

    def __call__(self, shape: Shape, random: JointRandom) -> Array:
        return symmetric(self._bound, shape, random)


def xavier_uniform(shape: Shape, random: JointRandom) -> Array:
    """Uniform up to sqrt(6 / (fan_in + fan_out)), of a matrix (fan_out, fan_in): Glorot and Bengio 2010."""
    return symmetric(math.sqrt(6 / (shape[0] + shape[1])), shape, random)
