"""Slower links than a machine has between its processes, without root: messages are held at their receiver until they are due.

Each direction of each link is a queue. A message enters when it is sent, or when the one before has left; it leaves after
bytes / bandwidth, and arrives `latency` later. The sender computes when that is and says so in one more frame: all endpoints are
on one machine, and so share one clock. It never waits, as over a network; what the message really takes to its receiver is
hidden in the time for which it would be held anyway.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mpc.errors import FrameError, PeerTimeout
from mpc.network import Network
from mpc.transport.base import Message, PeerFinished, Transport
from mpc.transport.wrapper import Wrapper

_DUE = struct.Struct("<d")
_PR_SET_TIMERSLACK = 29
_LOOK = 0.1  # seconds between looks whether somebody has failed, while a message is held
_SPIN = 25e-6  # seconds before its end in which a sleep is watched: about what waking up takes


class Clock:
    """The machine's monotonic clock. Made by the thread that sleeps by it, whose sleeps it makes exact to microseconds."""

    def __init__(self) -> None:
        if sys.platform == "linux":  # which else adds 50 us to a sleep, so as to wake up less often
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > _SPIN:
            time.sleep(left - _SPIN)
        while time.monotonic() < moment:
            pass


class Emulated(Wrapper):
    """`inner`, as if its links were those of `network`. All endpoints must be wrapped alike. The dealer has the index `size`."""

    def __init__(self, inner: Transport, network: Network, size: int, clock: Clock | None = None):
        super().__init__(inner)
        to_dealer = network if network.dealer is None else network.dealer
        self._network, self._to_dealer, self._size = network, to_dealer, size
        self._clock = clock or Clock()
        self._free: dict[int, float] = {}  # when the last message to a peer has left
        # What has come of a peer, each with when it is due.
        self._held: defaultdict[int, deque[tuple[float, Message]]] = defaultdict(deque)

    def _link(self, peer: int) -> Network:
        return self._to_dealer if self._size in (peer, self.index) else self._network

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        link = self._link(to)
        if not link.emulated:
            return self.inner.send(to, header, payload)
        nbytes = len(header) + sum(memoryview(part).nbytes for part in payload)
        left = self._free[to] = max(self._clock.now(), self._free.get(to, 0.0)) + nbytes / link.bandwidth
        self.inner.send(to, header, [*payload, _DUE.pack(left + link.latency)])

    def receive(self, sender: int, timeout: float | None) -> Message:
        if not self._link(sender).emulated:
            return self.inner.receive(sender, timeout)
        deadline = None if timeout is None else self._clock.now() + timeout
        if not self._held[sender]:
            self._hold(sender, timeout)
        due = self._held[sender][0][0]
        if deadline is not None and due > deadline:
            self._wait(sender, deadline)
            raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
        self._wait(sender, due)
        return self._held[sender].popleft()[1]

    def _hold(self, sender: int, timeout: float | None) -> None:
        self._held[sender].append(_taken_apart(self.inner.receive(sender, timeout)))

    def _wait(self, sender: int, moment: float) -> None:
        """Until then. PeerFailed soon after an abort: a message may be held for minutes."""
        while moment - self._clock.now() > _LOOK:
            self._clock.sleep_until(self._clock.now() + _LOOK)
            with suppress(PeerTimeout, PeerFinished):
                self._hold(sender, 0)
        self._clock.sleep_until(moment)


def emulated(inner: Transport, network: Network, size: int) -> Transport:
    """`inner`, emulating that network where it is one to emulate."""
    links = [network, *filter(None, [network.dealer])]
    return Emulated(inner, network, size) if any(link.emulated for link in links) else inner


def _taken_apart(message: Message) -> tuple[float, Message]:
    """When a message is due, and the message as it was sent."""
    header, payload = message
    if not payload or memoryview(payload[-1]).nbytes != _DUE.size:
        raise FrameError("a message over an emulated link does not say when it is due")
    return _DUE.unpack(payload[-1])[0], (header, payload[:-1])
