"""How hosts find each other over their sockets, in any order: who comes greets, and all agree on a session (see `rendezvous`)."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import zmq

from mpc.errors import FrameError, HandshakeError, PeerFailed, party_name
from mpc.transport.frames import Header, Kind, joined
from mpc.transport.handshake import Hello
from mpc.transport.keyed import Contact, KeyedTransport
from mpc.transport.rendezvous import NO_SESSION, Meeting, Rendezvous
from mpc.transport.reports import Cause, Report, as_error

GRACE = 1.5  # seconds in which all settle upon one failure


class MeetingTransport(KeyedTransport):
    """What `mpc.transport.curve.CurveTransport` does before a run."""

    def __init__(self, index: int, contacts: Sequence[Contact], *options: Any):
        super().__init__(index, contacts, *options)
        self._joined = False
        self._greeted: set[int] = set()
        self._rendezvous = Rendezvous(index, self._names, [contact.address for contact in contacts], {}, {})

    @abstractmethod
    def _agree(self, report: Report) -> Report:
        """Give up for this reason: the one upon which all settle."""

    @abstractmethod
    def _forget(self, peer: int) -> None:
        """It was started anew: what came from it before is of no use."""

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
            raise as_error(root) from error
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
        deadline = time.monotonic() + GRACE
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
        if len(frames) != 2:
            return  # not a HELLO either
        try:
            header = Header.decode(frames[0].bytes)
            if header.kind is not Kind.HELLO:
                return  # last words over a connection that was made again: its first one broke
            if header.sender != peer:
                raise FrameError(f"it claims to be {party_name(header.sender, self._parties)}, whose key it does not have")
            hello = Hello.decode(frames[1].bytes)
        except FrameError as error:
            raise self._hostile(peer, str(error)) from None
        for old in [known for known, owner in self._proved.items() if owner == peer]:
            del self._proved[old]  # it was started anew
        self._proved[identity] = peer
        self._forget(peer)
        if self._rendezvous.heard(peer, hello):
            self._session = self._rendezvous.session
            for other in self._greeted:
                self._post(other, [joined([self._header(Kind.READY, 0)])])

    def _hostile(self, peer: int, why: str) -> FrameError:
        return FrameError(
            f"{self._names[self.index]} cannot read a message of {self._names[peer]}, which is broken or hostile: {why}"
        )
