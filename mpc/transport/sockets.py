"""ZeroMQ TCP sockets of one endpoint: one ROUTER that listens, and one DEALER to each peer.

What comes over a connection that has not proved whose it is is dropped unread, and one that has speaks only for the
endpoint it proved. How it proves that, and what else an endpoint listens to, differs: see `local` and `curve`.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

import zmq

from mpc.errors import FrameError, PeerFailed, PeerTimeout
from mpc.transport.base import Message, PeerFinished, Transport
from mpc.transport.frames import ArraySpec, Header, Kind, joined, origin, split

SMALL = 1 << 16  # bytes of a message below which its frames are joined: copying them costs less than handling each


class SocketTransport(Transport):
    """What transports over ZeroMQ have in common."""

    def __init__(self, index: int, session: bytes):
        self.index = index
        self.peers = ()
        self._session = session
        self._failure: PeerFailed | None = None
        self._context = zmq.Context()
        self._inbox = self._socket(zmq.ROUTER)
        self._outboxes: dict[int, zmq.Socket[bytes]] = {}
        self._proved: dict[bytes, int] = {}  # connection identity -> the sender that it proved to be
        self._queues: dict[int, deque[Message]] = {}
        self._finished: set[int] = set()
        self._poller = zmq.Poller()
        self._poller.register(self._inbox, zmq.POLLIN)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.SNDHWM, 0)  # sending never waits; what a receiver has no room for stays at the sender
        return socket

    @abstractmethod
    def _admit(self, identity: bytes, frames: list[zmq.Frame]) -> None:
        """A message of a connection that has not proved anything yet: remember it in `_proved` if this does."""

    @abstractmethod
    def _listen(self, ready: dict[Any, int]) -> bool:
        """Look at what else became readable; True if that was something that may set `_failure`."""

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        if sum(memoryview(part).nbytes for part in payload) < SMALL:
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
            if not self._turn(left) and left == 0 and not queue:
                raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
        return queue.popleft()

    def _turn(self, seconds: float | None) -> bool:
        """Wait for that long at most, and take what came. True if something else than messages came."""
        ready = dict(self._poller.poll(None if seconds is None else math.ceil(seconds * 1000)))
        if self._inbox in ready:
            self._take()
        # This is looked at even when a message came: a stranger's flood must not hold it up.
        return self._listen(ready)

    def _take(self) -> None:
        """Move one message from the socket to its sender's queue, if its connection has proved who it is."""
        identity, frames = self._inbox.recv(), [self._inbox.recv(copy=False)]
        while frames[-1].more:
            frames.append(self._inbox.recv(copy=False))
        peer = self._proved.get(identity)
        if peer is None:
            self._admit(identity, frames)
            return
        try:
            self._read(peer, frames)
        except FrameError as error:
            raise self._hostile(peer, str(error)) from None

    def _read(self, peer: int, frames: list[zmq.Frame]) -> None:
        """A message of this peer: FrameError if it is none, or not one of its own."""
        first, *payload = split(frames[0].buffer) if len(frames) == 1 else [frame.buffer for frame in frames]
        data = bytes(first)
        kind, session, sender = origin(data)
        if sender != peer:
            raise FrameError(f"it claims to be of endpoint {sender}")
        if not self._belongs(kind, session):
            raise FrameError("it claims to be of another session")
        self._deliver(peer, kind, data, payload)

    def _hostile(self, peer: int, why: str) -> FrameError:
        """What a peer's message that cannot be read is told as."""
        return FrameError(f"a message on the link to party {peer} is broken or hostile: {why}")

    def _belongs(self, kind: int, session: bytes) -> bool:
        """Whether a message of this kind may name that session."""
        return session == self._session

    def _deliver(self, peer: int, kind: int, data: bytes, payload: list[Any]) -> None:
        """A message of a peer, of this session."""
        if kind == Kind.ABORT:
            self._failure = self._failure or PeerFailed(b"".join(payload).decode(errors="replace"), peer)
        elif kind == Kind.END:
            self._finished.add(peer)
        else:
            self._queues[peer].append((data, payload))

    def finish(self) -> None:
        self._tell_all(Kind.END, b"")

    def abort(self, reason: str) -> None:
        self._tell_all(Kind.ABORT, reason.encode())

    def _tell_all(self, kind: Kind, text: bytes) -> None:
        header = self._header(kind, len(text))
        for outbox in self._outboxes.values():
            try:
                outbox.send_multipart([header, text], flags=zmq.DONTWAIT)
            except zmq.ZMQError:
                continue  # this peer is gone; the others still get it

    def _header(self, kind: Kind, nbytes: int) -> bytes:
        return Header(kind, self._session, self.index, 0, kind.name.lower(), (ArraySpec("uint8", (nbytes,)),)).encode()

    def close(self, linger_ms: int = 2000) -> None:
        """Release everything. What has not left yet gets that long."""
        for socket in (self._inbox, *self._outboxes.values()):
            socket.close(linger_ms)
        self._context.term()
