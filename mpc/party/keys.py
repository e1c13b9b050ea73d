"""The seeds that endpoints share."""

from __future__ import annotations

from dataclasses import dataclass, field

from mpc.randomness import SEED_BYTES, derive_seed, new_seed


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

    def of_links(self, index: int, size: int) -> dict[int, bytes]:
        """By endpoint: the seed that endpoint `index` has in common with it. The dealer, if there is one, is endpoint `size`."""
        if index == size:
            return dict(self.dealer)
        return {**self.pairwise, **({size: self.dealer[index]} if index in self.dealer else {})}
