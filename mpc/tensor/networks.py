"""Sorting networks: which places are compared and exchanged, stage by stage. Public, and a function of the length alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

Places = np.ndarray[Any, np.dtype[np.int64]]
Stage = tuple[Places, Places]  # (low, high): the smaller element goes to the low place; no place occurs twice


@lru_cache(maxsize=64)
def odd_even_merge(n: int) -> tuple[Stage, ...]:
    """Batcher's odd-even merge sort of n elements, any n: s (s + 1) / 2 stages for s = ceil(log2 n).

    All comparators put the smaller element first, so that a network for more elements sorts n of them when those that
    reach beyond are left out: they would meet elements that are larger than all.

    Batcher, *Sorting networks and their applications*, AFIPS 1968; Knuth, TAOCP volume 3, 5.2.2, algorithm M.
    """
    stages = []
    block = 1
    while block < n:
        step = block
        while step:
            start = np.arange(step % block, n - step)
            inside = ((start - step % block) // step) % 2 == 0
            low = start[inside & (start // (2 * block) == (start + step) // (2 * block))]
            stages.append((low, low + step))
            step //= 2
        block *= 2
    return tuple((low, high) for low, high in stages if low.size)


def needed(stages: Iterable[Stage], places: Iterable[int], n: int) -> list[Stage]:
    """The comparators on which the elements at these places, after the last stage, depend."""
    live = np.zeros(n, bool)
    live[list(places)] = True
    kept = []
    for low, high in reversed(list(stages)):
        used = live[low] | live[high]
        live[low[used]] = live[high[used]] = True
        kept.append((low[used], high[used]))
    return [(low, high) for low, high in reversed(kept) if low.size]


def comparators(stages: Iterable[Stage]) -> int:
    """How many elements are compared with another, in all."""
    return sum(len(low) for low, _ in stages)
