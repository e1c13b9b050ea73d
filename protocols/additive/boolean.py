"""Secret booleans: XOR shares, packed, multiplied by Beaver's trick in Z/2 (README.md#booleans)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpc.contract import BroadcastTo
from mpc.party import Endpoint
from protocols.additive.correlations import And
from protocols.additive.shares import Bits
from protocols.additive.sharing import Opening
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]


def xor(x: Bits, y: Bits) -> Bits:
    """[x ^ y]: local."""
    x, y = _align(x, y)
    return Bits(x.packed ^ y.packed, x.shape)


def mask_public(x: Bits, y: Array) -> Bits:
    """[x & y] with a public y: local."""
    x, public = _align(x, Bits.pack(y))
    return Bits(x.packed & public.packed, x.shape)


def _align(x: Bits, y: Bits) -> tuple[Bits, Bits]:
    """Both broadcast to one shape."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    x, y = (b if b.shape == shape else b.map(BroadcastTo(shape)) for b in (x, y))
    return x, y


def and_(endpoint: Endpoint, source: Source, x: Bits, y: Bits) -> Bits:
    """[z] = [x & y].

    1. Ask the dealer for [c] = [a & b] of two fresh bit masks.
    2. Open d = x ^ a and e = y ^ b (one round).
    3. [z] = [c] ^ (d & [b]) ^ (e & [a]) ^ (d & e).

    Cost: 1 round, 1/4 byte an element, to each peer.
    """
    x, y = _align(x, y)
    if not x.packed.size:
        return x
    number_a, a = source.bit_mask(x.shape)
    number_b, b = source.bit_mask(y.shape)
    pending = source.request(And(number_a, number_b, x.packed.size))
    d, e = Opening(endpoint, source, ()).run("and", [x.packed ^ a.packed, y.packed ^ b.packed])
    (c,) = pending.shares()
    z = c ^ (d & b.packed) ^ (e & a.packed)
    return Bits(z ^ (d & e) if endpoint.index == 0 else z, x.shape)
