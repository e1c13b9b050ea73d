"""Where a party's masks and correlations come from. Protocol code asks here, and never knows who makes them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np

from mpc.contract import codec
from mpc.errors import MaskReuseError
from mpc.party import Cost, Endpoint, Numbers
from protocols.additive.correlations import Correlation
from protocols.additive.dealing import share_of
from protocols.additive.shares import Bits, MaskRef, Share
from protocols.additive.spot_check import Versions

Array = np.ndarray[Any, np.dtype[Any]]
T = TypeVar("T")

LARGE = 1 << 18  # bytes of an answer that are worth a message


class Mask:
    """This party's share of a one-time mask. It hides one secret, once."""

    def __init__(self, ref: MaskRef, share: Array):
        self.ref = ref
        self._share: Array | None = share

    def hide(self, x: Share) -> Array:
        """This party's share of the opening x + r."""
        if self._share is None:
            raise MaskReuseError(f"mask {self.ref.number} has already hidden a tensor: a mask is used once")
        if self._share.shape != x.shape:  # broadcasting would hide many elements under one
            raise MaskReuseError(f"mask {self.ref.number} of shape {self._share.shape} cannot hide a tensor of shape {x.shape}")
        hidden = np.add(x.value, self._share, out=self._share)  # the mask is never needed again: its memory is
        self._share = None
        return hidden


class Pending:
    """A correlation on its way. `shares()` waits for it."""

    def __init__(self, source: Source, number: int, correlation: Correlation):
        self.source, self.number, self.correlation = source, number, correlation
        self.specs = correlation.specs()
        self.nbytes = sum(spec.nbytes for spec in self.specs)
        self.arrived: list[Array] | None = None

    def shares(self) -> list[Array]:
        if self.arrived is None:
            self.source.fetch_until(self)
        assert self.arrived is not None
        return self.arrived


def digest(parts: list[Array]) -> Array:
    """What the parties compare: two requests with equal digests are equal."""
    state = blake2b(digest_size=32, person=b"mpc request")
    for part in parts:
        # dtype and shape end in ")" and fix how many bytes follow, so no two lists of arrays hash the same bytes
        state.update(f"{part.dtype.str}{part.shape}".encode() + part.tobytes())
    return np.frombuffer(state.digest(), np.uint8)


def portions(answers: Iterable[T], nbytes: Callable[[T], int]) -> Iterator[list[T]]:
    """The answers to one request, cut into messages: each ends with what brings it to LARGE bytes. So the parties work with
    the first while the dealer still makes the next."""
    portion: list[T] = []
    for answer in answers:
        portion.append(answer)
        if sum(map(nbytes, portion)) >= LARGE:
            yield portion
            portion = []
    if portion:
        yield portion


class Source:
    """Masks and correlations from the dealer: masks from the common seed, correlations by request.

    The dealer takes any numbers that rise.
    """

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._versions = Versions(endpoint)
        self._stream = self._versions.stream
        self._corrected = endpoint.index == endpoint.size - 1
        self.numbers = Numbers("masks and correlations", endpoint.claim)
        self._unsent: list[Pending] = []
        self._sent: deque[tuple[str, list[Pending]]] = deque()  # label and content of each message that will come

    def mask(self, shape: tuple[int, ...]) -> Mask:
        ref = MaskRef(self.numbers.next(), shape)
        return Mask(ref, self._stream.draw("mask", ref.number, shape))

    def bit_mask(self, shape: tuple[int, ...]) -> tuple[int, Bits]:
        """A mask of packed bits, with its number. Its user opens under it once, at once."""
        number = self.numbers.next()
        nbytes = (math.prod(shape) + 7) // 8
        return number, Bits(self._stream.draw("bits", number, (nbytes,), np.uint8), shape)

    def bit_planes(self, shape: tuple[int, ...]) -> tuple[int, Array]:
        """A mask of whole bytes of bits, with its number. Its user opens under it once."""
        number = self.numbers.next()
        return number, self._stream.draw("bits", number, shape, np.uint8)

    def request(self, correlation: Correlation) -> Pending:
        """Ask for a correlation, without waiting: it travels with the next `flush`, together with others.

        Its bytes count now, as those of the operation that asks: the one that waits may be another.
        """
        pending = Pending(self, self.numbers.next(), correlation)
        self._unsent.append(pending)
        if self._corrected:
            cost = Cost(offline_bytes=pending.nbytes, check_offline_bytes=pending.nbytes * (self._versions.count - 1))
            self._endpoint.meter.count(f"deal.{correlation.label}", cost)
        return pending

    def flush(self) -> None:
        """Send what was asked for: before each round, so that the dealer works meanwhile. Party 0 sends it in full, the
        others its digest."""
        if not self._unsent:
            return
        batch, self._unsent = self._unsent, []
        label = "deal." + "+".join(dict.fromkeys(pending.correlation.label for pending in batch))
        parts = codec.encode([(pending.number, pending.correlation) for pending in batch])
        self._endpoint.send_request(label, parts if self._endpoint.index == 0 else [digest(parts)])
        count = self._versions.count
        self._sent.extend((label, portion) for portion in portions(batch, lambda pending: pending.nbytes * count))

    def fetch_until(self, last: Pending) -> None:
        """Corrections come in the order of the requests."""
        self.flush()
        while last.arrived is None:
            self._fetch(*self._sent.popleft())

    def _fetch(self, label: str, portion: list[Pending]) -> None:
        if self._corrected:
            specs = [spec for pending in portion for spec in pending.specs * self._versions.count]
            received = iter(self._endpoint.receive_correction(label, specs))
            for pending in portion:
                versions = [[next(received) for _ in pending.specs] for _ in range(self._versions.count)]
                pending.arrived = self._versions.checked(pending.number, pending.correlation, versions)
        else:
            for pending in portion:
                pending.arrived = share_of(self._stream, pending.number, pending.specs)

    def finish(self) -> None:
        """Tell the dealer that this party asks no more."""
        self.flush()
        self._endpoint.send_request("deal.end", [])
