"""A transport that passes everything on, to be changed where somebody wants it otherwise: emulated links, tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mpc.transport.base import Message, Transport
from mpc.transport.reports import Report


class Wrapper(Transport):
    """Does what `inner` does."""

    def __init__(self, inner: Transport):
        self.inner = inner
        self.index, self.peers, self.settles = inner.index, inner.peers, inner.settles

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        self.inner.send(to, header, payload)

    def receive(self, sender: int, timeout: float | None) -> Message:
        return self.inner.receive(sender, timeout)

    def finish(self) -> None:
        self.inner.finish()

    def abort(self, reason: str) -> None:
        self.inner.abort(reason)

    def settle(self, report: Report) -> Report:
        return self.inner.settle(report)

    def close(self) -> None:
        self.inner.close()
