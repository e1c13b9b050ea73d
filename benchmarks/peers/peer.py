"""What a peer is: where it lives, which workloads it has, and how much of them it can bear."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environment import Environment
from benchmarks.peers.errors import PeerError

WORKERS = Path(__file__).resolve().parent / "workers"
EVERYTHING = frozenset({
    "matmul", "mul", "chain", "ltz", "relu", "sigmoid", "exp", "reciprocal", "sqrt", "log", "rowmax", "softmax", "logreg",
    "dense_inf", "dense_train", "lenet",
})  # fmt: skip
_SIZE = re.compile(r"\d+[km]?$")


@dataclass(frozen=True)
class Measured:
    """One turn: seconds of each repetition (the slowest party's); of one repetition, rounds and bytes sent by the busiest
    party, None where the system does not count them, and the bytes that a dealer sent; the result, revealed."""

    seconds: list[float]
    rounds: int | None
    bytes_sent: int | None
    result: np.ndarray[Any, Any]
    bytes_dealt: int = 0


@dataclass(frozen=True)
class Peer:
    """A published system. `functions`: the workloads that it has, without their sizes; `sizes`: where it runs smaller ones.

    `settings` go to its worker; `variables` are set in its environment, and those that are None are taken from it.
    """

    name: str
    title: str
    parties: int
    environment: Environment
    worker: str
    functions: frozenset[str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)
    sizes: Mapping[str, int] | None = None

    @property
    def installed(self) -> bool:
        return self.environment.installed

    def install(self) -> bool:
        return self.environment.install()

    def require(self) -> None:
        """PeerError where it is not installed."""
        if not self.installed:
            raise PeerError(f"{self.title} is not installed: {self.how_to_get_it}")

    @property
    def how_to_get_it(self) -> str:
        return f"`python -m benchmarks.peers install {self.name}` makes {self.environment.folder}"

    def has(self, workload: str) -> bool:
        return function_of(workload) in self.functions and (self.sizes is None or workload in self.sizes)

    def size(self, workload: str) -> int | None:
        """The smaller size in which it runs a workload; None: the workload's own."""
        return self.sizes[workload] if self.sizes else None


def function_of(workload: str) -> str:
    """matmul for matmul1024, mul for mul1m: workers do not know sizes."""
    return _SIZE.sub("", workload)
