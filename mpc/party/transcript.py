"""What all parties received alike, as running codes that each two of them compare before anything is revealed.

Parties i and j both feed every such message, with the shares of all parties in order, to a code whose key only these two
have. Who sent them different things, or altered a link, does not know that key: the codes then agree with a probability
below (16-byte blocks + 1) / 2^128. A segment is what lies between two comparisons; each has keys of its own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from mpc.errors import IntegrityError, party_name
from mpc.party.mac import Mac
from mpc.randomness import derive_seed
from mpc.transport import ArraySpec, Header, Kind

PROOF_BYTES = 32
EVERYBODY = 0xFFFF  # the sender of a message to which all parties contribute


class Transcript:
    """One party's codes with each of its peers, by the seeds that it shares with them."""

    def __init__(self, session: bytes, index: int, size: int, seeds: Mapping[int, bytes]):
        self._session, self._index, self._size = session, index, size
        self._roots = {peer: derive_seed(seed, f"transcript {session.hex()}") for peer, seed in seeds.items()}
        self._segment = self._messages = 0
        self._macs: dict[int, Mac] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing has come since the last comparison."""
        return not self._macs

    def add(self, kind: Kind, sender: int, label: str, specs: tuple[ArraySpec, ...], arrays: Sequence[Any]) -> None:
        """A message that all parties have received alike. Cost: local; one pass over the arrays for each peer."""
        if not self._macs:
            keys = {peer: derive_seed(root, f"segment {self._segment}") for peer, root in self._roots.items()}
            self._macs = {peer: Mac(key) for peer, key in keys.items()}
        self._messages += 1
        parts = [Header(kind, self._session, sender, self._messages, label, specs).encode(), *arrays]
        for mac in self._macs.values():
            mac.feed(parts)

    def close(self) -> tuple[dict[int, bytes], dict[int, bytes]]:
        """End the segment: what to send to each peer as a proof of what we received, and what to expect of it."""
        tags = {peer: mac.tag() for peer, mac in self._macs.items()}
        mine = {peer: self._proof(peer, tag, self._index) for peer, tag in tags.items()}
        theirs = {peer: self._proof(peer, tag, peer) for peer, tag in tags.items()}
        self._macs = {}
        self._segment += 1
        return mine, theirs

    def _proof(self, peer: int, tag: bytes, sender: int) -> bytes:
        """Bound to who sends it, so that a proof sent back to its maker proves nothing."""
        data = tag + self._segment.to_bytes(8, "little") + sender.to_bytes(2, "little")
        return hashlib.blake2b(data, key=self._roots[peer], digest_size=PROOF_BYTES, person=b"mpc transcript").digest()

    def compare(self, expected: Mapping[int, bytes], received: Mapping[int, bytes]) -> None:
        """IntegrityError unless the proofs of all peers are what they should be."""
        others = [peer for peer, proof in expected.items() if not hmac.compare_digest(proof, received[peer])]
        if others:
            names = " and ".join(party_name(peer, self._size) for peer in others)
            raise IntegrityError(
                f"{party_name(self._index, self._size)} and {names} have not received the same messages in operations before "
                "this reveal: a message was altered on its way, or a party sent different values to different parties. Nothing "
                "that depends on it was revealed. Run again over encrypted links; if it happens again, find out which host or "
                "network alters messages: one that disagrees with all others is the likeliest."
            )
