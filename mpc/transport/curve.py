"""Transport between machines: ZeroMQ with CURVE (encrypted, both sides authenticated by the keys of the cluster file).

ZAP admits the listed keys and no other, and each connection speaks for the endpoint whose key it has. Endpoints may
start in any order, and meet (see `rendezvous`); from then on a link that breaks is never made again. Limits hold for
everybody: the size of a frame, the time for a handshake, the number and the bytes of messages that wait to be read.
"""

from __future__ import annotations

import select
import time
from collections import Counter, deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import zmq

from mpc.errors import FrameError, HandshakeError, LinkLost, PeerFailed, PeerTimeout
from mpc.transport import reports as failures
from mpc.transport.base import Message
from mpc.transport.chunks import chunks, size_of, whole
from mpc.transport.frames import Header, Kind, joined
from mpc.transport.guard import Link
from mpc.transport.keyed import Contact
from mpc.transport.meeting import GRACE, MeetingTransport
from mpc.transport.reports import Cause, Report, Reports
from mpc.transport.sockets import SMALL

UNREAD_BYTES = 1 << 33  # of one peer's messages that wait to be read
UNREAD_MESSAGES = 100_000
_FAREWELL = 0.3  # seconds in which the last words of a peer may come after its link broke
_LAST_WORDS = 1.0  # the same once this endpoint has finished, as then the peer may have, too


