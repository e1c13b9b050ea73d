"""Transport between processes of one machine that one launcher started: sockets that never leave it.

The first message of a connection is a HELLO whose payload is an HMAC of (session, sender, receiver) under the session
token, which came through an inherited pipe. A connection that is lost is never made again: whoever answers at that port
afterwards need not be the peer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import zmq

from mpc.errors import FrameError, PeerFailed
from mpc.transport.frames import ArraySpec, Header, Kind
from mpc.transport.sockets import SocketTransport

_NEVER_MS = 3_600_000  # until a connection is tried again. (-1 means never, but makes ZeroMQ 4.3 hang when it closes.)
_HELLO_BYTES = 1000  # more than a HELLO has


def _anywhere() -> str:
    """A fresh address. Linux has sockets with names in no file system, so that nothing is left of a process that is killed;
    they take a fifth less time than TCP."""
    return f"ipc://@mpc-{secrets.token_hex(16)}" if sys.platform == "linux" else "tcp://127.0.0.1:*"


class Alarm(Protocol):
    """Something else to listen to while waiting: becomes readable when the run cannot go on."""

    def fileno(self) -> int: ...

    def failure(self) -> PeerFailed: ...


class ZeroMQTransport(SocketTransport):
    """Make one on every endpoint, hand each other the `address` (as ZeroMQ writes it), then `connect`."""

    def __init__(self, index: int, session: bytes, token: bytes, address: str | None = None):
        super().__init__(index, session)
        self._token = token
        self._alarm: Alarm | None = None
        self._inbox.bind(address or _anywhere())
        self.address = self._inbox.getsockopt_string(zmq.LAST_ENDPOINT)

    def listen_also(self, alarm: Alarm) -> None:
        """End every `receive` with the alarm's failure, once it becomes readable."""
        self._alarm = alarm
        self._poller.register(alarm.fileno(), zmq.POLLIN)

    def _listen(self, ready: dict[Any, int]) -> bool:
        if self._alarm is None or self._alarm.fileno() not in ready:
            return False
        self._failure = self._failure or self._alarm.failure()
        return True

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = super()._socket(kind)
        socket.setsockopt(zmq.RECONNECT_IVL, _NEVER_MS)
        return socket

    def connect(self, addresses: Mapping[int, str]) -> None:
        """Open a link to each peer's address. All of them must be listening already."""
        self.peers = tuple(sorted(peer for peer in addresses if peer != self.index))
        for peer in self.peers:
            self._queues.setdefault(peer, deque())
            outbox = self._outboxes[peer] = self._socket(zmq.DEALER)
            outbox.connect(addresses[peer])
            outbox.send_multipart([self._hello(), self._proof(self.index, peer)])

    def _hello(self) -> bytes:
        return Header(Kind.HELLO, self._session, self.index, 0, "hello", (ArraySpec("uint8", (32,)),)).encode()

    def _proof(self, sender: int, receiver: int) -> bytes:
        text = b"mpc hello" + self._session + sender.to_bytes(2, "little") + receiver.to_bytes(2, "little")
        return hmac.new(self._token, text, hashlib.sha256).digest()

    def _admit(self, identity: bytes, frames: list[zmq.Frame]) -> None:
        """Remember the connection if this is a HELLO with the right proof. Anything else is dropped."""
        if len(frames) != 2 or max(map(len, frames)) > _HELLO_BYTES:
            return
        try:
            header = Header.decode(frames[0].bytes)
        except FrameError:
            return
        known = header.sender in self._queues and header.sender not in self._proved.values()
        hello = header.kind is Kind.HELLO and header.session == self._session
        if hello and known and hmac.compare_digest(frames[1].bytes, self._proof(header.sender, self.index)):
            self._proved[identity] = header.sender
