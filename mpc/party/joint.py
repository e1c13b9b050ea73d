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
    (none for two parties, who have that stream in common), at the first draw. Semi-honest: a party could choose its
    contribution last.
    """

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._stream: Stream | None = None  # until something is drawn
        self._seed = b""
        self._number = 0

    @classmethod
    def common(cls, endpoint: Endpoint) -> JointRandom:
        """The one that all of a program draws from, so that a checkpoint keeps its place."""
        if endpoint.joint is None:
            endpoint.joint = cls(endpoint)
        return endpoint.joint  # type: ignore[no-any-return]

    def state_dict(self) -> dict[str, Any]:
        """Where this stands: for a checkpoint, as only the parties are to know it."""
        return {"seed": self._seed, "number": self._number}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._seed, self._number = state["seed"], state["number"]
        self._stream = Stream(self._seed) if self._seed else None

    def _draw_seed(self) -> Stream:
        endpoint = self._endpoint
        alone = endpoint.size == 1  # without a peer, a party has a stream of its own
        shared = endpoint.dealer_streams[0] if alone else endpoint.pairwise[(endpoint.index + 1) % endpoint.size]
        number = endpoint.next_number()
        dealt = endpoint.joint_seed(number)
        if dealt is not None:
            self._seed = dealt
            return Stream(dealt)
        mine = shared.draw("joint randomness", number, (SEED_BYTES,), np.uint8)
        everyone = [mine]
        if endpoint.size > 2:
            everyone += [arrays[0] for arrays in endpoint.exchange("joint randomness", [mine])]
        self._seed = np.bitwise_xor.reduce(everyone).tobytes()
        return Stream(self._seed)

    def words(self, *shape: int) -> Array:
        """Uniform uint64."""
        if self._stream is None:
            self._stream = self._draw_seed()
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