class CurveTransport(MeetingTransport):
    """Endpoint `index` of `contacts`: the parties in order (the first `parties`), then the dealer if there is one.

    `secret` is this endpoint's key, `listen` what it binds; a link that acknowledges nothing for `heartbeat` seconds counts
    as broken. `insecure`: neither encrypted nor authenticated, which is refused beyond loopback. `patience`: how many seconds
    one that has finished waits for the others to finish (None: as long as they take).
    """

    settles = True

    def __init__(
        self,
        index: int,
        contacts: Sequence[Contact],
        secret: bytes,
        listen: str,
        parties: int,
        heartbeat: float = 2.5,
        insecure: bool = False,
        patience: float | None = None,
    ):
        super().__init__(index, contacts, secret, listen, parties, heartbeat, insecure)
        self._patience = patience
        self._queues = {peer: deque() for peer in self.peers}
        self._unread: Counter[int] = Counter()
        self._reports = Reports(index, len(contacts))
        self._finishing = False
        self._lost: set[int] = set()  # peers whose links broke

    # ------------------------------------------------------------------ messages

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        views = [memoryview(part) for part in payload]
        frames: list[Any]
        if sum(view.nbytes for view in views) < SMALL:
            frames, copy = [joined([header, *views])], True
        else:
            frames, copy = [header, *chain.from_iterable(map(chunks, views))], False
        try:
            self._outboxes[to].send_multipart(frames, flags=zmq.DONTWAIT, copy=copy)
        except zmq.Again:  # there is no link any more
            self._turn(_FAREWELL)
            raise self._failure or LinkLost(f"the link to {self._names[to]} broke", to) from None

    def receive(self, sender: int, timeout: float | None) -> Message:
        message = super().receive(sender, timeout)
        self._unread[sender] -= size_of(message)
        return message

    def _read(self, peer: int, frames: list[zmq.Frame]) -> None:
        if not self._insecure and self._owner(frames) != peer:
            raise FrameError("it came over a connection with another key")
        super()._read(peer, frames)

    def wait(self, descriptor: int, senders: Collection[int]) -> list[int]:
        """Wait until a message of one of `senders` is there, or `descriptor` can be read: which of them have one.

        Raises PeerFailed once any peer has failed, or is gone.
        """
        self._poller.register(descriptor, zmq.POLLIN)
        try:
            while not (ready := [sender for sender in senders if self._queues[sender]]):
                if self._failure is not None:
                    raise self._failure
                if select.select([descriptor], [], [], 0)[0]:
                    break
                self._turn(None)
        finally:
            self._poller.unregister(descriptor)
        return ready

    def _belongs(self, kind: int, session: bytes) -> bool:
        return session == self._session or kind == Kind.ABORT or not self._joined

    def _deliver(self, peer: int, kind: int, data: bytes, payload: list[Any]) -> None:
        if kind == Kind.READY:
            self._rendezvous.ready(peer, Header.decode(data).session)
        elif kind == Kind.ABORT:
            for report in failures.decode(b"".join(payload), len(self._contacts)):
                if report.origin != self.index:
                    self._note(report)
        elif kind == Kind.END:
            self._finished.add(peer)
        elif kind == Kind.HELLO:
            raise FrameError("it greets a second time")
        else:
            message = data, whole(data, payload)
            self._unread[peer] += size_of(message)
            if self._unread[peer] > UNREAD_BYTES:
                raise FrameError(f"more than {UNREAD_BYTES} bytes of it wait to be read")
            if len(self._queues[peer]) >= UNREAD_MESSAGES:
                raise FrameError(f"more than {UNREAD_MESSAGES} messages of it wait to be read")
            self._queues[peer].append(message)

    def _forget(self, peer: int) -> None:
        self._queues[peer].clear()
        self._unread[peer] = 0
        self._finished.discard(peer)

    # ------------------------------------------------------------------ failure

    def _greet(self, peer: int) -> None:
        super()._greet(peer)
        if self._reports.own is not None:  # this endpoint has given up already: one that comes late must hear why
            words = self._reports.encode()
            self._post(peer, [self._header(Kind.ABORT, len(words)), words])

    def _listen(self, ready: dict[Any, int]) -> bool:
        if self._guard.fileno() not in ready:
            return False
        for peer, event in self._guard.events():
            if self._joined:
                self._watch(peer, event)
            elif event is Link.UP:
                self._lost.discard(peer)
                self._greet(peer)
            else:
                if event is Link.DOWN and peer in self._greeted:
                    self._lose(peer)
                self._greeted.discard(peer)
                self._rendezvous.unreached(peer, event.value, event is not Link.DOWN)
        return True

    def _watch(self, peer: int, event: Link) -> None:
        if event is not Link.DOWN or self._left(peer):
            return
        self._failure = self._failure or LinkLost(f"the link to {self._names[peer]} broke", peer)
        self._lose(peer)

    def _lose(self, peer: int) -> None:
        self._lost.add(peer)
        if self._reports.own is not None:  # this endpoint has stopped already, and the others may still wait for this
            self._note(Report(self.index, Cause.LOST, peer, self._reports.own.operation))

    def _left(self, peer: int) -> bool:
        """Whether a peer whose link broke has finished, or failed and said so: its last words may still be on their way."""
        deadline = time.monotonic() + (_LAST_WORDS if self._finishing else _FAREWELL)
        while not (gone := peer in self._finished or self._reports.spoke(peer)) and time.monotonic() < deadline:
            if self._inbox.poll(20):
                with suppress(FrameError):
                    self._take()
        return gone

    def _note(self, report: Report) -> None:
        """Keep a report that is new, pass it on, and stop."""
        if not self._reports.add(report):
            return
        if report.origin != self.index:
            self._failure = self._failure or PeerFailed(report.text, report.origin)
        self._tell_all(Kind.ABORT, self._reports.encode())

    def settle(self, report: Report) -> Report:
        """Exchange reports until everybody has been heard, or is known to be lost, or some time has passed."""
        self._guard.disarm()
        self._catch_up()
        if report.cause is Cause.LOST and not self._left(report.about):
            self._lost.add(report.about)
        if report.cause is Cause.LOST or (report.cause is Cause.FAILED and self._heard_others()):
            report = report._replace(cause=Cause.STOPPED, about=-1)  # others have stopped for a reason of their own, before
        return self._agree(report)

    def _agree(self, report: Report) -> Report:
        for peer in sorted(self._lost):
            self._note(Report(self.index, Cause.LOST, peer, report.operation))
        self._note(report)
        deadline = time.monotonic() + GRACE
        while not self._reports.complete() and (left := deadline - time.monotonic()) > 0:
            with suppress(HandshakeError, FrameError):
                self._turn(left)
        return failures.verdict(list(self._reports), self._parties)

    def _catch_up(self) -> None:
        """Take what has come while the endpoint was busy."""
        while self._inbox.poll(0):
            with suppress(FrameError):
                self._take()
        with suppress(FrameError):
            self._listen({self._guard.fileno(): zmq.POLLIN})

    def _heard_others(self) -> bool:
        return any(report.origin != self.index for report in self._reports)

    def abort(self, reason: str) -> None:
        if self._context.closed:
            return
        with suppress(FrameError):
            self.settle(Report(self.index, Cause.FAILED, self.index, "", reason))

    # ------------------------------------------------------------------ the end

    def finish(self) -> None:
        """Tell all that nothing more comes, and stay until they have finished too: a run is good where all ended well."""
        super().finish()
        self._finishing = True
        deadline = None if self._patience is None else time.monotonic() + self._patience
        while missing := set(self.peers) - self._finished:
            if self._failure is not None:
                raise self._failure
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._turn(left) and left == 0 and missing == set(self.peers) - self._finished:
                raise PeerTimeout(f"{self._names[min(missing)]} did not finish within {self._patience:g} s", min(missing))
        self._guard.disarm()
