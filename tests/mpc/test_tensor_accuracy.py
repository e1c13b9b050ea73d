"""How far results are from those of real numbers. Each bound is derived beside its test; ULP = 2^-f."""

import numpy as np
import pytest

import mpc

F = 16
ULP = 2.0**-F
PROTOCOLS = pytest.mark.parametrize("protocol", ["plaintext", "additive"])
RNG = np.random.default_rng(7)


def run(function, *arrays, protocol="plaintext", fraction_bits=F):
    """function(*secret tensors), revealed; all parties must agree."""

    def program(party):
        tensors = [party.input(a if party.index == 0 else None, 0) for a in arrays]
        return function(*tensors).reveal()

    results = mpc.simulate(program, parties=2, protocol=protocol, fraction_bits=fraction_bits)
    assert np.array_equal(results[0], results[1])
    return results[0]


def grid(low, high, size=400):
    """Random numbers that fixed point represents exactly, so that inputs add no error."""
    return np.rint(RNG.uniform(low, high, size) / ULP) * ULP


# A truncation is wrong by less than one unit (plaintext: by half of one), so by at most ULP.


@PROTOCOLS
@pytest.mark.parametrize("c", [1e-6, 1 / 1000, 0.1, 1 / 3, 0.7, 1.1, 2.5, 1000.3, -1e-6, -0.3, 123456.789])
def test_a_public_factor_is_precise_to_its_leading_bits(protocol, c):
    # c is encoded with at least f significant bits: relative error 2^-f for |c| < 1, and 2^-(f + 1) / |c| above.
    x = grid(-1000, 1000)
    relative = ULP if abs(c) < 1 else ULP / 2 / abs(c)
    error = np.abs(run(lambda t: t * c, x, protocol=protocol) - x * c)
    assert np.all(error <= np.abs(x * c) * relative + ULP)


@PROTOCOLS
@pytest.mark.parametrize("c", [1000, 3, 7.7, 1e6, 0.3, -12345.678, 65537, 2.0**20 / 3])
def test_division_by_a_number(protocol, c):
    # As a factor of 1 / c. An operand at 2f (the second) is truncated first, after a shift by the leading bits of c,
    # so one more unit, times a factor of at most 1 (c >= 1) or 1 / c.
    x = grid(-30000, 30000)
    small = x / 1024
    relative = ULP * max(1.0, abs(c)) if abs(c) < 1 else ULP
    error = np.abs(run(lambda t: t / c, x, protocol=protocol) - x / c)
    assert np.all(error <= np.abs(x / c) * relative + ULP)
    exact = (np.rint(small / ULP) * ULP) ** 2
    error = np.abs(run(lambda t: t * t / c, np.rint(small / ULP) * ULP, protocol=protocol) - exact / c)
    assert np.all(error <= exact / abs(c) * relative + ULP * (1 + max(1, 1 / abs(c))))


@PROTOCOLS
@pytest.mark.parametrize("c", [1, 2, 4, 1024, 0.5, 0.125, 2.0**20])
def test_division_by_a_power_of_two_is_exact_to_one_unit(protocol, c):
    x = grid(-1000, 1000)
    assert np.all(np.abs(run(lambda t: t / c, x, protocol=protocol) - x / c) <= (ULP if c > 1 else 0))


@PROTOCOLS
def test_divisors_of_very_different_size(protocol):
    # relative error 2^(2 - f) of each factor, one unit of the truncation between (times at most 2), and one of the last.
    scales = np.array([20000.0, 0.5, 1e-3, 1.0, 1e6, 33.3])
    z = RNG.uniform(-3, 3, (200, 6))
    x = np.rint(z * scales / ULP) * ULP
    error = np.abs(run(lambda t: t / scales, x, protocol=protocol) - x / scales)
    # Where the divisor is below 1 the unit of the truncation between is multiplied by its inverse, and that is exact here.
    bound = np.abs(x / scales) * 4 * ULP + ULP * (1 + 2 / np.minimum(scales, 1))
    assert np.all(error <= bound)
    assert np.all(error[:, [0, 4]] <= 16 * ULP)  # what one scale for all of them could not give: 3 * 2^-17 * 20000 = 0.5


