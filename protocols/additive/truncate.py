"""Truncation from one opening, without wrap failure (README.md#truncation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.party import Endpoint
from protocols.additive.correlations import Truncation
from protocols.additive.shares import Known, MaskRef, Share, Term
from protocols.additive.sharing import Opening
from protocols.additive.source import Pending, Source

Array = np.ndarray[Any, np.dtype[Any]]
_OFFSET = np.uint64(1 << 62)


def truncate(endpoint: Endpoint, source: Source, items: Sequence[tuple[Share, int]], also_open: Sequence[Share]) -> list[Share]:
    """[t] = [z >> bits] for each (z, bits), with an error of 0 or +1; |z| < 2^62.

    1. Ask the dealer for [u] = [r >> bits] and [v] = [r63 * 2^(64 - bits)], of the mask r under which z is opened.
    2. Open m = z + r, where not yet known (one round), and with it the shares in `also_open`.
    3. [t] = (m' >> bits) - [u] + (1 - m'63) [v] - 2^(62 - bits), where m' = m + 2^62.

    Where nothing had to be opened, the dealer is not waited for until the result is used: that often asks for more.
    """
    # a truncated value has a public part already: elementwise products need no opening of it, and sums of products, which
    # do, must open this result in their own round anyway
    opening = Opening(endpoint, source, [*(z for z, _ in items), *(x for x in also_open if x.known is None)])
    requests: list[tuple[Pending, MaskRef] | None] = []
    for z, bits in items:
        ref = opening.ref(z)
        requests.append((source.request(Truncation(ref, bits, z.shape)), ref) if z.size else None)
    waits = opening.due
    opening.run("truncate")
    results = [_finish(endpoint, z, bits, request) for (z, bits), request in zip(items, requests, strict=True)]
    if waits:
        for t in results:
            t.value  # noqa: B018 - see above
    return results


def _finish(endpoint: Endpoint, z: Share, bits: int, request: tuple[Pending, MaskRef] | None) -> Share:
    if request is None:
        return z
    pending, r = request
    assert z.known is not None
    # In place where possible: for large tensors, fresh memory costs more than the arithmetic.
    public = np.asarray(np.add(z.known.public, _OFFSET))  # m'
    low = np.asarray(np.right_shift(public, np.uint64(63)))
    np.subtract(np.uint64(1), low, out=low)  # 1 - m'63
    np.right_shift(public, np.uint64(bits), out=public)
    np.subtract(public, np.uint64(1 << (62 - bits)), out=public)

    def value() -> Array:
        u, v = pending.shares()
        t = np.asarray(np.multiply(low, v))
        np.left_shift(t, np.uint64(64 - bits), out=t)
        np.subtract(t, u, out=t)
        return np.add(t, public, out=t) if endpoint.index == 0 else t

    ref_u = MaskRef(r.number, r.shape, "u", bits, r.views)
    ref_v = MaskRef(r.number, r.shape, "v", bits, r.views)
    return Share(value, Known(public, (Term(None, ref_u), Term(low, ref_v))), shape=z.shape)
