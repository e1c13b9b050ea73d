"""The dealer: derives masks from the seeds that it shares with each party, and sends corrections to the last one.

It needs to remember nothing per tensor (it keeps the latest masks for speed), sees no opening and no share of data. It
answers each number once.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.contract import codec
from mpc.errors import DesyncError, FrameError
from mpc.party import Cost, Endpoint
from mpc.randomness import Stream
from mpc.transport import ArraySpec
from protocols.additive.correlations import Correlation
from protocols.additive.shares import MaskRef
from protocols.additive.source import digest, portions, share_of

Array = np.ndarray[Any, np.dtype[Any]]


class Dealer:
    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._streams = [endpoint.dealer_streams[i] for i in range(endpoint.size)]
        self._masks = Masks(self._streams)
        self._answered = 0

    def serve(self) -> None:
        """Answer requests until every party has finished."""
        while True:
            requests = [self._endpoint.receive_request(i) for i in range(self._endpoint.size)]
            begin = time.perf_counter()
            label = self._agreed(requests)
            if label == "deal.end":
                return
            self._answer(label, requests[0][1])
            self._endpoint.meter.count(label, Cost(seconds=time.perf_counter() - begin))

    def _agreed(self, requests: list[tuple[str, list[Array]]]) -> str:
        """The label on which all parties agree, and their digests too."""
        label, parts = requests[0]
        expected = digest(parts)
        for party, (other, theirs) in enumerate(requests[1:], 1):
            same = label == other and (label == "deal.end" or (len(theirs) == 1 and theirs[0].tobytes() == expected.tobytes()))
            if not same:
                raise DesyncError(
                    f"the dealer refuses a request: party 0 asks for '{label}' and party {party} for '{other}', or for other "
                    "shapes or values of it. Every party must run the same program on the same public values."
                )
        return label

    def _answer(self, label: str, parts: list[Array]) -> None:
        dealt = (self._deal(number, correlation) for number, correlation in _parse(parts))
        for portion in portions(dealt, lambda arrays: sum(array.nbytes for array in arrays)):
            corrections = [array for arrays in portion for array in arrays]
            self._endpoint.send_correction(self._endpoint.size - 1, label, corrections)

    def _deal(self, number: int, correlation: Correlation) -> list[Array]:
        """The corrections of one correlation."""
        if number <= self._answered:
            raise DesyncError(f"the dealer refuses correlation {number}: it has answered up to {self._answered} already")
        self._answered = number
        try:
            correlation.check()
            specs = correlation.specs()
            values = correlation.deal(self._masks, self._bit_mask)
            others = [share_of(stream, number, specs) for stream in self._streams[:-1]]
        except (TypeError, AttributeError, ValueError, IndexError, OverflowError, MemoryError) as error:
            raise FrameError(f"a request for {correlation.label} that cannot be dealt: {error}") from None
        corrections = []
        for value, spec, *shares in zip(values, specs, *others, strict=True):
            if ArraySpec.of(value) != spec:
                raise FrameError(f"a request for {correlation.label} of shape {spec.shape} whose operands give {value.shape}")
            corrections.append(_correct(value, shares))
        return corrections

    def _bit_mask(self, number: int, shape: tuple[int, ...]) -> Array:
        masks = [s.draw("bits", number, (math.prod(shape),), np.uint8) for s in self._streams]
        return np.asarray(np.bitwise_xor.reduce(masks))


class Masks:
    """The arrays that references name, derived from the seeds whenever asked for. The latest masks are kept, up to a size:
    a data set is asked for in every training step."""

    KEEP_BYTES = 1 << 27

    def __init__(self, streams: Sequence[Stream]):
        self._streams = streams
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
        while self._kept_bytes > self.KEEP_BYTES:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return mask


def _parse(parts: list[Array]) -> list[tuple[int, Correlation]]:
    """The numbers and correlations of one message."""
    requests = codec.decode(parts)
    if not isinstance(requests, tuple) or not requests or not all(isinstance(r, tuple) and len(r) == 2 for r in requests):
        raise FrameError("the dealer got a message that is no list of requests")
    for number, correlation in requests:
        if not isinstance(correlation, Correlation):
            raise FrameError("the dealer got a request for something that is no correlation")
        if not isinstance(number, int) or not 0 < number < 1 << 64:
            raise FrameError(f"a request for {correlation.label} numbered {number!r}")
    return list(requests)


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


def serve(endpoint: Endpoint) -> None:
    Dealer(endpoint).serve()
