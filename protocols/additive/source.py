"""Where a party's masks and correlations come from. Protocol code asks here, and never knows who makes them."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import Any

import numpy as np

from mpc.contract import codec
from mpc.errors import MaskReuseError
from mpc.party import Endpoint
from mpc.transport import ArraySpec
from protocols.additive.correlations import Correlation
from protocols.additive.shares import Bits, MaskRef, Share

Array = np.ndarray[Any, np.dtype[Any]]


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
        self._shares: list[Array] | None = None

    def shares(self) -> list[Array]:
        if self._shares is None:
            self.source.fetch_until(self)
        assert self._shares is not None
        return self._shares

    def fetch(self, endpoint: Endpoint) -> None:
        specs = self.correlation.specs()
        if endpoint.index == endpoint.size - 1:
            self._shares = endpoint.receive_correction(f"deal.{self.correlation.label}", specs)
        else:
            self._shares = share_of(endpoint.dealer_streams[endpoint.index], self.number, specs)


def share_of(stream: Any, number: int, specs: list[ArraySpec]) -> list[Array]:
    """The shares of a party that gets no corrections: drawn from the seed that it has in common with the dealer."""
    return [stream.draw(f"share {k}", number, spec.shape, spec.dtype) for k, spec in enumerate(specs)]


def digest(parts: list[Array]) -> Array:
    """What the parties compare: two requests with equal digests are equal."""
    state = blake2b(digest_size=32, person=b"mpc request")
    for part in parts:
        # dtype and shape end in ")" and fix how many bytes follow, so no two lists of arrays hash the same bytes
        state.update(f"{part.dtype.str}{part.shape}".encode() + part.tobytes())
    return np.frombuffer(state.digest(), np.uint8)


class Source:
    """Masks and correlations from the dealer: masks from the common seed, correlations by request."""

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._stream = endpoint.dealer_streams[endpoint.index]
        self._number = 0
        self._pending: deque[Pending] = deque()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def mask(self, shape: tuple[int, ...]) -> Mask:
        ref = MaskRef(self._next(), shape)
        return Mask(ref, self._stream.draw("mask", ref.number, shape))

    def bit_mask(self, shape: tuple[int, ...]) -> tuple[int, Bits]:
        """A mask of packed bits, with its number. Its user opens under it once, at once."""
        number = self._next()
        nbytes = (int(np.prod(shape, dtype=np.int64)) + 7) // 8
        return number, Bits(self._stream.draw("bits", number, (nbytes,), np.uint8), shape)

    def bit_planes(self, shape: tuple[int, ...]) -> tuple[int, Array]:
        """A mask of whole bytes of bits, with its number. Its user opens under it once."""
        number = self._next()
        return number, self._stream.draw("bits", number, shape, np.uint8)

    def request(self, correlation: Correlation) -> Pending:
        """Ask for a correlation, without waiting. Party 0 sends it in full, the others its digest."""
        pending = Pending(self, self._next(), correlation)
        parts = codec.encode((pending.number, correlation))
        label = f"deal.{correlation.label}"
        self._endpoint.send_request(label, parts if self._endpoint.index == 0 else [digest(parts)])
        self._pending.append(pending)
        return pending

    def fetch_until(self, last: Pending) -> None:
        """Corrections come in the order of the requests."""
        while True:
            pending = self._pending.popleft()
            pending.fetch(self._endpoint)
            if pending is last:
                return

    def finish(self) -> None:
        """Tell the dealer that this party asks no more."""
        self._endpoint.send_request("deal.end", [])
