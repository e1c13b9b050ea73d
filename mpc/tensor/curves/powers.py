"""Quotients and powers of any operands: by multiplication where that does, else by the curves."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from mpc.contract import MULTIPLY
from mpc.errors import RangeError
from mpc.tensor import multiplication
from mpc.tensor.arithmetic import as_float, negative
from mpc.tensor.base import Secret, same_program, unsupported
from mpc.tensor.boolean import as_number
from mpc.tensor.curves import inverting
from mpc.tensor.curves.exponential import power_of
from mpc.tensor.curves.logarithms import STEP, logarithm
from mpc.tensor.curves.operands import at_scale, operand
from mpc.tensor.curves.roots import positive, rsqrt, sqrt
from mpc.tensor.shapes import as_public, broadcast

S = TypeVar("S", bound=Secret)


def divide(a: Any, b: Any) -> Any:
    """a / b, one of them or both secret. By a public b: see `multiplication.divide`; by a secret one: `inverting.divide`."""
    if not isinstance(b, Secret):
        return multiplication.divide(a, b)
    if not isinstance(a, Secret) and np.ndim(a) == 0 and as_public(a, "divide") == 1:
        return inverting.reciprocal(b)
    return inverting.divide(a, b)


def power(x: Any, exponent: Any) -> Any:
    """x ** exponent for a public exponent, or a positive base.

    Whole exponents: products (of 1 / x, if they are negative); the results must be below 2^(62 - 2f), and so must the powers of
    1 / x, or they are arbitrary: 2^-f ** -2 is 2^2f. 1/2 and -1/2: `sqrt` and `rsqrt`. Others: `real_power`.
    With a secret exponent: 2^17 at most, as `exp`; a public base must be below 0.77 or above 1.28, for a secret one see
    `secret_power`.
    """
    if isinstance(exponent, Secret):
        return secret_power(x, exponent) if isinstance(x, Secret) else _power_of_public(x, exponent)
    n = _public_number(exponent, "the exponent must be")
    if n >= 0 and float(n).is_integer():
        return multiplication.power(as_number(x), exponent)
    if float(n).is_integer():
        return multiplication.power(inverting.reciprocal(x), -int(n))
    return sqrt(x) if n == 0.5 else rsqrt(x) if n == -0.5 else real_power(x, float(n))


def float_power(x: Any, exponent: Any) -> Any:
    """np.float_power: x ** exponent in fixed point."""
    return power(x if not isinstance(x, Secret) else as_float(as_number(x)), exponent)


def real_power(x: S, exponent: float) -> S:
    """x ** exponent, as 2^(exponent log2 x), whose logarithm is not truncated.

    Domain: x > 0 (x >= 0, if the exponent is positive), up to 2^(62 - 2f), and results below 2^17: others become 2^17, and larger
    x count as 2^(62 - 2f). Of other x it is 0; for a negative exponent that of 2^-f. Error: 1.8 units, plus |exponent| 2^-17 of
    the value. 10 rounds, 106 bytes (15 and 95 for large tensors).
    """
    (x,) = at_scale([x])
    # 2^(exponent z) = base^(z / 2^shift) with 2 <= base < 4
    shift = 1 - math.frexp(abs(exponent))[1]
    f, chosen = x.context.fraction_bits, positive(x, int(exponent < 0), "power", STEP)
    less = math.ceil((f + 2) / exponent) if exponent > 0 else 0  # so that 0 ** exponent is 0
    z = logarithm(2.0, x, chosen, scale=min(f + 32, 54 - shift), more=6, less=less)
    z = z.like(z.share, scale=z.scale + shift)
    return power_of(2.0 ** math.ldexp(abs(exponent), shift), z if exponent > 0 else negative(z), "power")


_LOG_BITS = 26  # fraction bits of a logarithm: its product with an exponent may reach 2^20, and is then no power any more


def secret_power(x: S, y: S) -> S:
    """x ** y of secrets, as 2^(y log2 x).

    Domain: x > 0, up to 2^(62 - 2f), |y log2 x| below 2^(36 - f), and results below 2^17: larger ones become 2^17. Of an x that
    is not positive it is that of 2^-f. Error: 1.8 units, plus (|y| + 1) 2^-18 of the value (2.5 units for f = 20). 12 rounds,
    122 bytes (17 and 112 for large tensors). Method: the logarithm, times y, is not truncated.
    """
    same_program([x, y], "power")
    broadcast("power", x.shape, y.shape)
    x, y = at_scale([x, y])
    protocol, f = x.context.protocol, x.context.fraction_bits
    z = logarithm(2.0, x, positive(x, 1, "power", STEP), more=6)
    protocol.open([y.share])
    (exponent,) = protocol.truncate([(z.share, z.scale - _LOG_BITS)])
    product = protocol.bilinear(MULTIPLY, exponent, y.share)
    return power_of(2.0, x.like(product, "float", _LOG_BITS + f), "power")


def _power_of_public(base: Any, x: S) -> S:
    value = _public_number(base, "with a secret exponent, the base must be")
    if value <= 0:
        raise RangeError(f"{x.context.who}, operation 'power': with a secret exponent the base must be positive, not {value:g}")
    if value == 1:
        return multiplication.power(operand(x), 0)
    if abs(math.log(value)) < _LEAST_LOG:
        unsupported("power", f"the base {value:g} is too close to 1; use exp(exponent * log(base))")
    if value > 1:
        return power_of(value, operand(x), "power")
    return power_of(1 / value, negative(operand(x)), "power")


_LEAST_LOG = 0.25  # of a base: smaller ones would need longer digits than are provided for


def _public_number(value: Any, what: str) -> float:
    public = as_public(value, "power")
    if public.ndim or not np.isfinite(public):
        unsupported("power", f"{what} one finite public number, not {value!r}")
    return public.item()  # type: ignore[no-any-return]
