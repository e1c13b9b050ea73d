"""What endpoints tell each other before a run: who differs is named, with both sides' values; the session is drawn jointly."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from mpc.errors import FrameError, HandshakeError
from mpc.transport.reports import printable

WIRE_VERSION = 1
LONGEST = 1 << 16  # bytes of a HELLO
NONCE_BYTES = 32


class Hello(NamedTuple):
    """One endpoint's part in the handshake. `agree` must be the same everywhere, name by name; `facts` need not.

    `nonce` goes to everybody, and into the session id; `secret` to one peer, and into the seed that only the two share.
    """

    agree: dict[str, str]
    facts: dict[str, str]
    nonce: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"Hello(agree={self.agree}, facts={self.facts})"  # the rest makes keys

    @classmethod
    def draw(cls, agree: Mapping[str, str], facts: Mapping[str, str]) -> Hello:
        own = {"wire version": str(WIRE_VERSION), **agree}
        return cls(own, dict(facts), os.urandom(NONCE_BYTES), b"")

    def to(self, secret: bytes) -> bytes:
        """As bytes, for the peer with whom this secret is shared."""
        return json.dumps([self.agree, self.facts, self.nonce.hex(), secret.hex()]).encode()

    @classmethod
    def decode(cls, data: bytes) -> Hello:
        """FrameError for what `to` could not have made."""
        try:
            if len(data) > LONGEST:
                raise FrameError(f"a greeting of {len(data)} bytes: at most {LONGEST}")
            agree, facts, nonce, secret = json.loads(data)
            hello = cls(_texts(agree), _texts(facts), bytes.fromhex(nonce), bytes.fromhex(secret))
        except FrameError:
            raise
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise FrameError(f"a malformed greeting: {error}") from None
        if len(hello.nonce) != NONCE_BYTES or len(hello.secret) != NONCE_BYTES:
            raise FrameError("a malformed greeting: its nonce and secret have other lengths")
        return hello


def _texts(items: Any) -> dict[str, str]:
    if not isinstance(items, dict) or not all(isinstance(value, str) for value in items.values()):
        raise FrameError("a malformed greeting: it has no texts by name")
    return {printable(name): printable(value) for name, value in items.items()}


def differences(own: Mapping[str, str], own_name: str, other: Mapping[str, str], other_name: str) -> list[str]:
    """What two do not have alike, with both sides' values. (Some have no program: their value is empty, and fits any.)"""
    found = []
    for name in dict.fromkeys([*own, *other]):
        mine, theirs = own.get(name), other.get(name)
        if mine != theirs and "" not in (mine, theirs):
            found.append(f"{name}: {own_name} has {_shown(mine)}, {other_name} has {_shown(theirs)}")
    return found


def compare(own: Hello, own_name: str, other: Hello, other_name: str) -> None:
    """HandshakeError that names what differs."""
    if found := differences(own.agree, own_name, other.agree, other_name):
        raise HandshakeError(
            f"{own_name} and {other_name} do not fit together. {'; '.join(found)}. Make them alike, then run again."
        )


def _shown(value: str | None) -> str:
    return "none" if value is None else value


def session_of(hellos: Mapping[int, Hello]) -> bytes:
    """The session id: nobody can choose it alone, and nobody draws one twice."""
    state = hashlib.blake2b(digest_size=16, person=b"mpc session")
    for index in sorted(hellos):
        state.update(hellos[index].nonce)
    return state.digest()


def pair_seed(session: bytes, low: bytes, high: bytes) -> bytes:
    """The seed that two endpoints share, from what each of them has drawn: the one with the lower index first."""
    return hashlib.blake2b(session + low + high, digest_size=32, person=b"mpc pair").digest()
