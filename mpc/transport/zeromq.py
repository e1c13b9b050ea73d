"""Transport over ZeroMQ TCP sockets: one ROUTER that listens, and one DEALER to each peer.

The first message of a connection is a HELLO whose payload is an HMAC of (session, sender, receiver) under the session
token. What comes over a connection that has not shown it is dropped unread, and one that has speaks only for the sender
it proved. A connection that is lost is never made again: whoever answers at that port afterwards need not be the peer.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import zmq

from mpc.errors import FrameError, PeerFailed, PeerTimeout
from mpc.transport.base import Message, PeerFinished, Transport
from mpc.transport.frames import ArraySpec, Header, Kind, joined, origin, split

_NEVER_MS = 3_600_000  # until a connection is tried again. (-1 means never, but makes ZeroMQ 4.3 hang when it closes.)
_HELLO_BYTES = 1000  # more than a HELLO has
_SMALL = 1 << 16  # bytes of a message below which its frames are joined: copying them costs less than handling each


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
        self._failure: PeerFailed | None = None
        self._context = zmq.Context()
        self._inbox = self._socket(zmq.ROUTER)
        self._inbox.bind(f"tcp://{host}:*")
        self.address = self._inbox.getsockopt_string(zmq.LAST_ENDPOINT)
        self._outboxes: dict[int, zmq.Socket[bytes]] = {}
        self._proved: dict[bytes, int] = {}  # connection identity -> the sender that it proved to be
        self._queues: dict[int, deque[Message]] = {}
        self._finished: set[int] = set()
        self._poller = zmq.Poller()
        self._poller.register(self._inbox, zmq.POLLIN)

    def listen_also(self, alarm: Alarm) -> None:
        """End every `receive` with the alarm's failure, once it becomes readable."""
        self._alarm = alarm
        self._poller.register(alarm.fileno(), zmq.POLLIN)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.SNDHWM, 0)  # sending never waits; what a receiver has no room for stays at the sender
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

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        if sum(memoryview(part).nbytes for part in payload) < _SMALL:
            self._outboxes[to].send(joined([header, *payload]))
        else:
            self._outboxes[to].send_multipart([header, *payload], copy=False)

    def receive(self, sender: int, timeout: float | None) -> Message:
        queue = self._queues[sender]
        deadline = None if timeout is None else time.monotonic() + timeout
        while not queue:
            if self._failure is not None:
                raise self._failure
            if sender in self._finished:
                raise PeerFinished("it has finished its program", sender)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = dict(self._poller.poll(None if left is None else math.ceil(left * 1000)))
            if self._inbox in ready:
                self._take()
            # These are looked at even when something came: a stranger's flood must not hold them up.
            if self._alarm is not None and self._alarm.fileno() in ready:
                self._failure = self._failure or self._alarm.failure()
            elif left == 0 and not queue:
                raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
        return queue.popleft()

    def _take(self) -> None:
        """Move one message from the socket to its sender's queue, if its connection has proved who it is."""
        identity, frames = self._inbox.recv(), [self._inbox.recv(copy=False)]
        while frames[-1].more:
            frames.append(self._inbox.recv(copy=False))
        peer = self._proved.get(identity)
        if peer is None:
            self._admit(identity, frames)
            return
        first, *payload = split(frames[0].buffer) if len(frames) == 1 else [frame.buffer for frame in frames]
        data = bytes(first)
        kind, session, sender = origin(data)
        if sender != peer or session != self._session:
            raise FrameError(f"a message on the link to party {peer} claims another session, or to be of party {sender}")
        if kind == Kind.ABORT:
            reason = b"".join(payload)
            self._failure = self._failure or PeerFailed(reason.decode(errors="replace"), peer)
        elif kind == Kind.END:
            self._finished.add(peer)
        else:
            self._queues[peer].append((data, payload))

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

    def finish(self) -> None:
        self._tell_all(Kind.END, b"")

    def abort(self, reason: str) -> None:
        self._tell_all(Kind.ABORT, reason.encode())

    def _tell_all(self, kind: Kind, text: bytes) -> None:
        header = Header(kind, self._session, self.index, 0, kind.name.lower(), (ArraySpec("uint8", (len(text),)),)).encode()
        for outbox in self._outboxes.values():
            try:
                outbox.send_multipart([header, text], flags=zmq.DONTWAIT)
            except zmq.ZMQError:
                continue  # this peer is gone; the others still get it

    def close(self, linger_ms: int = 2000) -> None:
        """Release everything. What has not left yet gets that long."""
        for socket in (self._inbox, *self._outboxes.values()):
            socket.close(linger_ms)
        self._context.term()
