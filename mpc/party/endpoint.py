"""One endpoint of a session: its index, its exchanges with the others, its meter and its randomness."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mpc.errors import DesyncError, FrameError, PeerFailed, PeerTimeout, party_name
from mpc.party.meter import Cost, Meter
from mpc.randomness import SEED_BYTES, Stream, StreamFactory, derive_seed, new_seed
from mpc.transport import ArraySpec, Header, Kind, PeerFinished, Transport, as_arrays

Array = np.ndarray[Any, np.dtype[Any]]

DEFAULT_TIMEOUT = 120.0
NETWORKS = ("lan", "wan")  # what a protocol may be told about the links: fast, or so slow that rounds cost more than bytes


@dataclass(frozen=True)
class Keys:
    """The seeds that one endpoint shares: `dealer` (party i: with the dealer; dealer: by party) and `pairwise`."""

    session: bytes
    dealer: dict[int, bytes] = field(repr=False)
    pairwise: dict[int, bytes] = field(repr=False)

    @classmethod
    def generate(cls, size: int, seed: int | None = None) -> list[Keys]:
        """Keys of `size` parties and, last, of their dealer. With a seed they repeat: for tests and benchmarks only."""
        root = new_seed() if seed is None else seed.to_bytes(SEED_BYTES, "little", signed=True)

        def secret(name: str) -> bytes:
            return derive_seed(root, name)

        session = secret("session")[:16]
        dealer = {i: secret(f"dealer {i}") for i in range(size)}
        keys = []
        for i in range(size):
            pairwise = {j: secret(f"pair {min(i, j)} {max(i, j)}") for j in range(size) if j != i}
            keys.append(cls(session, {i: dealer[i]}, pairwise))
        return [*keys, cls(session, dealer, {})]


class Endpoint:
    """What protocols see of the outside. Parties are 0..size-1; the dealer's endpoint has index size."""

    def __init__(
        self,
        transport: Transport,
        size: int,
        keys: Keys,
        timeout: float = DEFAULT_TIMEOUT,
        stream: StreamFactory = Stream,
        network: str = NETWORKS[0],
    ):
        self.network = network
        self.index = transport.index
        self.size = size
        self.peers = tuple(i for i in range(size) if i != self.index)  # the other parties (the dealer is none)
        self.timeout = timeout
        self.meter = Meter()
        self.dealer_streams = {i: stream(seed) for i, seed in keys.dealer.items()}
        self.pairwise = {i: stream(seed) for i, seed in keys.pairwise.items()}
        self._transport = transport
        self._session = keys.session
        self._sent: Counter[int] = Counter()
        self._received: Counter[int] = Counter()
        self._drawn = 0

    def scope(self, name: str) -> AbstractContextManager[None]:
        """`with endpoint.scope("conv1"):` counts what the block costs under this name too, within the scopes around it."""
        return self.meter.scope(name)

    def next_number(self) -> int:
        """A number for the next joint draw from the pairwise streams: the same at every party, and never again."""
        self._drawn += 1
        return self._drawn

    # ------------------------------------------------------------------ exchanges between the parties

    def exchange(
        self,
        label: str,
        arrays: Sequence[Array],
        to: Iterable[int] | None = None,
        senders: Iterable[int] | None = None,
    ) -> list[list[Array]]:
        """One round: send `arrays` to the peers in `to`, and receive arrays alike from those in `senders`.

        Both default to all peers. Returns one list of (read-only) arrays for each sender, in order. The arrays sent must
        not change afterwards: nothing is copied. Raises DesyncError where a peer is at another operation, PeerTimeout,
        PeerFailed.
        """
        begin = time.perf_counter()
        cost = Cost(rounds=1)
        arrays = [np.asarray(a, order="C") for a in arrays]
        specs = tuple(map(ArraySpec.of, arrays))
        nbytes = sum(a.nbytes for a in arrays)
        for peer in self.peers if to is None else to:
            cost.header_bytes += self._send(peer, Kind.DATA, label, specs, arrays)
            cost.bytes_sent += nbytes
        received = []
        for peer in self.peers if senders is None else senders:
            header, payload = self._receive(peer, label, specs)
            if header.arrays != specs:
                raise DesyncError(self._differ(peer, header, label, specs))
            received.append(self._arrays(peer, header, payload))
            cost.bytes_received += nbytes
        cost.seconds = cost.peer_seconds = time.perf_counter() - begin
        self.meter.count(label, cost)
        return received

    def announce(self, label: str, owner: int, *specs: ArraySpec | None) -> tuple[ArraySpec, ...]:
        """The owner tells all peers the dtypes and shapes of arrays; no payload. One round, 0 bytes."""
        begin = time.perf_counter()
        cost = Cost(rounds=1)
        told = tuple(spec for spec in specs if spec is not None)
        if self.index == owner:
            for peer in self.peers:
                cost.header_bytes += self._send(peer, Kind.ANNOUNCE, label, told, ())
        else:
            header, _ = self._receive(owner, label, ())
            if header.kind is not Kind.ANNOUNCE:
                raise DesyncError(self._differ(owner, header, label, ()))
            told = header.arrays
        cost.seconds = cost.peer_seconds = time.perf_counter() - begin
        self.meter.count(label, cost)
        return told

    def broadcast(self, label: str, owner: int, array: Array | None) -> Array:
        """The owner's array, sent to all peers as it is: public. One round. Read-only."""
        begin = time.perf_counter()
        cost = Cost(rounds=1)
        if self.index == owner:
            result = np.array(array, order="C")
            result.flags.writeable = False
            spec = ArraySpec.of(result)
            for peer in self.peers:
                cost.header_bytes += self._send(peer, Kind.DATA, label, (spec,), [result])
                cost.bytes_sent += result.nbytes
        else:
            header, payload = self._receive(owner, label, ())
            if header.kind is not Kind.DATA or len(header.arrays) != 1:
                raise DesyncError(self._differ(owner, header, label, ()))
            (result,) = self._arrays(owner, header, payload)
            cost.bytes_received += result.nbytes
        cost.seconds = cost.peer_seconds = time.perf_counter() - begin
        self.meter.count(label, cost)
        return result

    # ------------------------------------------------------------------ requests to the dealer

    def send_request(self, label: str, arrays: Sequence[Array]) -> None:
        """Send to the dealer, without waiting. Requests are not payload: they count as header bytes."""
        arrays = [np.asarray(a, order="C") for a in arrays]
        specs = tuple(ArraySpec.of(a) for a in arrays)
        nbytes = self._send(self.size, Kind.DATA, label, specs, arrays) + sum(a.nbytes for a in arrays)
        self.meter.count(label, Cost(header_bytes=nbytes))

    def receive_correction(self, label: str, specs: Sequence[ArraySpec]) -> list[Array]:
        """What the dealer answers to the request `label`. Its bytes have been counted by whoever asked."""
        begin = time.perf_counter()
        header, payload = self._receive(self.size, label, tuple(specs))
        if header.arrays != tuple(specs):
            raise DesyncError(self._differ(self.size, header, label, tuple(specs)))
        seconds = time.perf_counter() - begin
        arrays = self._arrays(self.size, header, payload)
        self.meter.count(label, Cost(seconds=seconds, dealer_seconds=seconds))
        return arrays

    def receive_request(self, party: int) -> tuple[str, list[Array]]:
        """At the dealer: the next request of a party, whenever it comes."""
        header, payload = self._receive(party, None, (), timeout=None)
        return header.label, self._arrays(party, header, payload)

    def send_correction(self, party: int, label: str, arrays: Sequence[Array]) -> None:
        """At the dealer: answer one party."""
        specs = tuple(ArraySpec.of(a) for a in arrays)
        header_bytes = self._send(party, Kind.DATA, label, specs, arrays)
        sent = sum(a.nbytes for a in arrays)
        self.meter.count(label, Cost(bytes_sent=sent, header_bytes=header_bytes))

    # ------------------------------------------------------------------ frames

    def _send(self, to: int, kind: Kind, label: str, specs: tuple[ArraySpec, ...], arrays: Sequence[Array]) -> int:
        header = Header(kind, self._session, self.index, self._sent[to], label, specs).encode()
        self._sent[to] += 1
        self._transport.send(to, header, arrays)
        return len(header)

    def _receive(
        self, peer: int, label: str | None, specs: tuple[ArraySpec, ...], timeout: float | None = -1
    ) -> tuple[Header, list[Any]]:
        try:
            data, payload = self._transport.receive(peer, self.timeout if timeout == -1 else timeout)
        except PeerTimeout:
            me, other = party_name(self.index, self.size), party_name(peer, self.size)
            raise PeerTimeout(
                f"{me} waited {self.timeout:g} s for {other} in operation '{label}' and nothing came: {other} hangs, is "
                "slower than that, or runs another program. Raise timeout= if it only needs longer.",
                peer,
            ) from None
        except PeerFinished:
            raise DesyncError(self._left_alone(peer, label)) from None
        except PeerFailed as error:
            me, other = party_name(self.index, self.size), party_name(peer, self.size)
            waiting = f"{me} was waiting for {other}" + (f" in operation '{label}'" if label else "")
            raise PeerFailed(f"{error} ({waiting})", error.peer, peer) from None
        expected = Header(Kind.DATA, self._session, peer, self._received[peer], label or "", specs)
        if data == expected.encode():  # the usual case needs no parsing
            self._received[peer] += 1
            return expected, payload
        header = self._header(peer, data)
        mismatch = label is not None and header.label != label
        if mismatch or header.sequence != self._received[peer]:
            raise DesyncError(self._differ(peer, header, label, specs))
        self._received[peer] += 1
        return header, payload

    def _header(self, peer: int, data: bytes) -> Header:
        me, other = party_name(self.index, self.size), party_name(peer, self.size)
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
            me, other = party_name(self.index, self.size), party_name(peer, self.size)
            raise FrameError(f"{me} cannot read a message of {other}, which is broken or hostile: {error}") from None

    def _left_alone(self, peer: int, label: str | None) -> str:
        me, other = party_name(self.index, self.size), party_name(peer, self.size)
        return (
            f"{me} waits at operation '{label}' (message {self._received[peer]}) for {other}, which has finished its program. "
            "Every party must run the same operations: look for a branch on party.index or on a private value."
        )

    def _differ(self, peer: int, header: Header, label: str | None, specs: tuple[ArraySpec, ...]) -> str:
        me, other = party_name(self.index, self.size), party_name(peer, self.size)
        mine = f"'{label}' {', '.join(map(str, specs))} (message {self._received[peer]})"
        theirs = f"'{header.label}' {', '.join(map(str, header.arrays))} (message {header.sequence})"
        return (
            f"{me} is at operation {mine} while {other} is at {theirs}. Every party must run the same operations on the "
            "same shapes: look for a branch on party.index or on a private value."
        )
