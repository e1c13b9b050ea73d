"""The scanner behind docs/functions.md: it sees errors where they are, and its bounds are the larger, never the sum."""

import numpy as np
import pytest

from benchmarks.scan import INPUT_END, ULP, Allowed, errors, evaluate, line, over

ALLOWED = Allowed(relative=2**-11, ulps=4)


def found(change, points=(-1.0, 0.0, 2 * ULP, 0.125, 1.0, 300.0), allowed=ALLOWED):
    """Errors of a function that is the identity, but for `change`, a public number for each point."""
    x = np.array(points)
    offset = np.zeros(len(x))
    for index, amount in change.items():
        offset[index] = amount
    return errors(lambda x: x + offset, lambda x: x, [x], allowed)


def test_what_is_right_has_no_violations():
    assert found({}).violations == found({}).zeros == 0


@pytest.mark.parametrize(
    ("index", "ulps", "wrong"),
    [(0, 32, False), (0, 33, True), (2, 4, False), (2, 5, True), (3, 4, False), (3, 5, True), (5, 9600, False), (5, 9601, True)],
)
def test_the_larger_bound_counts_and_not_the_sum(index, ulps, wrong):
    error = found({index: ulps * ULP})
    assert error.violations == wrong
    assert error.place == ((-1.0, 0.0, 2 * ULP, 0.125, 1.0, 300.0)[index],)
    assert (error.worst > 1) == wrong


def test_a_result_of_0_that_should_not_be_is_found_within_the_bound():
    error = found({2: -2 * ULP})
    assert (error.violations, error.zeros, error.zero_ulps) == (0, 1, 2)


def test_relative_errors_and_those_in_the_last_place():
    error = found({2: 3 * ULP, 5: 0.3})
    assert error.relative == pytest.approx(0.001, rel=0.01)
    assert error.ulps == pytest.approx(3)
    assert error.absolute == pytest.approx(0.3, rel=0.01)


def test_points_cover_ends_edges_and_powers_of_two():
    points = set(line(-INPUT_END, INPUT_END, edges=[9.7]))
    marks = [0, INPUT_END, *2.0 ** np.arange(-16, 30), np.rint(9.7 / ULP) * ULP]
    for sign in (-1, 1):
        for mark in marks:
            assert {sign * mark, sign * mark - sign * ULP} <= points, mark
    gap = line(-(2.0**14), 2.0**14, gap=2**-9)
    assert np.abs(gap).min() == 2**-9
    assert gap.min() == -(2**14)
    assert (gap * 2**16 == np.rint(gap * 2**16)).all()


def test_order_is_mixed_and_chunks_meet_again(monkeypatch):
    monkeypatch.setattr("benchmarks.scan.CHUNK", 7)
    (x,) = over(-2.0, 2.0)()
    x = x[:50].reshape(10, 5)
    assert (np.diff(x.ravel()) < 0).any()
    np.testing.assert_array_equal(evaluate(lambda x: -x, [x], "plaintext"), -x)
