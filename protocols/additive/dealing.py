"""Dealing: the masks that a dealer derives from the seeds that it shares with each party, and the corrections that follow.

It remembers nothing per tensor, and keeps the latest masks for speed.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from mpc.errors import FrameError
from mpc.randomness import Stream
from mpc.transport import ArraySpec
from protocols.additive.requests import Asked
from protocols.additive.shares import MaskRef

Array = np.ndarray[Any, np.dtype[Any]]


class Dealing:
    """What follows from one stream a party: all shares of the parties but the last, and so what the last one's must be.

    It is one of `versions`, which have to share the memory for masks.
    """

    def __init__(self, streams: Sequence[Stream], versions: int = 1):
        self._streams = streams
        self._masks = Masks(streams, versions)

    def corrections(self, asked: Asked) -> list[Array]:
        """The last party's shares of a correlation. FrameError for one that cannot be dealt."""
        label = asked.correlation.label
        try:
            with np.errstate(all="ignore"):  # what was asked for may overflow: it is dealt, and of no use
                values = asked.correlation.deal(
                    lambda ref: self._masks(asked.named(ref)), lambda place, shape: self._bit_mask(asked.masks[place - 1], shape)
                )
            others = [share_of(stream, asked.number, asked.specs) for stream in self._streams[:-1]]
        except (TypeError, AttributeError, ValueError, IndexError, ArithmeticError, MemoryError) as error:
            raise FrameError(f"a request for {label} that cannot be dealt: {error}") from None
        corrections = []
        for value, spec, *shares in zip(values, asked.specs, *others, strict=True):
            if ArraySpec.of(value) != spec:
                raise FrameError(f"a request for {label} of shape {spec.shape} whose operands give {value.shape}")
            corrections.append(_correct(value, shares))
        return corrections

    def _bit_mask(self, number: int, shape: tuple[int, ...]) -> Array:
        masks = [s.draw("bits", number, (math.prod(shape),), np.uint8) for s in self._streams]
        return np.asarray(np.bitwise_xor.reduce(masks))


class Masks:
    """The arrays that references name, derived from the seeds whenever asked for. The latest masks are kept, up to a size:
    a data set is asked for in every training step."""

    KEEP_BYTES = 1 << 27

    def __init__(self, streams: Sequence[Stream], versions: int = 1):
        self._streams = streams
        self._most = self.KEEP_BYTES // versions
        self._kept: OrderedDict[tuple[int, tuple[int, ...]], Array] = OrderedDict()
        self._kept_bytes = 0

    def __call__(self, ref: MaskRef) -> Array:
        array = self._mask(ref.number, ref.shape)
        if ref.part == "u":
            array = np.asarray(np.right_shift(array, np.uint64(ref.bits)))
        elif ref.part == "v":
            array = np.asarray(np.right_shift(array, np.uint64(63)))
        for view in ref.views:
            array = view(array)
        return array

    def _mask(self, number: int, shape: tuple[int, ...]) -> Array:
        name = (number, shape)
        if name not in self._kept:
            mask = _total([stream.draw("mask", number, shape) for stream in self._streams])
            mask.flags.writeable = False
            self._kept[name] = mask
            self._kept_bytes += mask.nbytes
        self._kept.move_to_end(name)
        mask = self._kept[name]
        while self._kept_bytes > self._most:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return mask


def share_of(stream: Any, number: int, specs: Sequence[ArraySpec]) -> list[Array]:
    """The shares of a party that gets no corrections: drawn in one piece from the seed that it and the dealer have."""
    starts, end = _places(tuple(specs))
    drawn = stream.draw("shares", number, (end,), np.uint8)
    return [np.ndarray(spec.shape, spec.dtype, drawn, start) for spec, start in zip(specs, starts, strict=True)]


@lru_cache(maxsize=1024)
def _places(specs: tuple[ArraySpec, ...]) -> tuple[tuple[int, ...], int]:
    """Where each array begins, at multiples of eight bytes, and where the last one ends."""
    *starts, end = accumulate((-(-spec.nbytes // 8) * 8 for spec in specs), initial=0)
    return tuple(starts), end


def _total(arrays: list[Array]) -> Array:
    for array in arrays[1:]:
        np.add(arrays[0], array, out=arrays[0])
    return arrays[0]


def _correct(value: Array, shares: list[Array]) -> Array:
    """What the last party holds, so that all shares make up the value: XOR for bits, modulo the dtype for words.

    In the memory of the first share: fresh memory costs more than the arithmetic.
    """
    combine = np.bitwise_xor if value.dtype == np.uint8 else np.subtract
    for share in shares:
        value = np.asarray(combine(value, share, out=shares[0]))
    return value
