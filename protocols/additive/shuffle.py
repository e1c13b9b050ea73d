"""Rows in an order that nobody knows (README.md#shuffle)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc.contract.codec import register
from mpc.errors import FrameError
from mpc.party import Endpoint
from mpc.transport import ArraySpec
from protocols.additive import checks
from protocols.additive.correlations import BitMask, Correlation, Evaluate
from protocols.additive.shares import Known, MaskRef, Share
from protocols.additive.sharing import combine
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]


@register
@dataclass(frozen=True, eq=False)
class Shuffled(Correlation):
    """-pi(r) for each mask r, where the order pi sorts the words of the mask `keys`."""

    keys: MaskRef
    refs: tuple[MaskRef, ...]
    shapes: tuple[tuple[int, ...], ...]
    label = "shuffle"

    def check(self) -> None:
        rows = self.keys.check()
        if type(self.refs) is not tuple or type(self.shapes) is not tuple or len(self.refs) != len(self.shapes):
            raise FrameError("a shuffle of other masks than it has shapes")
        for ref, shape in zip(self.refs, self.shapes, strict=True):
            checks.same("a shuffle", (*rows, *ref.check()[1:]), shape)
            checks.size("a shuffle", shape)

    def specs(self) -> list[ArraySpec]:
        return [ArraySpec("uint64", shape) for shape in self.shapes]

    def deal(self, evaluate: Evaluate, bit_mask: BitMask) -> list[Array]:
        order = _order(evaluate(self.keys))
        return [np.asarray(np.negative(evaluate(ref)[order])) for ref in self.refs]


def _order(keys: Array) -> Array:
    return np.argsort(keys, kind="stable")


def shuffle(endpoint: Endpoint, source: Source, shares: Sequence[Share]) -> list[Share]:
    """All shares with their rows in one secret order: each party in turn applies an order that it alone knows."""
    shares = list(shares)
    if shares[0].shape[0] > 1:
        for party in range(endpoint.size):
            shares = _in_order_of(party, endpoint, source, shares)
    return shares


def _in_order_of(party: int, endpoint: Endpoint, source: Source, shares: Sequence[Share]) -> list[Share]:
    """[pi(x)] for each x, where pi is uniform and known to `party` alone.

    1. Ask the dealer for [-pi(r)] of each mask r, where pi sorts the words of a further mask s.
    2. Tell `party` s, and m = x + r where x is not open (one round).
    3. It adds pi(m) to its share of -pi(r).
    """
    mine = endpoint.index == party
    keys = source.mask(shares[0].shape[:1])
    masks = [None if x.opened else source.mask(x.shape) for x in shares]
    refs = tuple(_known(x).terms[0].ref if mask is None else mask.ref for x, mask in zip(shares, masks, strict=True))
    pending = source.request(Shuffled(keys.ref, refs, tuple(x.shape for x in shares)))
    own = [keys.hide(Share(np.zeros(keys.ref.shape, np.uint64)))]
    own += [mask.hide(x) for x, mask in zip(shares, masks, strict=True) if mask is not None]
    source.flush()
    received = endpoint.exchange("shuffle.open", own, to=() if mine else [party], senders=None if mine else ())
    negated = pending.shares()
    if not mine:
        return [Share(array) for array in negated]
    s, *opened = [combine(array, [parts[k] for parts in received]) for k, array in enumerate(own)]
    order, rest = _order(s), iter(opened)
    public = [_known(x).public if mask is None else next(rest) for x, mask in zip(shares, masks, strict=True)]
    return [Share(np.asarray(np.add(m[order], array))) for m, array in zip(public, negated, strict=True)]


def _known(x: Share) -> Known:
    assert x.known is not None
    return x.known
