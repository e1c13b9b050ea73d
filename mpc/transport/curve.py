"""Transport between machines: ZeroMQ with CURVE (encrypted, both sides authenticated by the keys of the cluster file).

ZAP admits the listed keys and no other, and each connection speaks for the endpoint whose key it has. Endpoints may
start in any order, and meet (see `rendezvous`); from then on a link that breaks is never made again. Limits hold for
everybody: the size of a frame, the time for a handshake, the number and the bytes of messages that wait to be read.
"""

from __future__ import annotations

import re
import select
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils import z85

from mpc.errors import FrameError, HandshakeError, LinkLost, PeerFailed, PeerTimeout, party_name
from mpc.transport import reports as failures
from mpc.transport.base import Message
from mpc.transport.frames import Header, Kind, joined, origin
from mpc.transport.guard import Guard, Link
from mpc.transport.handshake import LONGEST, Hello
from mpc.transport.rendezvous import NO_SESSION, Meeting, Rendezvous
from mpc.transport.reports import Cause, Report, Reports
from mpc.transport.sockets import SMALL, SocketTransport

CHUNK = 1 << 20  # bytes of a frame: larger arrays travel in several
UNREAD_BYTES = 1 << 33  # of one peer's messages that wait to be read
UNREAD_MESSAGES = 100_000
_AHEAD = 1000  # messages in a socket, beyond which its connection is not read on
_HANDSHAKE_MS = 5000
_DOMAIN = "mpc"
_GRACE = 1.5  # seconds in which all settle upon one failure
_FAREWELL = 0.3  # seconds in which the last words of a peer may come after its link broke
_LAST_WORDS = 1.0  # the same once this endpoint has finished, as then the peer may have, too


class Contact(NamedTuple):
    """How to reach an endpoint, and the public key that it must have."""

    name: str
    address: str
    public: bytes


