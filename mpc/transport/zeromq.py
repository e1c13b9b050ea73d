"""Transport over ZeroMQ TCP sockets, one ROUTER that listens and one DEALER to each peer.

The first message of a connection is a HELLO whose payload is an HMAC of (session, sender, receiver) under the session
token. A connection that has not shown it is not listened to, and one that has speaks only for the sender it proved.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import zmq

from mpc.errors import FrameError, PeerFailed, PeerTimeout
from mpc.transport.base import Message, Transport
from mpc.transport.frames import ArraySpec, Header, Kind

_COPY_BELOW = 1 << 16  # bytes; under this, handing the buffer over costs more than copying it
_LINGER_MS = 2000


class Alarm(Protocol):
    """Something else to listen to while waiting: becomes readable when the run cannot go on."""

    def fileno(self) -> int: ...

    def failure(self) -> PeerFailed: ...


class ZeroMQTransport(Transport):
    """Make one on every endpoint, hand each other the `address`, then `connect`."""

    def __init__(self, index: int, session: bytes, token: bytes, host: str = "127.0.0.1"):
        self.index = index
        self.peers = ()
        self._session, self._token = session, token
        self._alarm: Alarm | None = None
        self._context = zmq.Context()
        self._inbox = self._socket(zmq.ROUTER)
        port = self._inbox.bind_to_random_port(f"tcp://{host}")
        self.address = f"tcp://{host}:{port}"
        self._outboxes: dict[int, zmq.Socket[bytes]] = {}
        self._proved: dict[bytes, int] = {}  # connection identity -> the sender that it proved to be
        self._queues: dict[int, deque[Message]] = {}
        self._poller = zmq.Poller()
        self._poller.register(self._inbox, zmq.POLLIN)

    def listen_also(self, alarm: Alarm) -> None:
        """End every `receive` with the alarm's failure, once it becomes readable."""
        self._alarm = alarm
        self._poller.register(alarm.fileno(), zmq.POLLIN)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        return socket

    def connect(self, addresses: Mapping[int, str]) -> None:
        """Open a link to each peer's address."""
        self.peers = tuple(sorted(peer for peer in addresses if peer != self.index))
        for peer in self.peers:
            self._queues.setdefault(peer, deque())
            outbox = self._outboxes[peer] = self._socket(zmq.DEALER)
            outbox.connect(addresses[peer])
            outbox.send_multipart([self._hello().encode(), self._proof(self.index, peer)])

    def _hello(self) -> Header:
        return Header(Kind.HELLO, self._session, self.index, 0, "hello", (ArraySpec("uint8", (32,)),))

    def _proof(self, sender: int, receiver: int) -> bytes:
        text = b"mpc hello" + self._session + sender.to_bytes(2, "little") + receiver.to_bytes(2, "little")
        return hmac.new(self._token, text, hashlib.sha256).digest()

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        copy = sum(memoryview(part).nbytes for part in payload) < _COPY_BELOW
        self._outboxes[to].send_multipart([header, *payload], copy=copy)

    def receive(self, sender: int, timeout: float | None) -> Message:
        queue = self._queues[sender]
        deadline = None if timeout is None else time.monotonic() + timeout
        while not queue:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = dict(self._poller.poll(None if left is None else left * 1000))
            if self._inbox in ready:
                self._take()
            elif ready and self._alarm is not None:
                raise self._alarm.failure()
            elif left == 0:
                raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
        return queue.popleft()

    def _take(self) -> None:
        """Move one message from the socket to its sender's queue, if its connection has proved who it is."""
        identity, *frames = self._inbox.recv_multipart(copy=False)
        peer = self._proved.get(identity.bytes)
        try:
            header = Header.decode(frames[0].bytes)
        except (FrameError, IndexError):
            return
        if peer is None:
            self._admit(identity.bytes, header, frames)
        elif header.kind is Kind.ABORT:
            raise PeerFailed(frames[1].bytes.decode(errors="replace"), peer)
        elif header.sender == peer and header.session == self._session:
            self._queues[peer].append((frames[0].bytes, [frame.buffer for frame in frames[1:]]))

    def _admit(self, identity: bytes, header: Header, frames: list[zmq.Frame]) -> None:
        genuine = header.kind is Kind.HELLO and len(frames) == 2 and header.session == self._session
        if genuine and hmac.compare_digest(frames[1].bytes, self._proof(header.sender, self.index)):
            self._proved[identity] = header.sender
            self._queues.setdefault(header.sender, deque())

    def abort(self, reason: str) -> None:
        text = reason.encode()
        header = Header(Kind.ABORT, self._session, self.index, 0, "abort", (ArraySpec("uint8", (len(text),)),))
        for outbox in self._outboxes.values():
            try:
                outbox.send_multipart([header.encode(), text], flags=zmq.DONTWAIT)
            except zmq.ZMQError:
                continue  # this peer is gone; the others still get it

    def close(self) -> None:
        for socket in (self._inbox, *self._outboxes.values()):
            socket.close()
        self._context.term()
