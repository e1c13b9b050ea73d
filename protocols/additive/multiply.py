"""Products by one opening of each operand (Beaver, CRYPTO '91, with masks kept per tensor)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mpc.contract import Bilinear, Multiply
from mpc.party import Endpoint
from protocols.additive.correlations import Products, shift
from protocols.additive.shares import Share, Term
from protocols.additive.sharing import Opening
from protocols.additive.source import Pending, Source

Array = np.ndarray[Any, np.dtype[Any]]


def product(endpoint: Endpoint, source: Source, op: Bilinear, x: Share, y: Share) -> Share:
    """[z] = [B(x, y)] for a bilinear map B.

    Write x = m_x + xi and y = m_y + eta, with m public and xi, eta sums of terms that the dealer knows: xi = -r_x after
    an opening; a truncated value has such a form without one, which serves elementwise products only.

    1. Ask the dealer for [B(xi, eta)], term by term.
    2. Open m_x = x + r_x and m_y = y + r_y, where not yet known (one round).
    3. [z] = B(m_x, [y]) + B([x] - m_x, m_y) + [B(xi, eta)].

    Where nothing had to be opened, the dealer is not waited for until the result is used: that often asks for more.

    Spec: README.md#multiplication. Cost: 0 or 1 rounds, 8 bytes for each element opened, to each peer.
    """
    elementwise = isinstance(op, Multiply)
    operands = [t for t in (x, y) if t.known is None or not (elementwise or t.opened)]
    opening = Opening(endpoint, source, operands)
    left, right = opening.terms(x), opening.terms(y)
    pairs = [(a, b) for a in left for b in right if shift((a.ref, b.ref)) < 64]
    shape = op.shape(x.shape, y.shape)
    request = Products(op, tuple((a.ref, b.ref) for a, b in pairs), shape)
    pending = source.request(request) if math.prod(shape) else None
    waits = opening.due
    opening.run(op.name)
    assert x.known is not None and y.known is not None
    m_x, m_y = x.known.public, y.known.public
    xi = np.asarray(np.subtract(x.value, m_x)) if endpoint.index == 0 else x.value
    square = x is y and elementwise
    z = op(m_x, np.asarray(np.add(x.value, xi)) if square else y.value)
    if not square:
        np.add(z, op(xi, m_y), out=z)
    if pending is None:
        return Share(z)
    return Share(_add_correlation(z, pending, pairs) if waits else lambda: _add_correlation(z, pending, pairs), shape=shape)


def _add_correlation(z: Array, pending: Pending, pairs: list[tuple[Term, Term]]) -> Array:
    """z + [B(xi, eta)], with the public coefficients of each pair of terms."""
    for (a, b), share in zip(pairs, pending.shares(), strict=True):
        by = shift((a.ref, b.ref))
        if by:
            share = np.asarray(np.left_shift(share.astype(np.uint64), np.uint64(by)))
        negative = False
        for term in (a, b):
            if term.coefficient is None:
                negative = not negative
            else:
                share = np.asarray(np.multiply(term.coefficient, share))
        (np.subtract if negative else np.add)(z, share, out=z)
    return z
