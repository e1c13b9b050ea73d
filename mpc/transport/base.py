"""The contract of a transport: what the layers above need of a network, and no more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from mpc.errors import PeerFailed
from mpc.transport.reports import Report

Message = tuple[bytes, list[Any]]  # the header frame and the payload frames (any buffers)


class PeerFinished(PeerFailed):
    """The peer has ended its program, so the message that this endpoint waits for will never come."""


class Transport(ABC):
    """One endpoint's links to its peers: the parties 0..n-1 and, where the protocol has one, the dealer n.

    An implementation guarantees: messages of one sender arrive whole, once and in the order sent; who the sender is was
    proved (by the session token, a key, or by sharing a process); `send` does not wait for the receiver; a waiting
    `receive` ends with PeerFailed as soon as any endpoint has called `abort`. Used by one thread.
    """

    index: int
    peers: tuple[int, ...]
    settles = False  # whether `settle` asks the peers; else somebody who sees all endpoints finds the root

    @abstractmethod
    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        """Queue one message. The payload is not copied: its arrays must never change afterwards."""

    @abstractmethod
    def receive(self, sender: int, timeout: float | None) -> Message:
        """The next message of `sender`; PeerTimeout after `timeout` seconds (None: no limit).

        What was sent before an abort or a finish is still delivered. Raises PeerFailed, PeerFinished, or FrameError where
        the peer sends what is no message of this session.
        """

    def finish(self) -> None:  # noqa: B027 - a wrapper that only looks on need not pass it on
        """Tell every peer that nothing more comes: who waits for more of this endpoint gets PeerFinished, at once."""

    @abstractmethod
    def abort(self, reason: str) -> None:
        """Tell every peer that this endpoint cannot go on. Safe to call at any time; never raises."""

    def settle(self, report: Report) -> Report:
        """Tell every peer why this endpoint cannot go on, and return the failure upon which all agree: by default, this."""
        self.abort(report.text)
        return report

    @abstractmethod
    def close(self) -> None:
        """Release everything. Messages already sent still arrive."""
