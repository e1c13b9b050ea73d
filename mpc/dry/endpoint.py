"""An endpoint without peers: what a protocol sends is counted and forgotten, and zeros come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mpc.dry.unknown import Unknown
from mpc.errors import ProtocolError
from mpc.launch.job import Job
from mpc.network import Network
from mpc.offline.record import joint_seed
from mpc.party import DEFAULT_TIMEOUT, Endpoint, Keys
from mpc.party.links import SEAL, Links
from mpc.party.transcript import Transcript
from mpc.randomness import SEED_BYTES, Stream, StreamFactory
from mpc.transport import ArraySpec, Header, Kind, Message, Transport

Array = np.ndarray[Any, np.dtype[Any]]
Specs = tuple[ArraySpec, ...]


class Request(NamedTuple):
    """What a party asked of the dealer."""

    label: str
    parts: list[Array]


class DryEndpoint(Endpoint):
    """Party `role` of a protocol, for a program that runs on shapes alone. Its counted costs are those of a real run.

    `joint` is the seed of public randomness, which has true values: they may decide what is asked for. `stream` and `links` are
    for who wants to see what a run does: masks and shares that are drawn, messages that are noted.
    """

    dry = True
    asks_ahead = False  # what is dealt ahead of time is what is used

    def __init__(
        self,
        role: int,
        size: int,
        joint: bytes,
        network: Network,
        integrity: bool = False,
        check_dealer: int = 0,
        stream: StreamFactory | None = None,
        links: type[DryLinks] | None = None,
    ):
        zeros = bytes(SEED_BYTES)
        keys = Keys(bytes(16), {role: zeros}, {peer: zeros for peer in range(size) if peer != role})
        super().__init__(Nowhere(role), size, keys, DEFAULT_TIMEOUT, stream or Zeros, network, integrity, check_dealer)
        self._dry = self._links = (links or DryLinks)(self._transport, size, keys, self.timeout)
        if self._transcript is not None:
            self._transcript = Agreeing(keys.session, role, size, keys.pairwise)
        self._joint_seed = joint
        self.drew_jointly = False
        self.requests: list[Request] = []

    def send_request(self, label: str, arrays: Sequence[Array]) -> None:
        super().send_request(label, arrays)
        self.requests.append(Request(label, list(arrays)))

    def announce(self, label: str, owner: int, *specs: ArraySpec | None) -> tuple[ArraySpec, ...]:
        """Of what the caller knows, whoever the owner is."""
        self._dry.told = tuple(spec for spec in specs if spec is not None)
        return super().announce(label, owner, *specs)

    def broadcast(self, label: str, owner: int, array: Array | None) -> Array:
        """Of what the caller knows, whoever the owner is."""
        assert array is not None
        self._dry.told = (ArraySpec.of(array),)
        super().broadcast(label, owner, array)
        return array

    def joint_seed(self, number: int) -> bytes:
        self.drew_jointly = True
        if self.size > 2:
            self.exchange("joint randomness", [np.zeros(SEED_BYTES, np.uint8)])
        return joint_seed(self._joint_seed, number)

    def shown(self, value: Any, to: Sequence[int]) -> Any:
        return Unknown.like(value) if len(to) == self.size else None


class Asked(Endpoint):
    """The dealer's endpoint of a job: the requests of its parties are there already, and nothing can be sent."""

    def __init__(self, requests: Sequence[Sequence[Request]], job: Job, keys: Keys):
        super().__init__(Nowhere(job.parties), job.parties, keys, network=job.links, check_dealer=job.check_dealer)
        self._waiting = [iter(asked) for asked in requests]

    def receive_request(self, party: int) -> tuple[str, list[Array]]:
        request = next(self._waiting[party], None)
        if request is None:
            raise ProtocolError("the dealer waits for more requests than the protocol makes: they do not fit together")
        return request.label, request.parts


class DryLinks(Links):
    """Counts what is sent, and hands out zeros of whatever is expected."""

    told: Specs = ()

    def send(
        self, to: int, label: str, specs: Specs, arrays: Sequence[Array], kind: Kind = Kind.DATA, sealed: bool = False
    ) -> int:
        specs = (*specs, SEAL) if sealed else specs
        return len(Header(kind, bytes(16), self.index, 0, self._named(to, label), specs).encode())

    def receive(
        self,
        peer: int,
        label: str | None,
        specs: Specs | None = None,
        kind: Kind = Kind.DATA,
        sealed: bool = False,
        forever: bool = False,
    ) -> tuple[Header, list[Array]]:
        specs = self.told if specs is None else specs
        arrays = [np.broadcast_to(np.zeros((), spec.dtype), spec.shape) for spec in specs] if kind is Kind.DATA else []
        return Header(kind, bytes(16), peer, 0, label or "", specs), [np.array(array) for array in arrays]


class Agreeing(Transcript):
    """Whatever came, the others have received it too."""

    def compare(self, expected: Mapping[int, bytes], received: Mapping[int, bytes]) -> None:
        pass


class Zeros(Stream):
    """Masks and shares that are nothing: no value depends on them."""

    def draw(self, purpose: str, number: int, shape: tuple[int, ...], dtype: Any = np.uint64) -> Array:
        return np.zeros(shape, dtype)


class Nowhere(Transport):
    """Links to nobody."""

    def __init__(self, index: int):
        self.index = index
        self.peers = ()

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        raise AssertionError("a dry run sends nothing")

    def receive(self, sender: int, timeout: float | None) -> Message:
        raise AssertionError("a dry run receives nothing")

    def abort(self, reason: str) -> None:
        pass

    def close(self) -> None:
        pass
