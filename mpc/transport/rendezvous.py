"""How the endpoints of a run find each other, in any order: what has been said so far, without the sockets.

1. Each sends each a HELLO: what must agree, a nonce, and a secret for the two of them.
2. Each compares; the session id is a hash of all nonces; each sends each a READY that names it.
3. Who has everybody's READY of this session begins.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from mpc.errors import HandshakeError
from mpc.transport.handshake import NONCE_BYTES, Hello, compare, pair_seed, session_of

NO_SESSION = bytes(16)
_NO_ACCIDENT = 4  # rejections in a row


class Meeting(NamedTuple):
    """What the handshake gave: the session, the seeds shared with each endpoint, and what each of them told."""

    session: bytes
    seeds: dict[int, bytes]
    facts: dict[int, dict[str, str]]

    def __repr__(self) -> str:
        return f"Meeting(session={self.session.hex()}, facts={self.facts})"


class Rendezvous:
    """One endpoint's view. `names` and `addresses` are those of all endpoints, by index."""

    def __init__(
        self, index: int, names: Sequence[str], addresses: Sequence[str], agree: Mapping[str, str], facts: Mapping[str, str]
    ):
        self.index, self._names, self._addresses = index, names, addresses
        self._peers = [i for i in range(len(names)) if i != index]
        self._own = Hello.draw(agree, facts)
        self._secrets = {peer: os.urandom(NONCE_BYTES) for peer in self._peers}
        self._hellos: dict[int, Hello] = {}
        self._ready: dict[int, bytes] = {}
        self.session = NO_SESSION
        self._rejections: Counter[int] = Counter()  # in a row, of each peer
        self.trouble: dict[int, str] = dict.fromkeys(self._peers, "not reached yet")

    def hello_to(self, peer: int) -> bytes:
        return self._own.to(self._secrets[peer])

    def heard(self, peer: int, hello: Hello) -> bool:
        """A HELLO came; an earlier one was of a process that is gone. Whether it completes (or renews) the session.

        HandshakeError where the two do not fit, in the same words on both sides.
        """
        self._ready.pop(peer, None)
        self._hellos[peer] = hello
        first, second = sorted([(self.index, self._own), (peer, hello)], key=lambda side: side[0])
        compare(first[1], self._names[first[0]], second[1], self._names[second[0]])
        if len(self._hellos) < len(self._peers):
            return False
        self.session = session_of({self.index: self._own, **self._hellos})
        return True

    def ready(self, peer: int, session: bytes) -> None:
        self._ready[peer] = session

    def reached(self, peer: int) -> None:
        """Our link to it is there: both keys fit."""
        self._rejections[peer] = 0
        self.trouble[peer] = "reached, but it has not greeted us"

    def unreached(self, peer: int, why: str, rejection: bool) -> None:
        """Our link to it is not there (any more), so its HELLO may be of a process that is gone. After a rejection of keys, what
        else closes the link says nothing."""
        self._hellos.pop(peer, None)
        self._ready.pop(peer, None)
        self._rejections[peer] += rejection
        if rejection or not self._rejections[peer]:
            self.trouble[peer] = why

    def stop_if_rejected(self) -> None:
        """HandshakeError once keys were rejected so often that it is no accident, as of a process that has just ended."""
        for peer, count in self._rejections.items():
            if count >= _NO_ACCIDENT:
                tried = f"{self._names[self.index]} tried {self._names[peer]} at {self._addresses[peer]}"
                cure = "Compare the keys (mpc cluster show, at both hosts), and give all hosts the same cluster file."
                raise HandshakeError(f"{tried}: {self.trouble[peer]}. {cure}")

    @property
    def met(self) -> Collection[int]:
        """Whose HELLO has come."""
        return self._hellos.keys()

    @property
    def complete(self) -> bool:
        return all(peer in self._hellos and self._ready.get(peer) == self.session for peer in self._peers)

    def missing(self) -> dict[int, str]:
        """The endpoints whose HELLO has not come, and what is known of them."""
        return {peer: self.trouble[peer] for peer in self._peers if peer not in self._hellos}

    def gave_up(self, seconds: float) -> HandshakeError:
        missing = [f"{self._names[peer]} at {self._addresses[peer]}: {why}" for peer, why in self.missing().items()]
        slow = [self._names[peer] for peer in self._peers if self._ready.get(peer) != self.session]
        return HandshakeError(
            f"{self._names[self.index]} waited {seconds:g} s for all to come. Missing: "
            f"{'; '.join(missing) or 'the agreement of ' + ', '.join(slow)}. Start them, or correct the cluster file."
        )

    def meeting(self) -> Meeting:
        """The result, once complete. The secrets are gone afterwards."""
        hellos = {self.index: self._own, **self._hellos}
        seeds = {peer: self._pair_seed(peer) for peer in self._peers}
        self._secrets.clear()
        return Meeting(self.session, seeds, {index: hello.facts for index, hello in hellos.items()})

    def _pair_seed(self, peer: int) -> bytes:
        drawn = {self.index: self._secrets[peer], peer: self._hellos[peer].secret}
        return pair_seed(self.session, drawn[min(drawn)], drawn[max(drawn)])
