"""One-time masks that a test chooses. Nothing is hidden under them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from mpc.randomness import Stream, StreamFactory

Words = np.ndarray[Any, np.dtype[np.uint64]]
Masks = int | Words | Callable[[int, tuple[int, ...]], Words]

RING_EDGES: tuple[int, ...] = tuple(
    sorted({(centre + d) % (1 << 64) for centre in (0, 1 << 31, 1 << 32, 1 << 61, 1 << 62, 1 << 63, 3 << 62) for d in (-1, 0, 1)})
)
"""Words beside which something wraps, changes its sign, or leaves the range of 2^62."""


def insecure_masks(values: Masks) -> StreamFactory:
    """Streams whose masks, summed over the parties, are `values`: the `stream` of ONE mpc.launch.simulate.simulate_job.

    `values` is a word for every element; or an array, repeated or cut to the size of each mask; or a function of the
    mask's number and shape. All but one party's shares of these masks are 0; everything else that is drawn stays random.
    """
    return _Chooser(values).stream


def masks_that_open(secret: Words, opened: Words | int) -> Words:
    """The masks under which `secret` is opened as `opened`: r = m - z modulo 2^64."""
    return np.asarray(np.subtract(np.asarray(opened, np.uint64), secret))


class _Chooser:
    def __init__(self, values: Masks):
        self._values = values
        self._lock = threading.Lock()
        self._leader: bytes | None = None

    def stream(self, seed: bytes) -> Stream:
        return _ChosenStream(seed, self)

    def leads(self, seed: bytes) -> bool:
        """True for the first seed that a mask was drawn from: its holder has the whole mask."""
        with self._lock:
            self._leader = self._leader or seed
            return self._leader == seed

    def mask(self, number: int, shape: tuple[int, ...]) -> Words:
        values = self._values(number, shape) if callable(self._values) else self._values
        return np.resize(np.asarray(values, np.uint64), shape)


class _ChosenStream(Stream):
    def __init__(self, seed: bytes, chooser: _Chooser):
        super().__init__(seed)
        self._chooser = chooser

    def draw(self, purpose: str, number: int, shape: tuple[int, ...], dtype: Any = np.uint64) -> Any:
        if purpose != "mask":
            return super().draw(purpose, number, shape, dtype)
        leads = self._chooser.leads(self._seed)
        return self._chooser.mask(number, shape) if leads else np.zeros(shape, dtype)
