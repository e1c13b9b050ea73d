"""A spot check of the dealer, by cut and choose (README.md#spot-check).

Everything is dealt in 1 + k versions, from streams that have nothing in common. One of them is real: a joint coin of the
parties says which, and the dealer does not know it. The parties tell the last one the seeds of all other versions; so it
deals these itself, and compares what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.errors import IntegrityError, party_name
from mpc.party import Endpoint
from mpc.randomness import SEED_BYTES, Stream
from protocols.additive import requests
from protocols.additive.correlations import Correlation
from protocols.additive.dealing import Dealing

Array = np.ndarray[Any, np.dtype[Any]]


def version_seeds(endpoint: Endpoint, party: int) -> Array:
    """The seeds of all versions that a party and the dealer have in common: (1 + k, 32) bytes, new for each session."""
    purpose, shape = f"versions {endpoint.session.hex()}", (1 + endpoint.check_dealer, SEED_BYTES)
    return endpoint.dealer_streams[party].draw(purpose, 0, shape, np.uint8)


def version_streams(endpoint: Endpoint, party: int) -> list[Stream]:
    """The streams of all versions; without a check the only one."""
    if not endpoint.check_dealer:
        return [endpoint.dealer_streams[party]]
    return [Stream(seed.tobytes()) for seed in version_seeds(endpoint, party)]


def dealings(streams: Sequence[Sequence[Stream]]) -> list[Dealing]:
    """One for each version, from the streams by party and version."""
    return [Dealing(list(of_parties), len(streams[0])) for of_parties in zip(*streams, strict=True)]


class Versions:
    """At a party: the `count` versions of what is dealt, and the `stream` of the real one. Made at the same time by all.

    Cost: k times the dealing at the dealer and at the last party, and k times its bytes; at the beginning one round of 32 k
    bytes to the last party, and for more than two parties one of 8 bytes for the coin.
    """

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self.count = 1 + endpoint.check_dealer
        self._real = _coin(endpoint, self.count) if endpoint.check_dealer else 0
        self.stream = version_streams(endpoint, endpoint.index)[self._real]
        self._others: dict[int, Dealing] = self._open_others() if endpoint.check_dealer else {}

    def _open_others(self) -> dict[int, Dealing]:
        """At the last party: how to deal each version but the real one."""
        endpoint, last = self._endpoint, self._endpoint.size - 1
        others = [version for version in range(self.count) if version != self._real]
        own = version_seeds(endpoint, endpoint.index)[others]
        mine = endpoint.index == last
        told = endpoint.exchange("spot check", [own], to=() if mine else [last], senders=None if mine else (), check=True)
        if not mine:
            return {}
        seeds = [*(arrays[0] for arrays in told), own]
        dealt = dealings([[Stream(seed.tobytes()) for seed in of_party] for of_party in seeds])
        return dict(zip(others, dealt, strict=True))

    def checked(self, number: int, correlation: Correlation, versions: Sequence[list[Array]]) -> list[Array]:
        """At the last party: the real one of what the dealer sent for a correlation; IntegrityError if another is wrong."""
        with self._endpoint.stopping_for_good():
            self._compare(number, correlation, versions)
        return versions[self._real]

    def _compare(self, number: int, correlation: Correlation, versions: Sequence[list[Array]]) -> None:
        (asked,) = requests.decode(requests.encode(number, [requests.describe([correlation])]))
        for version, dealing in self._others.items():
            expected = dealing.corrections(asked)
            same = (_same(a, b, correlation.slack) for a, b in zip(expected, versions[version], strict=True))
            if not (self._endpoint.dry or all(same)):
                me = party_name(self._endpoint.index, self._endpoint.size)
                raise IntegrityError(
                    f"{me} asked the dealer for '{correlation.label}' (number {number}) in {self.count} versions, and one that "
                    "it can deal itself came out otherwise: the dealer deals wrongly. Nothing of it was used, and nothing after "
                    "it was revealed. Run again with another dealer, or once this one's software and machine were looked at."
                )


def _coin(endpoint: Endpoint, count: int) -> int:
    """A number below `count`, uniform up to 2^-60, that all parties know and the dealer does not.

    The XOR of a contribution of each party, which its next neighbour knows too. It follows from the session and its seeds
    alone: of a version that was real in a session, no seed is ever told in it.
    """
    shared = endpoint.pairwise[(endpoint.index + 1) % endpoint.size]
    everyone = [shared.draw(f"spot check {endpoint.session.hex()}", 0, (8,), np.uint8)]
    if endpoint.size > 2:
        everyone += [arrays[0] for arrays in endpoint.exchange("spot check", everyone, check=True)]
    return int.from_bytes(np.bitwise_xor.reduce(everyone).tobytes(), "little") % count


def _same(expected: Array, received: Array, slack: int) -> bool:
    if not slack:
        return bool(np.array_equal(expected, received))
    difference = np.asarray(np.subtract(expected, received))
    return bool(np.all(np.asarray(np.add(difference, np.uint64(slack))) <= np.uint64(2 * slack)))