@PROTOCOLS
def test_products(protocol):
    x, y = grid(-100, 100), grid(-100, 100)
    assert np.all(np.abs(run(lambda a, b: a * b, x, y, protocol=protocol) - x * y) <= ULP)
    m, n = x.reshape(20, 20), y.reshape(20, 20)
    # All terms of a sum of products are exact; it is truncated once.
    assert np.all(np.abs(run(lambda a, b: a @ b, m, n, protocol=protocol) - m @ n) <= ULP)
    assert np.all(np.abs(run(lambda a, b: a * b - b * 3 + a * a, x, y, protocol=protocol) - (x * y - y * 3 + x * x)) <= ULP)
    # A public matrix is rounded: each entry by ULP / 2.
    p = RNG.normal(size=(20, 20))
    bound = np.abs(m).sum(axis=1, keepdims=True) * ULP / 2 + ULP
    assert np.all(np.abs(run(lambda a: a @ p, m, protocol=protocol) - m @ p) <= bound)


@PROTOCOLS
def test_whole_numbers_and_halves_are_exact_factors(protocol):
    x = grid(-100, 100)
    assert np.array_equal(run(lambda t: t * 3.0 - t * np.full(400, -7.0), x, protocol=protocol), x * 10)
    i = RNG.integers(-1000, 1000, 50)
    for c in (0.5, 0.75, -2.25, 3.0):
        assert np.array_equal(run(lambda t, c=c: t * c, i, protocol=protocol), i * c)


@PROTOCOLS
def test_powers(protocol):
    # x^4 = (x^2)^2: an error of ULP in x^2 becomes 2 |x^2| ULP, and one unit more.
    x = grid(-4, 4)
    assert np.all(np.abs(run(lambda t: t**4, x, protocol=protocol) - x**4) <= (2 * x**2 + 2) * ULP)


@PROTOCOLS
@pytest.mark.parametrize("center", [0.0, 1.0, 50000.0])
def test_mean_of_many(protocol, center):
    # The count's inverse has a relative error of 2^-f. The sum is exact, and truncated by 16 bits: one unit, times a
    # factor below 1; and one unit of the last truncation.
    x = np.rint(RNG.normal(center, 1 + center / 10, 100_000) / ULP) * ULP
    error = abs(run(lambda t: t.mean(), x, protocol=protocol) - x.mean())
    assert error <= abs(x.mean()) * ULP + 2 * ULP
    rows = x[:999].reshape(3, 333)
    error = np.abs(run(lambda t: t.mean(axis=1, keepdims=True), rows, protocol=protocol) - rows.mean(axis=1, keepdims=True))
    assert np.all(error <= np.abs(rows.mean(axis=1, keepdims=True)) * ULP + ULP)


@PROTOCOLS
def test_variance_and_covariance(protocol):
    # The mean is wrong by e <= (|mean| + 2) ULP: the sum of squared distances grows by n e^2 + 2 e |sum of distances|,
    # and the sum of distances from the true mean is 0. Then as a division: a relative 2^-f, and two units.
    x = grid(-10, 30, 1200).reshape(60, 20)
    e = (np.abs(x.mean(axis=0)) + 2) * ULP
    for ddof in (0, 1):
        expected = x.var(axis=0, ddof=ddof)
        bound = 60 / (60 - ddof) * e**2 + expected * ULP + 2 * ULP
        assert np.all(np.abs(run(lambda t, d=ddof: t.var(axis=0, ddof=d), x, protocol=protocol) - expected) <= bound)
    cov = run(lambda t: np.cov(t, rowvar=False), x[:, :4], protocol=protocol)
    # Here distances are rounded too, each by 1 ULP at most, times the other's distance (below 25), twice.
    assert np.all(np.abs(cov - np.cov(x[:, :4], rowvar=False)) <= (2 * 25 + 2) * ULP * 60 / 59 + np.abs(cov) * ULP)
    assert run(lambda t: np.cov(t, bias=True), x[0], protocol=protocol).shape == ()


@PROTOCOLS
def test_weighted_average(protocol):
    # Each of the 20 shares, below 1, is rounded by at most half a unit of the scale: ULP / 2 times |x|.
    x, weights = grid(-10, 30, 1200).reshape(60, 20), RNG.uniform(1, 5, 20)
    for axis, w in ((1, weights), (-1, weights), (None, np.tile(weights, (60, 1))), (1, None)):
        mine = run(lambda t, axis=axis, w=w: np.average(t, axis=axis, weights=w), x, protocol=protocol)
        bound = np.abs(x).sum() * ULP / 2 * (1 / 60 if axis is None else 1) + 2 * ULP
        assert np.all(np.abs(mine - np.average(x, axis=axis, weights=w)) <= bound)


