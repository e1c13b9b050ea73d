"""How endpoints that wait for a job come to one, over the very links on which it will run.

1. Who has a job for all sends a PROPOSE to the chair: a party that the session's id chooses, so that each is it as often.
2. The chair takes one, its own before others', and sends the PROPOSAL to all.
3. Each sends each a VOTE: the proposal as it heard it, and, if it does not admit it, why.
4. Who has everybody's vote knows what all know. The job begins where nobody refuses.

What a party asked for, it alone knows: where the chair names it for anything else, it stops the talks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from mpc.errors import DesyncError, FrameError, party_name
from mpc.transport.curve import CurveTransport
from mpc.transport.frames import ArraySpec, Header, Kind
from mpc.transport.reports import printable

_LONGEST = 1 << 14  # bytes of a message
_PROPOSE, _PROPOSAL, _VOTE = "propose", "proposal", "vote"
_DIGEST = re.compile("[0-9a-f]{64}")


class Proposal(NamedTuple):
    """A program, by its SHA-256 in hexadecimal, and the party that asks for it."""

    submitter: int
    digest: str


class Talks:
    """One endpoint's side, before the first message of a job. Errors are those of the transport."""

    def __init__(self, transport: CurveTransport, session: bytes, parties: int, timeout: float):
        self._transport, self._session, self._parties, self._timeout = transport, session, parties, timeout
        self.chair = int.from_bytes(session, "big") % parties
        self._index = transport.index
        self.own: Proposal | None = None  # what this endpoint has proposed: it alone uses the arguments of this host's submitter

    def find(self, descriptor: int, submitted: Callable[[], str]) -> Proposal:
        """Wait for a job. Once `descriptor` is readable, `submitted` gives the digest of one that this host asks for."""
        speakers = self._transport.peers if self._index == self.chair else (self.chair,)  # others may vote already
        while True:
            senders = self._transport.wait(descriptor, speakers)
            if not senders:
                self.own = Proposal(self._index, submitted())
                if self._index == self.chair:
                    return self._announce(self.own)
                self._send(self.chair, _PROPOSE, self.own)
            for sender in senders:
                what, proposal, _ = self._receive(sender)
                if what == _PROPOSE and self._index == self.chair and proposal.submitter == sender:
                    return self._announce(proposal)
                if what != _PROPOSAL or sender != self.chair:
                    raise FrameError(f"{party_name(sender, self._parties)} sent a {what} out of turn")
                if proposal.submitter == self._index and proposal != self.own:
                    raise FrameError(
                        f"{party_name(sender, self._parties)} proposed sha256:{proposal.digest} in the name of "
                        f"{party_name(self._index, self._parties)}, which has not asked for it"
                    )
                return proposal

    def _announce(self, proposal: Proposal) -> Proposal:
        for peer in self._transport.peers:
            self._send(peer, _PROPOSAL, proposal)
        return proposal

    def vote(self, proposal: Proposal, reason: str) -> dict[int, str]:
        """Tell all whether this endpoint admits it (an empty reason), and hear all. Who refuses, and why."""
        for peer in self._transport.peers:
            self._send(peer, _VOTE, proposal, reason)
        reasons = {self._index: reason}
        for peer in self._transport.peers:
            what, theirs, reasons[peer] = self._receive(peer)
            if what == _PROPOSE:  # it came too late
                what, theirs, reasons[peer] = self._receive(peer)
            if what != _VOTE or theirs != proposal:
                raise DesyncError(f"{party_name(peer, self._parties)} votes on another job than this one: start it again")
        return {peer: why for peer, why in sorted(reasons.items()) if why}

    def _send(self, peer: int, what: str, proposal: Proposal, reason: str = "") -> None:
        data = json.dumps([*proposal, reason]).encode()
        header = Header(Kind.DATA, self._session, self._index, 0, what, (ArraySpec("uint8", (len(data),)),))
        self._transport.send(peer, header.encode(), [data])

    def _receive(self, peer: int) -> tuple[str, Proposal, str]:
        header, payload = self._transport.receive(peer, self._timeout)
        try:
            what = Header.decode(header).label
            if what not in (_PROPOSE, _PROPOSAL, _VOTE):
                raise ValueError("it is none that belongs there")
            return what, *_decoded(b"".join(payload), self._parties)
        except (ValueError, TypeError, RecursionError) as error:  # FrameError is a ValueError
            raise FrameError(f"{party_name(peer, self._parties)} sent a malformed message before a job: {error}") from None


def _decoded(data: bytes, parties: int) -> tuple[Proposal, str]:
    """ValueError or TypeError for anything that `_send` could not have made."""
    if len(data) > _LONGEST:
        raise ValueError(f"it has {len(data)} bytes")
    submitter, digest, reason = json.loads(data)
    if type(submitter) is not int or not isinstance(digest, str) or not isinstance(reason, str):
        raise ValueError("it has other types")
    if not 0 <= submitter < parties:
        raise ValueError("it names a submitter that is no party")
    if not _DIGEST.fullmatch(digest):
        raise ValueError("it has no SHA-256")
    return Proposal(submitter, digest), printable(reason)
