"""Input, opening and reveal: where values enter, are masked, and come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.party import Endpoint
from protocols.additive.shares import Bits, Known, MaskRef, Share, Term
from protocols.additive.source import Mask, Source

Array = np.ndarray[Any, np.dtype[Any]]


def input_shares(endpoint: Endpoint, value: Array | None, owner: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """This party's share of the owner's array: additive for uint64, XOR for uint8. No payload travels.

    1. The owner and each other party j derive x_j from the seed they share.
    2. The owner keeps x - sum of the x_j.
    """
    number = endpoint.next_number()
    if endpoint.index != owner:
        return endpoint.pairwise[owner].draw("input", number, shape, dtype)
    assert value is not None
    for peer in endpoint.peers:
        value = _take_away(value, endpoint.pairwise[peer].draw("input", number, shape, dtype))
    return value


def zero_share(endpoint: Endpoint, shape: tuple[int, ...], dtype: Any, number: int) -> Array:
    """This party's share of zero, from pairwise seeds: what i adds for a pair (i, j), j takes away."""
    zero = np.zeros(shape, dtype)
    for peer in endpoint.peers:
        drawn = endpoint.pairwise[peer].draw("zero", number, shape, dtype)
        zero = np.asarray(np.add(zero, drawn)) if _adds(endpoint, peer, dtype) else _take_away(zero, drawn)
    return zero


def _adds(endpoint: Endpoint, peer: int, dtype: Any) -> bool:
    return dtype == np.uint64 and endpoint.index < peer


def _take_away(value: Array, drawn: Array) -> Array:
    return np.asarray(np.bitwise_xor(value, drawn) if value.dtype == np.uint8 else np.subtract(value, drawn))


def combine(own: Array, others: Sequence[Array]) -> Array:
    """Add up (XOR for bits) all parties' shares."""
    add = np.bitwise_xor if own.dtype == np.uint8 else np.add
    total = np.asarray(add(own, others[0])) if others else own
    for other in others[1:]:
        add(total, other, out=total)
    return total


def reveal(endpoint: Endpoint, shares: Sequence[Share | Bits], to: Sequence[int]) -> list[Array | None]:
    """Send all shares to the parties in `to`, in one round. With three or more parties under a fresh sharing of zero."""
    arrays = []
    for x in shares:
        array = x.value if isinstance(x, Share) else x.packed
        if endpoint.size > 2:
            fresh = zero_share(endpoint, array.shape, array.dtype, endpoint.next_number())
            array = combine(array, [fresh])
        arrays.append(array)
    mine = endpoint.index in to
    targets = sorted(set(to) - {endpoint.index})
    received = endpoint.exchange("reveal", arrays, to=targets, senders=None if mine else ())
    if not mine:
        return [None] * len(arrays)
    sums = [combine(own, [parts[k] for parts in received]) for k, own in enumerate(arrays)]
    return [total if isinstance(x, Share) else Bits(total, x.shape).unpack() for x, total in zip(shares, sums, strict=True)]


class Opening:
    """Opens several shares in one round, each under a one-time mask of its own; those already opened cost nothing.

    Made before the round, so that correlations of the masks can be asked for and travel at the same time.
    """

    def __init__(self, endpoint: Endpoint, source: Source, shares: Sequence[Share]):
        self._endpoint, self._source = endpoint, source
        self._masks: dict[Share, Mask] = {}
        closed = dict.fromkeys(x for x in shares if not x.opened)
        for x in dict.fromkeys(x.to_open(closed) for x in closed):
            self._masks[x] = source.mask(x.shape)

    @property
    def due(self) -> bool:
        """Whether there is anything to open."""
        return any(x.size for x in self._masks)

    def ref(self, x: Share) -> MaskRef:
        """The mask under which x is, or will be, opened."""
        return self.terms(x)[0].ref

    def terms(self, x: Share) -> tuple[Term, ...]:
        """What separates x from its public part, known before the round."""
        if x in self._masks:
            return (Term(None, self._masks[x].ref),)
        for base, mask in self._masks.items():
            if x.is_view_of(base):
                return (Term(None, x.seen(mask.ref)),)
        assert x.known is not None
        return x.known.terms

    def run(self, label: str, also: Sequence[Array] = ()) -> list[Array]:
        """One round (none if nothing is left to open): m = x + r becomes public, and stays with x.

        `also` are this party's shares of further masked values, which are opened in the same round and returned. The shares
        are opened in the first run; a later one only has what it is given.
        """
        masks, self._masks = self._masks, {}
        todo = [(x, mask) for x, mask in masks.items() if x.size]
        own = [*(mask.hide(x) for x, mask in todo), *also]
        opened = []
        if any(array.size for array in own):
            self._source.flush()
            received = self._endpoint.exchange(f"{label}.open", own)
            opened = [combine(mine, [parts[k] for parts in received]) for k, mine in enumerate(own)]
            for (x, mask), public in zip(todo, opened, strict=False):
                x.known = Known(public, (Term(None, mask.ref),))
        for x, mask in masks.items():
            if not x.size:
                x.known = Known(x.value, (Term(None, mask.ref),))
        return opened[len(todo) :] if opened else list(also)
