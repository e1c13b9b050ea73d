"""Functions with an addition theorem, from one opening (README.md#functions)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpc.contract import Exponential, Waves
from mpc.party import Endpoint
from mpc.ring.elementary import exp
from mpc.ring.waves import fixed, wave_sums
from protocols.additive.compare import announce
from protocols.additive.curve_correlations import Harmonics, Powers, split
from protocols.additive.shares import Share
from protocols.additive.sharing import Opening
from protocols.additive.source import Source

Array = np.ndarray[Any, np.dtype[Any]]


def waves(
    endpoint: Endpoint,
    source: Source,
    x: Share,
    series: Sequence[Waves],
    also_open: Sequence[Share] = (),
    compared: tuple[int, int] | None = None,
) -> list[Share]:
    """[sum of c_k cos(k w x) + s_k sin(k w x)] for each series; w = 2 pi / 2^period, so that k w (m - r) needs no care
    for wraps.

    1. Ask the dealer for [C_k] and [S_k], cos and sin of k w r in fixed point. Here and below r, m and x stand for
       their products with the public factor, modulo 2^64.
    2. Open m = x + r, where not yet known (one round), and with it the shares in `also_open`. If `compared`, what a comparison
       of x needs is asked for too.
    3. With c and s the cosine and sine of k w m: cos(k w x) = c C_k + s S_k and sin(k w x) = s C_k - c S_k, so
       [result] = c_0 + sum of (c_k c + s_k s) [C_k] + (c_k s - s_k c) [S_k], with public factors in fixed point.

    Half of the result's fraction bits are those of [C_k] and [S_k], half those of the factors.
    Zheng, Zhang, Chow, Peng, Tan, Li and Yin, *Secure Softmax/Sigmoid for Machine-learning Computation*, ACSAC 2023.
    """
    period, factor, count = series[0].period, series[0].factor, len(series[0].cosines) - 1
    scale = series[0].scale
    if any((s.period, s.factor, s.scale, len(s.cosines)) != (period, factor, scale, count + 1) for s in series):
        raise ValueError("all series must have the same period, factor, scale and length")
    fraction = scale // 2
    opening = Opening(endpoint, source, [x, *(y for y in also_open if y.known is None)])
    pending = source.request(Harmonics(opening.ref(x), period, factor, count, fraction, x.shape)) if x.size else None
    if compared and pending is not None:
        announce(endpoint.planner, source, opening, x, *compared)
    opening.run("waves")
    if pending is None:
        return [Share(np.zeros(x.shape, np.uint64)) for _ in series]
    (dealt,) = pending.shares()
    assert x.known is not None
    cosines, sines = np.array([s.cosines[1:] for s in series]), np.array([s.sines[1:] for s in series])
    sums = wave_sums(x.known.public * np.uint64(factor), period, dealt, cosines, sines, scale - fraction)
    if endpoint.index == 0:
        for k, s in enumerate(series):
            sums[k] += fixed(np.ldexp(s.cosines[0], scale))
    return [Share(sums[k, ...]) for k in range(len(series))]


def exponential(endpoint: Endpoint, source: Source, x: Share, curve: Exponential) -> Share:
    """[e^x] in fixed point for x from `low` on; any base goes alike.

    Let z = x - low and h = 2^step, and split m = z + r and r at h: m = m_1 h + m_0 and r = r_1 h + r_0. Then
    e^z = e^(m_0 - r_0) e^(D h) with the digit D = m_1 - r_1 modulo 2^width: where m_0 < r_0 the digit is larger by one than
    that of z, and e^(m_0 - r_0) smaller by e^h. So no comparison is needed.

    1. Ask the dealer for [G_j] = [e^-r_0 if j = r_1, else 0], j below 2^width.
    2. Open m = x + r, where not yet known (one round), and take away `low`.
    3. [e^x] = sum over j of W_j [G_j], with the public W_j = e^(low + m_0 + ((m_1 - j) mod 2^width) h).

    The error is below 2^-precision times the value plus 2^-(scale - fraction of G): rounding of G and W.
    """
    span = math.ldexp(1.0, curve.step - curve.fraction) * curve.rate
    fraction = curve.precision + max(0, math.ceil(span * math.log2(math.e)))
    opening = Opening(endpoint, source, [x])
    pending = source.request(Powers(opening.ref(x), curve, fraction, x.shape)) if x.size else None
    opening.run("exponential")
    if pending is None:
        return x
    (dealt,) = pending.shares()
    assert x.known is not None
    m = np.asarray(np.subtract(x.known.public, np.uint64(curve.low % (1 << 64))))
    low, digit = split(m, curve)
    powers = exp(math.ldexp(curve.low, -curve.fraction) * curve.rate + low)
    of_digits = np.ldexp(exp(np.arange(1 << curve.width) * span), curve.scale - fraction)
    total = np.zeros(x.shape, np.uint64)
    for j in range(1 << curve.width):
        total += fixed(powers * of_digits[(digit - j) & (len(of_digits) - 1)]) * dealt[j]
    return Share(total)
