"""A check of a cluster before anything runs: who is there, what differs, and what each link is like."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from mpc import __version__
from mpc.errors import DesyncError
from mpc.launch.cluster import Site, Waiting
from mpc.launch.program import ProgramFile
from mpc.transport import ArraySpec, Header, Kind, Transport, as_arrays
from mpc.transport.handshake import differences

Array = np.ndarray[Any, np.dtype[Any]]

_PINGS = 10
_BULK = 1 << 20  # words of a transfer, 8 MiB


class Speed(NamedTuple):
    """A link: the shortest round trip, in seconds, and bytes per second in one direction."""

    first: int
    second: int
    round_trip: float
    bandwidth: float


class Checked(NamedTuple):
    """What a check of a cluster found: the links' speeds, and what hosts do not have alike."""

    speeds: list[Speed]
    differences: list[str]


def check_cluster(site: Site, wait: float, program: str | None = None, waiting: Waiting = lambda missing: None) -> Checked:
    """Meet the others, who call this too, compare and measure.

    HandshakeError if one does not come, or has another key, or another cluster file: it may not know where the others are.
    """
    own = {"mpc version": __version__, "program": "" if program is None else ProgramFile(program).digest}
    with site.transport(site.cluster.dealer is not None) as transport:
        agree = {"what is run": "a check of the cluster", **site.cluster.agreement()}
        meeting = transport.meet(agree, own, wait, waiting)
        speeds = probe(transport, meeting.session, site.cluster.message)
        transport.finish()
    names = [member.name for member in site.cluster.endpoints]
    pairs = [(other, meeting.facts[other]) for other in transport.peers]
    return Checked(speeds, [text for other, facts in pairs for text in differences(own, site.name, facts, names[other])])


def probe(transport: Transport, session: bytes, timeout: float) -> list[Speed]:
    """The speed of every link, the same list at every endpoint; all of them call this after they met.

    Each pair measures the link between them, one pair after the other.
    """
    wire = _Wire(transport, session, timeout)
    everyone = sorted([transport.index, *transport.peers])
    found = []
    for pair in combinations(everyone, 2):
        if transport.index in pair:
            found.append(_measure(wire, *pair))
    rows = np.array([row for row in found if row.first == transport.index], np.float64).reshape(-1, 4)
    for peer in transport.peers:
        wire.send(peer, rows)
    tables = [rows, *(wire.receive(peer) for peer in transport.peers)]
    return sorted(Speed(int(a), int(b), float(trip), float(rate)) for table in tables for a, b, trip, rate in table)


def _measure(wire: _Wire, first: int, second: int) -> Speed:
    """The first sends pings, which the second returns, and then much, which it acknowledges."""
    ping, bulk = np.zeros(1, np.uint64), np.zeros(_BULK, np.uint64)
    mine = wire.index == first
    peer = second if mine else first
    trips = []
    for message in (*[ping] * _PINGS, bulk):
        begin = time.perf_counter()
        if mine:
            wire.send(peer, message)
            wire.receive(peer)
        else:
            wire.receive(peer)
            wire.send(peer, ping)
        trips.append(time.perf_counter() - begin)
    round_trip = min(trips[:-1])
    return Speed(first, second, round_trip, bulk.nbytes / max(trips[-1] - round_trip / 2, 1e-9))


class _Wire:
    """Arrays between endpoints, numbered."""

    def __init__(self, transport: Transport, session: bytes, timeout: float):
        self.index = transport.index
        self._transport, self._session, self._timeout = transport, session, timeout

    def send(self, to: int, array: Array) -> None:
        header = Header(Kind.DATA, self._session, self.index, 0, "probe", (ArraySpec.of(array),))
        self._transport.send(to, header.encode(), [array])

    def receive(self, sender: int) -> Array:
        data, payload = self._transport.receive(sender, self._timeout)
        header = Header.decode(data)
        arrays: Sequence[Array] = as_arrays(header, payload)
        if header.label != "probe" or len(arrays) != 1:
            raise DesyncError(f"endpoint {sender} is at operation '{header.label}', and not at the check of links")
        return arrays[0]