@pytest.mark.parametrize("fraction_bits", [1, 8, 16, 22, 28])
def test_every_number_of_fraction_bits(fraction_bits):
    ulp = 2.0**-fraction_bits
    x = np.rint(RNG.uniform(-3, 3, 50) / ulp) * ulp
    y = np.rint(RNG.uniform(-3, 3, 50) / ulp) * ulp
    for protocol in ("plaintext", "additive"):
        product = run(lambda a, b: a * b, x, y, protocol=protocol, fraction_bits=fraction_bits)
        assert np.all(np.abs(product - x * y) <= ulp)
        third = run(lambda a: a / 3, x, protocol=protocol, fraction_bits=fraction_bits)
        assert np.all(np.abs(third - x / 3) <= ulp + np.abs(x / 3) * ulp)


@PROTOCOLS
def test_integers_are_exact_up_to_their_range(protocol):
    top = 2**61 + 12345
    x = np.array([top, -top, 2**60 + 1, -1, 0, 1])
    assert run(lambda t: t, x, protocol=protocol).tolist() == x.tolist()
    assert run(lambda t: t - (2**60 + 1), x[2:], protocol=protocol).tolist() == (x[2:] - (2**60 + 1)).tolist()
    i, j = np.array([2**31 - 1, -(2**30), 12345]), np.array([2**29 + 1, 2**30 - 1, -54321])
    assert run(lambda a, b: a * b, i, j, protocol=protocol).tolist() == (i * j).tolist()
    assert run(lambda a, b: a @ b, i, j, protocol=protocol) == i @ j


def test_a_chain_of_halvings_never_leaves_the_ring():
    def program(party):
        x = party.input(np.array([1000.0, -3.5]), 0)
        for _ in range(100):
            x = x * 0.5
        y = party.input(np.array([1000.0, -3.5]), 0)
        for _ in range(8):
            y = y * 0.3
        return x.reveal(), y.reveal()

    for protocol in ("plaintext", "additive"):
        for x, y in mpc.simulate(program, parties=2, protocol=protocol):
            assert np.all(np.abs(x) <= ULP)
            # Eight factors of relative error 2^-f, and less than two units in all from the truncations between.
            assert np.all(np.abs(y - np.array([1000.0, -3.5]) * 0.3**8) <= 8 * ULP * 1000 * 0.3**8 + 2 * ULP)


def test_promotion():
    def program(party):
        i, x = party.input(np.array([3, -4]), 0), party.input(np.array([1.5, 2.0]), 0)
        results = [i + i, i * i, i + x, x - i, i * x, i / 2, i * 0.5, i + 0.5, i.mean(), i.var(), i**2, i**2.0, x * 2, i @ x]
        results += [i + True, np.concatenate([i, x]), np.where([True, False], i, 0.5), np.concatenate([i, [0.5]]), x + i * i]
        results += [i.astype(float), np.stack([i, np.array([True, False])]), np.array([1, 2]) @ i, np.array([0.5, 2]) @ i]
        return [t.dtype for t in results], [np.asarray(r).dtype for r in party.reveal(*results)], party.reveal(*results)

    i, x = np.array([3, -4]), np.array([1.5, 2.0])
    expected = [i + i, i * i, i + x, x - i, i * x, i / 2, i * 0.5, i + 0.5, i.mean(), i.var(), i**2, i**2.0, x * 2, i @ x]
    expected += [i + True, np.concatenate([i, x]), np.where([True, False], i, 0.5), np.concatenate([i, [0.5]]), x + i * i]
    expected += [i.astype(float), np.stack([i, np.array([True, False])]), np.array([1, 2]) @ i, np.array([0.5, 2]) @ i]
    for dtypes, revealed, values in mpc.simulate(program, parties=2):
        assert dtypes == revealed == [np.asarray(e).dtype for e in expected]
        for value, e in zip(values, expected, strict=True):
            assert np.all(np.abs(value - e) <= 2 * ULP)


def test_a_large_whole_factor_of_a_product_keeps_the_range_of_sums():
    def program(party):
        x = party.input(np.array([5.0, -3.0]) if party.index == 0 else None, owner=0)
        return (x * x * 2**40).reveal(), (np.array([2**35, -(2**36)]) * (x * x)).reveal()

    for large, mixed in mpc.simulate(program):
        np.testing.assert_allclose(large, np.array([25.0, 9.0]) * 2**40, atol=2**40 * 2**-16)
        np.testing.assert_allclose(mixed, [25.0 * 2**35, -9.0 * 2**36], atol=2**36 * 2**-16)
