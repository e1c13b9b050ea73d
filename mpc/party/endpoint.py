"""One endpoint of a session: its index, its exchanges with the others, its meter and its randomness."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from mpc.errors import IntegrityError
from mpc.network import LOOPBACK, Network
from mpc.party.costs import Cost
from mpc.party.keys import Keys
from mpc.party.links import Links
from mpc.party.mac import TAG_BYTES, as_array
from mpc.party.meter import Meter
from mpc.party.numbers import Numbers
from mpc.party.transcript import EVERYBODY, PROOF_BYTES, Transcript
from mpc.plan import Planner
from mpc.randomness import Stream, StreamFactory
from mpc.transport import ArraySpec, Kind, Transport

Array = np.ndarray[Any, np.dtype[Any]]

DEFAULT_TIMEOUT = 120.0
_PROOF = (ArraySpec("uint8", (PROOF_BYTES,)),)


class Endpoint:
    """What protocols see of the outside. Parties are 0..size-1; the dealer's endpoint has index size.

    `integrity`: messages altered on their way, or not the same for all parties, are noticed before anything is revealed.
    `check_dealer`: how many further versions of everything the dealer is to deal, for a protocol that looks at these.
    `network`: the links, for a protocol that has several ways to do something.
    """

    dry = False  # whether there are only shapes, and no values

    def __init__(
        self,
        transport: Transport,
        size: int,
        keys: Keys,
        timeout: float = DEFAULT_TIMEOUT,
        stream: StreamFactory = Stream,
        network: Network = LOOPBACK,
        integrity: bool = False,
        check_dealer: int = 0,
    ):
        self.network = network
        self.index = transport.index
        self.size = size
        self.peers = tuple(i for i in range(size) if i != self.index)  # the other parties (the dealer is none)
        self.timeout = timeout
        self.meter = Meter()
        self.planner = Planner(network, self.meter.choices)
        self.dealer_streams = {i: stream(seed) for i, seed in keys.dealer.items()}
        self.pairwise = {i: stream(seed) for i, seed in keys.pairwise.items()}
        self.session = keys.session
        self.integrity = integrity
        self.check_dealer = check_dealer
        self._transport = transport
        self._links = Links(transport, size, keys, timeout)
        self._transcript: Transcript | None = None
        if integrity and self.index < size and self.peers:
            self._transcript = Transcript(keys.session, self.index, size, keys.pairwise)
        self._revealing = False
        self.numbers = Numbers("joint draws", self.claim)
        self._claim: Callable[[int], int] | None = None
        self._claimed = 0
        self.joint: Any = None  # the program's JointRandom
        self._dealt: Any = None  # the mpc.offline.Record of a run whose dealer has answered ahead of time

    def scope(self, name: str) -> AbstractContextManager[None]:
        """`with endpoint.scope("conv1"):` counts what the block costs under this name too, within the scopes around it."""
        return self.meter.scope(name)

    @property
    def operation(self) -> str:
        """The last one for which a message was sent or awaited."""
        return self._links.operation

    def next_number(self) -> int:
        """A number for the next joint draw from the pairwise streams: the same at every party, and never again."""
        return self.numbers.next()

    def keep_claims(self, claimed: int, claim: Callable[[int], int]) -> None:
        """Numbers up to `claimed` are on disk as used; `claim(number)` brings at least that one there, and says how many."""
        self._claimed, self._claim = claimed, claim

    def claim(self, number: int) -> int:
        """`number`, once a run that is resumed in this one's place is sure not to use it again."""
        if self._claim is not None and number > self._claimed:
            self._claimed = self._claim(number)
        return number

    # ------------------------------------------------------------------ exchanges between the parties

    def exchange(
        self,
        label: str,
        arrays: Sequence[Array],
        to: Iterable[int] | None = None,
        senders: Iterable[int] | None = None,
        check: bool = False,
    ) -> list[list[Array]]:
        """One round: send `arrays` to the peers in `to`, and receive arrays alike from those in `senders`.

        Both default to all peers; then they do at every party. Returns one list of (read-only) arrays for each sender, in
        order. The arrays sent must not change afterwards: nothing is copied. `check`: counted as the cost of a check. Raises
        DesyncError where a peer is at another operation, IntegrityError where `integrity` finds a message altered, PeerTimeout,
        PeerFailed.
        """
        begin = time.perf_counter()
        arrays = [np.asarray(a, order="C") for a in arrays]
        specs = tuple(map(ArraySpec.of, arrays))
        targets = self.peers if to is None else tuple(to)
        sources = self.peers if senders is None else tuple(senders)
        alike = (to is None and senders is None) or set(targets) == set(sources) == set(self.peers)  # all receive the same
        sealed = self.integrity and (self._revealing or not alike)
        headers = sum(self._links.send(peer, label, specs, arrays, sealed=sealed) for peer in targets)
        received = [self._links.receive(peer, label, specs, sealed=sealed)[1] for peer in sources]
        nbytes, seals = sum(a.nbytes for a in arrays), sealed * TAG_BYTES * len(targets)
        sent, got = len(targets) * nbytes, len(sources) * nbytes
        if check:
            cost = Cost(check_rounds=1, check_bytes=sent + seals, header_bytes=headers)
        else:
            cost = Cost(rounds=1, bytes_sent=sent, bytes_received=got, header_bytes=headers, check_bytes=seals)
        self._waited(label, cost, begin)
        if alike:
            self._links.vouched = ""
            shares = [*received]
            shares.insert(self.index, arrays)
            self._note(Kind.DATA, EVERYBODY, label, specs, [array for share in shares for array in share], sealed)
        return received

    def announce(self, label: str, owner: int, *specs: ArraySpec | None) -> tuple[ArraySpec, ...]:
        """The owner tells all peers the dtypes and shapes of arrays; no payload. One round, 0 bytes."""
        begin = time.perf_counter()
        cost = Cost(rounds=1)
        told = tuple(spec for spec in specs if spec is not None)
        if self.index == owner:
            cost.header_bytes = sum(self._links.send(peer, label, told, (), Kind.ANNOUNCE) for peer in self.peers)
        else:
            told = self._links.receive(owner, label, kind=Kind.ANNOUNCE)[0].arrays
        self._waited(label, cost, begin)
        self._note(Kind.ANNOUNCE, owner, label, told, ())
        return told

    def broadcast(self, label: str, owner: int, array: Array | None) -> Array:
        """The owner's array, sent to all peers as it is: public. One round. Read-only."""
        begin = time.perf_counter()
        cost = Cost(rounds=1)
        if self.index == owner:
            result = np.array(array, order="C")
            result.flags.writeable = False
            spec = ArraySpec.of(result)
            sent = [self._links.send(peer, label, (spec,), [result], sealed=self.integrity) for peer in self.peers]
            cost.header_bytes, cost.bytes_sent = sum(sent), result.nbytes * len(sent)
            cost.check_bytes = self._seal_bytes * len(sent)
        else:
            header, arrays = self._links.receive(owner, label, sealed=self.integrity)
            if len(arrays) != 1:
                raise self._links.differ(owner, header, label)
            (result,), (spec,) = arrays, header.arrays
            cost.bytes_received = result.nbytes
        self._waited(label, cost, begin)
        self._note(Kind.DATA, owner, label, (spec,), [result], sealed=self.integrity)
        return result

    # ------------------------------------------------------------------ integrity

    @contextmanager
    def revealing(self) -> Iterator[None]:
        """Secrets come out in this block: what they depend on is confirmed before, and the messages with them are sealed."""
        self.confirm()
        self._revealing = True
        try:
            yield
        finally:
            self._revealing = False

    def confirm(self) -> None:
        """Compare with each peer what all parties have received alike since the last time; IntegrityError if it is not.

        To be called before anything leaves the run: a reveal and the end of a program do. Cost: a round of its own and 32 bytes
        to each peer, counted as `check_rounds` and `check_bytes`; nothing if there is nothing to compare.
        """
        self._links.stop_if_altered()
        if self._transcript is None or self._transcript.empty:
            return
        begin = time.perf_counter()
        mine, expected = self._transcript.close()
        cost = Cost(check_rounds=1, check_bytes=PROOF_BYTES * len(self.peers))
        cost.header_bytes = sum(self._links.send(peer, "confirm", _PROOF, [as_array(proof)]) for peer, proof in mine.items())
        proofs = {peer: self._links.receive(peer, "confirm", _PROOF)[1][0].tobytes() for peer in self.peers}
        self._waited("confirm", cost, begin)
        with self.stopping_for_good():
            self._transcript.compare(expected, proofs)

    @contextmanager
    def stopping_for_good(self) -> Iterator[None]:
        """An IntegrityError in this block comes again at every later message, should the program catch it."""
        try:
            yield
        except IntegrityError as error:
            self._links.altered = error
            raise

    def _note(
        self, kind: Kind, sender: int, label: str, specs: tuple[ArraySpec, ...], arrays: Sequence[Array], sealed: bool = False
    ) -> None:
        """A message that all parties have received alike, to be compared. Between two of them a seal says all."""
        if self._transcript is not None and not (sealed and self.size == 2):
            self._transcript.add(kind, sender, label, specs, arrays)

    def _waited(self, label: str, cost: Cost, begin: float) -> None:
        cost.seconds = cost.peer_seconds = time.perf_counter() - begin
        self.meter.count(label, cost)

    # ------------------------------------------------------------------ what differs without a dealer, or without values

    def use(self, dealt: Any, stream: StreamFactory = Stream) -> None:
        """From now on, take from this `mpc.offline.Record` what the dealer would send."""
        self._dealt, self.session = dealt, dealt.session
        self.dealer_streams = {self.index: stream(dealt.seed)}

    def joint_seed(self, number: int) -> bytes | None:
        """The seed of joint randomness, where it was dealt; None where the parties draw it themselves."""
        return None if self._dealt is None else self._dealt.joint_seed(number)

    def shown(self, value: Any, to: Sequence[int]) -> Any:
        """What the program gets of a value that has been revealed to these parties."""
        return value

    # ------------------------------------------------------------------ requests to the dealer

    @property
    def asks_ahead(self) -> bool:
        """Whether a protocol may ask the dealer for what a program has not asked for yet: not of one that has answered already,
        nor where each answer costs a check."""
        return self._dealt is None and not self.check_dealer

    def vouch(self, digest: Array) -> None:
        """The parties have asked for this, but nobody has compared it: they do with their next exchange, which names it.
        DesyncError there, if it differs."""
        self._links.vouch(digest.tobytes())

    def send_request(self, label: str, arrays: Sequence[Array]) -> None:
        """Send to the dealer, without waiting. Requests are not payload: they count as header bytes."""
        arrays = [np.asarray(a, order="C") for a in arrays]
        if self._dealt is not None:
            return self._dealt.request(label, arrays)  # type: ignore[no-any-return]
        specs = tuple(ArraySpec.of(a) for a in arrays)
        nbytes = self._links.send(self.size, label, specs, arrays, sealed=self.integrity) + sum(a.nbytes for a in arrays)
        self.meter.count(label, Cost(header_bytes=nbytes, check_bytes=self._seal_bytes))

    def receive_correction(self, label: str, specs: Sequence[ArraySpec]) -> list[Array]:
        """What the dealer answers to the request `label`. Its bytes have been counted by whoever asked."""
        begin = time.perf_counter()
        if self._dealt is not None:
            return self._dealt.correction(label, specs)  # type: ignore[no-any-return]
        _, arrays = self._links.receive(self.size, label, tuple(specs), sealed=self.integrity)
        seconds = time.perf_counter() - begin
        self.meter.count(label, Cost(seconds=seconds, dealer_seconds=seconds))
        return arrays

    def receive_request(self, party: int) -> tuple[str, list[Array]]:
        """At the dealer: the next request of a party, whenever it comes."""
        header, arrays = self._links.receive(party, None, sealed=self.integrity, forever=True)
        return header.label, arrays

    def send_correction(self, party: int, label: str, arrays: Sequence[Array]) -> None:
        """At the dealer: answer one party."""
        specs = tuple(ArraySpec.of(a) for a in arrays)
        header_bytes = self._links.send(party, label, specs, arrays, sealed=self.integrity)
        sent = sum(a.nbytes for a in arrays)
        self.meter.count(label, Cost(bytes_sent=sent, header_bytes=header_bytes, check_bytes=self._seal_bytes))

    @property
    def _seal_bytes(self) -> int:
        return TAG_BYTES * self.integrity
