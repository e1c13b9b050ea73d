"""Bits as words, and words chosen by bits (README.md#selection)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.contract import BroadcastTo
from mpc.party import Endpoint
from mpc.ring.digits import reflect
from protocols.additive.curve_correlations import OneHot
from protocols.additive.order_correlations import Selections
from protocols.additive.shares import Bits, Share, Term
from protocols.additive.sharing import Opening
from protocols.additive.source import Pending, Source

Array = np.ndarray[Any, np.dtype[Any]]


def to_words(endpoint: Endpoint, source: Source, b: Bits) -> Share:
    """[b] modulo 2^64 of shared bits.

    1. Ask the dealer for [beta] of a fresh bit mask, modulo 2^64.
    2. Open e = b ^ beta (one round, a bit an element).
    3. [b] = e + (1 - 2e) [beta].
    """
    if not b.packed.size:
        return Share(np.zeros(b.shape, np.uint64))
    number, mask = source.bit_mask(b.shape)
    pending = source.request(Selections(number, b.shape, b.shape, ()))
    (opened,) = Opening(endpoint, source, ()).run("to_words", [b.packed ^ mask.packed])
    (beta,) = pending.shares()
    return Share(reflect(opened, beta, np.full((), endpoint.index == 0, np.uint64)))


def select(endpoint: Endpoint, source: Source, items: Sequence[tuple[Bits, Share]]) -> list[Share]:
    """[b x] for each pair of bits and words, whose shapes broadcast.

    Write x = P + sum of c_k rho_k, with P and the c_k public and rho_k known to the dealer (an opening, or a truncation).

    1. Ask the dealer for [beta] and the [beta rho_k] of a fresh bit mask beta.
    2. Open e = b ^ beta, and m = x + r where x has no such form yet (one round).
    3. [beta x] = P [beta] + sum of c_k [beta rho_k]; [b x] = e [x] + (1 - 2e) [beta x].

    Cost: 1 round, a bit for each bit, and 8 bytes where x must be opened.
    """
    opening = Opening(endpoint, source, [x for _, x in items if x.known is None])
    requests: list[tuple[Pending, tuple[Term, ...]]] = []
    hidden, shapes = [], [np.broadcast_shapes(b.shape, x.shape) for b, x in items]
    for (b, x), shape in zip(items, shapes, strict=True):
        if math.prod(shape):
            number, mask = source.bit_mask(b.shape)
            terms = tuple(t if x.shape == shape else t.view(BroadcastTo(shape)) for t in opening.terms(x))
            requests.append((source.request(Selections(number, b.shape, shape, tuple(t.ref for t in terms))), terms))
            hidden.append(b.packed ^ mask.packed)
    opened = iter(opening.run("select", hidden))
    remaining = iter(requests)
    words = [x if x.shape == shape else x.view(BroadcastTo(shape)) for (_, x), shape in zip(items, shapes, strict=True)]
    return [
        _finish(x, Bits(next(opened), b.shape), *next(remaining)) if x.size else x for (b, _), x in zip(items, words, strict=True)
    ]


def _finish(x: Share, e: Bits, pending: Pending, terms: tuple[Term, ...]) -> Share:
    assert x.known is not None
    beta, *products = pending.shares()
    chosen = np.asarray(np.multiply(x.known.public, beta))
    for term, share in zip(terms, products, strict=True):
        if term.ref.part == "v":
            share = np.asarray(np.left_shift(share.astype(np.uint64), np.uint64(64 - term.ref.bits)))
        if term.coefficient is None:
            np.subtract(chosen, share, out=chosen)
        else:
            np.add(chosen, np.multiply(term.coefficient, share), out=chosen)
    e = e if e.shape == x.shape else e.map(BroadcastTo(x.shape))
    return Share(reflect(e.packed, chosen, x.value))


def one_hot(endpoint: Endpoint, source: Source, x: Share, size: int) -> Share:
    """[x = k mod 2^w] as words for k < size <= 2^w, on a last axis.

    1. Ask the dealer for the one-hot words H_j = [r = j mod 2^w].
    2. Open m = x + r, where not yet known (one round).
    3. x = k where r = m - k, so the word of k is H_(m - k).

    Ishai, Kushilevitz, Meldgaard, Orlandi and Paskin-Cherniavsky, *On the Power of Correlated Randomness in Secure
    Computation*, TCC 2013 (one-time truth tables).
    """
    width = (size - 1).bit_length()
    shape = (*x.shape, size)
    opening = Opening(endpoint, source, [x])
    pending = source.request(OneHot(opening.ref(x), width, x.shape)) if x.size else None
    opening.run("one_hot")
    if pending is None:
        return Share(np.zeros(shape, np.uint64))
    (hot,) = pending.shares()
    assert x.known is not None
    places = np.asarray(np.subtract(x.known.public[..., None], np.arange(size, dtype=np.uint64))).astype(np.intp)
    return Share(np.take_along_axis(hot, places & ((1 << width) - 1), axis=-1))