class CurveTransport(SocketTransport):
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
        if insecure and not all(map(_is_loopback, [listen, *(contact.address for contact in contacts)])):
            raise HandshakeError("an insecure transport is for loopback addresses (127.0.0.1, [::1]) alone, also to listen at")
        self._insecure, self._patience = insecure, patience
        self._keys = z85.encode(contacts[index].public), z85.encode(secret)
        self._heartbeat_ms = int(heartbeat * 1000)
        super().__init__(index, NO_SESSION)
        self._contacts, self._parties = contacts, parties
        self._names = [f"{party_name(i, parties)} ({contact.name})" for i, contact in enumerate(contacts)]
        self.peers = tuple(i for i in range(len(contacts)) if i != index)
        self._queues = {peer: deque() for peer in self.peers}
        self._unread: Counter[int] = Counter()
        self._reports = Reports(index, len(contacts))
        self._joined = self._finishing = False
        self._greeted: set[int] = set()
        self._lost: set[int] = set()  # peers whose links broke
        self._rendezvous = Rendezvous(index, self._names, [contact.address for contact in contacts], {}, {})
        self._indices = {z85.encode(contact.public).decode(): i for i, contact in enumerate(contacts)}
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(_DOMAIN, credentials_provider=self)
        self._guard = Guard(self._context)
        self._poller.register(self._guard.fileno(), zmq.POLLIN)
        try:
            self._bind(listen)
        except BaseException:
            self.close(0)
            raise

    # ------------------------------------------------------------------ sockets and keys

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by ZAP, in its thread: whether a connection with this (proved) key is admitted."""
        return domain == _DOMAIN and self._indices.get(key.decode(), self.index) != self.index

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = super()._socket(kind)
        socket.setsockopt(zmq.IPV6, 1)
        if not self._insecure:
            socket.curve_publickey, socket.curve_secretkey = self._keys
        socket.setsockopt(zmq.MAXMSGSIZE, CHUNK + LONGEST)
        socket.setsockopt(zmq.RCVHWM, _AHEAD)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        socket.setsockopt(zmq.IMMEDIATE, 1)  # what was for a connection that broke never goes over the next
        socket.setsockopt(zmq.RECONNECT_IVL, 200)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        # Cut links are found by TCP: something is sent often, and must be acknowledged in time. (A large message on a slow
        # link delays answers of ZeroMQ's own heartbeat, but not TCP's: so that only finds processes which stand still.)
        socket.setsockopt(zmq.HEARTBEAT_IVL, max(50, self._heartbeat_ms // 5))
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, self._heartbeat_ms * 8)
        socket.setsockopt(zmq.TCP_MAXRT, self._heartbeat_ms)
        return socket

    def _bind(self, listen: str) -> None:
        if not self._insecure:
            self._inbox.curve_server = True
            self._inbox.setsockopt_string(zmq.ZAP_DOMAIN, _DOMAIN)
            self._inbox.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        try:
            self._inbox.bind(listen)
        except zmq.ZMQError as error:
            raise HandshakeError(
                f"{self._names[self.index]} cannot listen at {listen}: {error.strerror}. Another process may have that port, or "
                "this machine has no such address: see `listen` in the cluster file."
            ) from None
        self.address = self._inbox.getsockopt_string(zmq.LAST_ENDPOINT)

    def _connect(self) -> None:
        for peer in self.peers:
            outbox = self._outboxes[peer] = self._socket(zmq.DEALER)
            if not self._insecure:
                outbox.curve_serverkey = z85.encode(self._contacts[peer].public)
        self._guard.start(self._outboxes)
        for peer in self.peers:
            self._outboxes[peer].connect(self._contacts[peer].address)

    # ------------------------------------------------------------------ the meeting

    def meet(
        self,
        agree: Mapping[str, str],
        facts: Mapping[str, str],
        wait: float,
        waiting: Callable[[dict[int, str]], None] = lambda missing: None,
    ) -> Meeting:
        """Wait up to that many seconds until all endpoints are there and `agree` is the same at all; HandshakeError if not.

        `facts` are told to the others. `waiting` is called now and then with the endpoints that are still missing, and why.
        """
        met = self._rendezvous = Rendezvous(
            self.index, self._names, [contact.address for contact in self._contacts], agree, facts
        )
        self._connect()
        try:
            self._gather(met, wait, waiting)
        except HandshakeError as error:
            raise HandshakeError(self._part(str(error))) from None
        except FrameError as error:
            raise FrameError(self._part(f"{error} (before the first operation)")) from None
        except PeerFailed as error:  # others have begun already, or given up
            root = self._agree(Report(self.index, Cause.STOPPED, -1))
            raise PeerFailed(root.text, root.origin) from error
        self._joined = True
        self._guard.arm()
        return met.meeting()

    def _gather(self, met: Rendezvous, wait: float, waiting: Callable[[dict[int, str]], None]) -> None:
        deadline, shown = time.monotonic() + wait, 0.0
        while not met.complete:
            self._turn(0.2)
            if self._failure is not None:
                raise self._failure
            met.stop_if_rejected()
            if time.monotonic() > deadline:
                raise met.gave_up(wait)
            if time.monotonic() - shown > 1:
                shown = time.monotonic()
                waiting(met.missing())

    def _part(self, why: str) -> str:
        """This endpoint gives up: those that have come must hear of it, and whoever does not fit must hear its HELLO. The reason
        upon which all of them agree."""
        deadline = time.monotonic() + _GRACE
        while not self._greeted.issuperset(self._rendezvous.met) and time.monotonic() < deadline:
            with suppress(HandshakeError, FrameError):
                self._turn(0.05)
        return self._agree(Report(self.index, Cause.FAILED, self.index, "", why)).text

    def _greet(self, peer: int) -> None:
        """Our link to it is there."""
        self._greeted.add(peer)
        self._rendezvous.reached(peer)
        hello = Header(Kind.HELLO, NO_SESSION, self.index, 0, "hello").encode()
        self._post(peer, [hello, self._rendezvous.hello_to(peer)])
        if self._session != NO_SESSION:
            self._post(peer, [joined([self._header(Kind.READY, 0)])])

    def _post(self, peer: int, frames: Sequence[Any]) -> None:
        """Send something small, if there is a link."""
        with suppress(zmq.Again):
            self._outboxes[peer].send_multipart(frames, flags=zmq.DONTWAIT)

    def _admit(self, identity: bytes, frames: list[zmq.Frame]) -> None:
        """A first message, of a connection whose key ZAP has admitted. Its HELLO must be of the endpoint with that key."""
        peer = self._owner(frames)
        if peer == self.index or self._joined:
            return
        if len(frames) == 1:
            return  # not a HELLO either
        try:
            header = Header.decode(frames[0].bytes)
            if header.kind is not Kind.HELLO or len(frames) != 2:
                return  # last words over a connection that was made again: its first one broke
            if header.sender != peer:
                raise FrameError(f"it claims to be {party_name(header.sender, self._parties)}, whose key it does not have")
            hello = Hello.decode(frames[1].bytes)
        except FrameError as error:
            raise self._hostile(peer, str(error)) from None
        for old in [known for known, owner in self._proved.items() if owner == peer]:
            del self._proved[old]  # it was started anew
        self._proved[identity] = peer
        self._queues[peer].clear()
        self._unread[peer] = 0
        self._finished.discard(peer)
        if self._rendezvous.heard(peer, hello):
            self._session = self._rendezvous.session
            for other in self._greeted:
                self._post(other, [joined([self._header(Kind.READY, 0)])])

    def _owner(self, frames: list[zmq.Frame]) -> int:
        """Whose key the connection has that these frames came over; our own index for nobody's."""
        if not self._insecure:
            return self._indices.get(str(frames[0].get("User-Id")), self.index)
        with suppress(FrameError):
            if (sender := origin(frames[0].bytes)[2]) < len(self._contacts):
                return sender
        return self.index

    def _hostile(self, peer: int, why: str) -> FrameError:
        return FrameError(
            f"{self._names[self.index]} cannot read a message of {self._names[peer]}, which is broken or hostile: {why}"
        )

    # ------------------------------------------------------------------ messages

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        views = [memoryview(part) for part in payload]
        frames: list[Any]
        if sum(view.nbytes for view in views) < SMALL:
            frames, copy = [joined([header, *views])], True
        else:
            frames, copy = [header, *chain.from_iterable(map(_chunks, views))], False
        try:
            self._outboxes[to].send_multipart(frames, flags=zmq.DONTWAIT, copy=copy)
        except zmq.Again:  # there is no link any more
            self._turn(_FAREWELL)
            raise self._failure or LinkLost(f"the link to {self._names[to]} broke", to) from None

    def receive(self, sender: int, timeout: float | None) -> Message:
        message = super().receive(sender, timeout)
        self._unread[sender] -= _size(message)
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
            whole = _whole(data, payload)
            self._unread[peer] += _size((data, whole))
            if self._unread[peer] > UNREAD_BYTES:
                raise FrameError(f"more than {UNREAD_BYTES} bytes of it wait to be read")
            if len(self._queues[peer]) >= UNREAD_MESSAGES:
                raise FrameError(f"more than {UNREAD_MESSAGES} messages of it wait to be read")
            self._queues[peer].append((data, whole))

    # ------------------------------------------------------------------ failure

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
        deadline = time.monotonic() + _GRACE
        while not self._reports.complete() and (left := deadline - time.monotonic()) > 0:
            with suppress(FrameError):
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

    def close(self, linger_ms: int = 2000) -> None:
        if self._context.closed:
            return
        for socket in (self._inbox, *self._outboxes.values()):
            socket.close(linger_ms)
        self._guard.close()
        self._authenticator.stop()
        self._context.term()


def _size(message: Message) -> int:
    """What a message takes in memory, about."""
    data, payload = message
    return 200 + len(data) + sum(memoryview(part).nbytes for part in payload)


def _is_loopback(address: str) -> bool:
    return re.fullmatch(r"tcp://(127\.\d+\.\d+\.\d+|\[::1\]|localhost):(\d+|\*)", address) is not None


def _chunks(view: memoryview) -> list[memoryview]:
    flat = view.cast("B") if view.nbytes else view
    return [flat[start : start + CHUNK] for start in range(0, max(1, view.nbytes), CHUNK)]


def _whole(data: bytes, payload: list[Any]) -> list[Any]:
    """One buffer for each array, where large ones came in several frames. Whoever reads them says if something is wrong."""
    if all(memoryview(part).nbytes < CHUNK for part in payload):
        return payload
    arrays = Header.decode(data).arrays
    frames = b"".join(payload)  # one copy
    if sum(spec.nbytes for spec in arrays) != len(frames):
        return payload
    ends = list(accumulate((spec.nbytes for spec in arrays), initial=0))
    return [memoryview(frames)[start:end] for start, end in pairwise(ends)]
