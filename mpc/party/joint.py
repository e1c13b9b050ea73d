"""Public randomness that all parties agree on: for permutations, dropout and first weights. Nothing secret is drawn from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.party.endpoint import Endpoint
from mpc.randomness import SEED_BYTES, Stream

Array = np.ndarray[Any, np.dtype[Any]]


class JointRandom:
    """Draws that are the same at every party, known to all, and chosen by none of them alone.

    The seed is the XOR of one contribution of each party, from its pairwise stream with the next party: 1 round of 32 bytes
    (none for two parties, who have that stream in common). Semi-honest: a party could choose its contribution last.
    """

    def __init__(self, endpoint: Endpoint):
        alone = endpoint.size == 1  # without a peer, a party has a stream of its own
        shared = endpoint.dealer_streams[0] if alone else endpoint.pairwise[(endpoint.index + 1) % endpoint.size]
        mine = shared.draw("joint randomness", endpoint.next_number(), (SEED_BYTES,), np.uint8)
        everyone = [mine]
        if endpoint.size > 2:
            everyone += [arrays[0] for arrays in endpoint.exchange("joint randomness", [mine])]
        self._stream = Stream(np.bitwise_xor.reduce(everyone).tobytes())
        self._number = 0

    def words(self, *shape: int) -> Array:
        """Uniform uint64."""
        self._number += 1
        return self._stream.draw("joint", self._number, shape)

    def random(self, *shape: int) -> Array:
        """Uniform floats in [0, 1)."""
        return (self.words(*shape) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, *shape: int) -> Array:
        """Standard normal floats, by Box and Muller's method."""
        radius = np.sqrt(-2 * np.log1p(-self.random(*shape)))
        return np.asarray(radius * np.cos(2 * np.pi * self.random(*shape)))

    def permutation(self, n: int) -> Array:
        """The numbers 0 to n - 1 in a random order."""
        return np.argsort(self.words(n), kind="stable")
