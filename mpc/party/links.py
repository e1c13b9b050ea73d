"""Numbered, checked messages between one endpoint and each of the others."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from mpc.errors import DesyncError, FrameError, IntegrityError, PeerFailed, PeerTimeout, party_name
from mpc.party.keys import Keys
from mpc.party.mac import TAG_BYTES, Seals, as_array
from mpc.randomness import derive_seed
from mpc.transport import ArraySpec, Header, Kind, PeerFinished, Transport, as_arrays

Array = np.ndarray[Any, np.dtype[Any]]
Specs = tuple[ArraySpec, ...]

SEAL = ArraySpec("uint8", (TAG_BYTES,))
_VOUCHED = "#"  # between a label and what the parties compare beside it


def plain(label: str) -> str:
    """The operation that a label names, without what the parties compare beside it."""
    return label.partition(_VOUCHED)[0]


class Links:
    """Messages are numbered in each direction, and name their operation and shapes.

    A sealed one ends with a code over all of it, under a key that only sender and receiver have: one key for each direction.
    """

    def __init__(self, transport: Transport, size: int, keys: Keys, timeout: float):
        self.index, self._size, self._timeout = transport.index, size, timeout
        self._transport = transport
        self._session = keys.session
        self._seeds = keys.of_links(self.index, size)
        self._seals: dict[tuple[int, int], Seals] = {}
        self._sent: Counter[int] = Counter()
        self._received: Counter[int] = Counter()
        self.altered: IntegrityError | None = None  # once something was altered, nothing goes on: also if a program catches it
        self.operation = ""  # the last one that a message was sent or awaited for
        self.vouched = ""  # what the parties must have alike, besides: in headers of the messages between them

    def send(
        self, to: int, label: str, specs: Specs, arrays: Sequence[Array], kind: Kind = Kind.DATA, sealed: bool = False
    ) -> int:
        """The bytes of the header. The arrays must not change afterwards: nothing is copied."""
        self.operation = label
        self.stop_if_altered()
        number = self._sent[to]
        self._sent[to] += 1
        name = self._named(to, label)
        header = Header(kind, self._session, self.index, number, name, (*specs, SEAL) if sealed else specs).encode()
        if sealed:
            arrays = [*arrays, as_array(self._seal(self.index, to, number, header, arrays))]
        self._transport.send(to, header, arrays)
        return len(header)

    def receive(
        self,
        peer: int,
        label: str | None,
        specs: Specs | None = None,
        kind: Kind = Kind.DATA,
        sealed: bool = False,
        forever: bool = False,
    ) -> tuple[Header, list[Array]]:
        """The next message of `peer`, of that label, those arrays and that kind; None stands for any.

        Raises DesyncError where the peer is at another operation, IntegrityError for a wrong seal, FrameError for what is no
        message of this session, PeerTimeout (unless `forever`), PeerFailed.
        """
        self.operation = label or self.operation
        self.stop_if_altered()
        data, payload = self._next(peer, label, forever)
        wanted = (*(specs or ()), SEAL) if sealed else specs or ()
        label = None if label is None else self._named(peer, label)
        header = Header(kind, self._session, peer, self._received[peer], label or "", wanted)
        if data != header.encode():  # else, the usual case, it needs no parsing
            header = self._header(peer, data)
            fits = label in (None, header.label) and header.kind is kind and header.sequence == self._received[peer]
            fits = fits and (specs is None or header.arrays == wanted) and (not sealed or header.arrays[-1:] == (SEAL,))
            if not fits:
                raise self.differ(peer, header, label, wanted)
        arrays = self._arrays(peer, header, payload) if kind is Kind.DATA else []
        if sealed:
            header, arrays = self._opened(peer, header, data, arrays)
        self._received[peer] += 1
        return header, arrays

    def vouch(self, digest: bytes) -> None:
        """Headers between parties name this, too, and whatever was vouched for before it, until `vouched` is emptied."""
        self.vouched = _VOUCHED + blake2b(self.vouched.encode() + digest, digest_size=8).hexdigest()

    def _named(self, peer: int, label: str) -> str:
        return label + self.vouched if peer < self._size else label

    def stop_if_altered(self) -> None:
        if self.altered is not None:
            raise self.altered

    def _next(self, peer: int, label: str | None, forever: bool) -> tuple[bytes, list[Any]]:
        try:
            return self._transport.receive(peer, None if forever else self._timeout)
        except PeerTimeout:
            me, other = self._names(peer)
            raise PeerTimeout(
                f"{me} waited {self._timeout:g} s for {other} in operation '{label}' and nothing came: {other} hangs, is "
                "slower than that, or runs another program. If it only needs longer, raise the "
                "timeout (across machines: `message` in the cluster file).",
                peer,
            ) from None
        except PeerFinished:
            raise DesyncError(self._left_alone(peer, label)) from None
        except PeerFailed as error:
            me, other = self._names(peer)
            waiting = f"{me} was waiting for {other}" + (f" in operation '{label}'" if label else "")
            raise type(error)(f"{error} ({waiting})", error.peer, peer) from None

    def _header(self, peer: int, data: bytes) -> Header:
        me, other = self._names(peer)
        try:
            header = Header.decode(data)
        except FrameError as error:
            raise FrameError(f"{me} cannot read a message of {other}, which is broken or hostile: {error}") from None
        if header.session != self._session or header.sender != peer:
            raise FrameError(f"{me} got a message on the link to {other} that claims another session or sender")
        return header

    def _arrays(self, peer: int, header: Header, payload: Sequence[Any]) -> list[Array]:
        try:
            return as_arrays(header, payload)
        except FrameError as error:
            me, other = self._names(peer)
            raise FrameError(f"{me} cannot read a message of {other}, which is broken or hostile: {error}") from None

    # ------------------------------------------------------------------ seals

    def _seal(self, sender: int, receiver: int, number: int, header: bytes, arrays: Sequence[Array]) -> bytes:
        link = (sender, receiver)
        if link not in self._seals:
            seed = self._seeds[receiver if sender == self.index else sender]
            self._seals[link] = Seals(derive_seed(seed, f"seal {self._session.hex()} {sender} {receiver}"))
        return self._seals[link].tag(number, [header, *arrays])

    def _opened(self, peer: int, header: Header, data: bytes, arrays: list[Array]) -> tuple[Header, list[Array]]:
        """The message without its seal, which is right."""
        *arrays, seal = arrays
        if not hmac.compare_digest(self._seal(peer, self.index, header.sequence, data, arrays), seal.tobytes()):
            me, other = self._names(peer)
            self.altered = IntegrityError(
                f"{me} got a message of {other} in operation {header.label!r} that was altered on its way: its seal is wrong. "
                f"Nothing of it was used. Run again over encrypted links; if it happens again, look at the network between "
                f"{me} and {other}."
            )
            raise self.altered
        return header._replace(arrays=header.arrays[:-1]), arrays

    # ------------------------------------------------------------------ texts

    def _names(self, peer: int) -> tuple[str, str]:
        return party_name(self.index, self._size), party_name(peer, self._size)

    def _left_alone(self, peer: int, label: str | None) -> str:
        me, other = self._names(peer)
        at = f" at operation '{label}'" if label else ""
        return (
            f"{me} waits{at} (message {self._received[peer]}) for {other}, which has finished its program. "
            "Every party must run the same operations: look for a branch on party.index or on a private value."
        )

    def differ(self, peer: int, header: Header, label: str | None, specs: Specs = ()) -> DesyncError:
        """The error of one that is at operation `label`, and has got a message of another."""
        me, other = self._names(peer)
        if label and header.label != label and plain(header.label) == plain(label):
            return DesyncError(
                f"{me} and {other} have asked the dealer for different things before operation '{plain(label)}'. "
                "Every party must run the same operations on the same shapes and public values: look for a branch on party.index "
                "or on a private value."
            )
        mine = f"'{label}' {', '.join(map(str, specs))} (message {self._received[peer]})"
        theirs = f"{header.label!r} {', '.join(map(str, header.arrays))} (message {header.sequence})"
        return DesyncError(
            f"{me} is at operation {mine} while {other} is at {theirs}. Every party must run the same operations on the "
            "same shapes: look for a branch on party.index or on a private value."
        )
