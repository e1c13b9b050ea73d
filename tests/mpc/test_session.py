"""party.input, party.reveal and party.measure."""

import re

import numpy as np
import pytest

import mpc

V = np.array([1.5, -2.0, 3.0])


def run(program, parties=2, protocol="plaintext"):
    return mpc.simulate(program, parties=parties, protocol=protocol, timeout=20)


class ArrayLike:
    """As pandas has it: no array, but one can be made of it."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1, 2], np.int32)


VALUES = {
    "list": ([1, 2, 3], np.array([1, 2, 3])),
    "nested list": ([[1, 2.5], [3, 4]], np.array([[1, 2.5], [3, 4]])),
    "float": (1.5, np.float64(1.5)),
    "int": (7, np.int64(7)),
    "bool": (True, np.bool_(True)),
    "0-d": (np.array(2.5), np.float64(2.5)),
    "NumPy scalar": (np.float32(0.25), np.float64(0.25)),
    "float16": (np.array([0.5, 2], np.float16), np.array([0.5, 2.0])),
    "long double": (np.array([0.5, 2], np.longdouble), np.array([0.5, 2.0])),
    "big-endian": (np.array([0.5, 2], ">f8"), np.array([0.5, 2.0])),
    "big-endian integers": (np.array([3, -2], ">i4"), np.array([3, -2])),
    "uint8": (np.array([3, 255], np.uint8), np.array([3, 255])),
    "uint64": (np.array([3, 2**61], np.uint64), np.array([3, 2**61])),
    "strided": (np.arange(12.0).reshape(3, 4)[::2, ::-1], np.arange(12.0).reshape(3, 4)[::2, ::-1]),
    "Fortran": (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3)),
    "read-only": (np.broadcast_to(2.0, (2, 2)), np.full((2, 2), 2.0)),
    "empty": (np.zeros((0, 3)), np.zeros((0, 3))),
    "empty integers": (np.zeros(0, int), np.zeros(0, int)),
    "empty booleans": (np.zeros((2, 0), bool), np.zeros((2, 0), bool)),
    "booleans": (np.array([[True, False, True]] * 5), np.array([[True, False, True]] * 5)),
    "masked, nothing masked": (np.ma.array([1.0, 2.0]), np.array([1.0, 2.0])),
    "with __array__": (ArrayLike(), np.array([1, 2])),
    "matrix of ints": (np.arange(4).reshape(2, 2), np.arange(4).reshape(2, 2)),
}


@pytest.mark.parametrize(("protocol", "parties"), [("plaintext", 2), ("additive", 2), ("additive", 3)])
def test_every_kind_of_value(protocol, parties):
    def program(party):
        owner = parties - 1
        tensors = [party.input(v if party.index == owner else None, owner) for v, _ in VALUES.values()]
        return [(t.shape, t.dtype) for t in tensors], party.reveal(*tensors)

    for announced, values in run(program, parties, protocol):
        for name, (shape, dtype), value in zip(VALUES, announced, values, strict=True):
            expected = VALUES[name][1]
            assert np.array_equal(value, expected), name
            assert shape == np.shape(value) == np.shape(expected), name
            assert dtype == value.dtype == expected.dtype, name


BAD = {
    "complex": (np.array([1j]), TypeError, "complex128"),
    "object": (np.array([1, None]), TypeError, "object"),
    "str": (["a", "b"], TypeError, "<U1"),
    "datetime": (np.array(["2020-01-01"], "M8[D]"), TypeError, "datetime64"),
    "timedelta": (np.array([3], "m8[s]"), TypeError, "timedelta64"),
    "structured": (np.zeros(2, "i4,f4"), TypeError, "dtype"),
    "masked": (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError, "masked"),
    "ragged": ([[1, 2], [3]], ValueError, "inhomogeneous"),
    "None": (None, TypeError, "None"),
    "dict": ({"a": 1}, TypeError, "object"),
    "NaN": ([1.0, np.nan], ValueError, r"1 of 2 values are NaN.*2\^30"),
    "inf": ([1.0, np.inf], ValueError, r"infinite.*2\^30"),
    "too large": ([1.0, -(2.0**30)], ValueError, r"-?1.07374e\+09.*2\^30"),
    "too large int": ([1, 2**62], ValueError, r"2\^62"),
    "huge int": (2**70, ValueError, r"2\^62"),
    "uint64": (np.array([2**63 + 5], np.uint64), ValueError, r"9223372036854775813.*2\^62"),
}


@pytest.mark.parametrize("name", BAD)
def test_values_that_cannot_be_secret(name):
    value, kind, message = BAD[name]
    with pytest.raises(kind, match=f"party 1, operation 'input'.*{message}") as error:
        run(lambda party: party.input(value if party.index == 1 else None, 1), protocol="additive")
    assert isinstance(error.value, mpc.Error)


def test_a_tensor_is_no_input():
    with pytest.raises(TypeError, match="secret tensor already"):
        run(lambda party: party.input(party.input(V, 0), 0), parties=1)
    with pytest.raises(TypeError, match="no array"):
        run(lambda party: party.input([party.input(V, 0)], 0), parties=1)


def test_only_the_owners_value_is_read():
    def program(party):
        return party.input(V if party.index == 1 else "rubbish", owner=np.int64(1)).reveal()

    for result in run(program, protocol="additive"):
        assert np.array_equal(result, V)


@pytest.mark.parametrize(
    ("owner", "kind"), [(2, ValueError), (-1, ValueError), ("0", TypeError), (None, TypeError), (0.0, TypeError)]
)
def test_owners_that_do_not_exist(owner, kind):
    with pytest.raises(kind, match=re.escape(f"party 0, operation 'input': owner={owner!r}")) as error:
        run(lambda party: party.input(V, owner))
    assert isinstance(error.value, mpc.Error)


@pytest.mark.parametrize("shape", [(3,), [3], 3, np.int64(3), np.array([3])])
def test_a_shape_that_agrees(shape):
    assert run(lambda party: party.input(V if party.index == 0 else None, 0, shape=shape).shape) == [(3,)] * 2


def test_the_shape_of_a_scalar():
    assert run(lambda party: party.input(1.5, 0, shape=()).shape) == [()] * 2


@pytest.mark.parametrize("shape", [(4,), (), (3, 1), 4, (1, 3)])
@pytest.mark.parametrize("everywhere", [True, False])
def test_a_shape_that_does_not_agree(shape, everywhere):
    def program(party):
        return party.input(V if party.index == 0 else None, 0, shape=shape if everywhere or party.index == 1 else None).shape

    with pytest.raises(ValueError, match=r"operation 'input': shape=.*party 0's array has \(3,\)") as error:
        run(program)
    assert isinstance(error.value, mpc.errors.ShapeError)


@pytest.mark.parametrize("protocol", ["plaintext", "additive"])
@pytest.mark.parametrize(
    ("to", "receivers"),
    [
        (None, {0, 1, 2}),
        (1, {1}),
        (np.int64(2), {2}),
        ([0, 2], {0, 2}),
        ((2, 0, 0), {0, 2}),
        (np.array([1]), {1}),
        ({1, 2}, {1, 2}),
        (range(2), {0, 1}),
    ],
)
def test_who_receives_a_reveal(protocol, to, receivers):
    def program(party):
        x = party.input(V if party.index == 0 else None, 0)
        b = party.input(V > 0 if party.index == 1 else None, 1)
        return x.reveal(to=to), *party.reveal(x * x, b, to=to)

    for index, (x, square, b) in enumerate(run(program, 3, protocol)):
        if index in receivers:
            assert np.array_equal(x, V)
            assert np.all(np.abs(square - V**2) <= 2**-16)
            assert np.array_equal(b, V > 0)
        else:
            assert x is square is b is None


@pytest.mark.parametrize(
    ("to", "kind"),
    [(2, ValueError), (-1, ValueError), ([0, 5], ValueError), ("0", TypeError), (0.5, TypeError), ([None], TypeError)],
)
def test_receivers_that_do_not_exist(to, kind):
    with pytest.raises(kind, match="reveal: to=") as error:
        run(lambda party: party.input(V, 0).reveal(to=to))
    assert isinstance(error.value, mpc.Error)


def test_what_cannot_be_revealed():
    assert run(lambda party: party.reveal()) == [()] * 2
    for other in (V, 3, None, [1]):
        with pytest.raises(TypeError, match=r"reveal: .* is not a secret tensor"):
            run(lambda party, other=other: party.reveal(party.input(V, 0), other))


def test_several_reveals_are_one_round():
    def program(party):
        x, i, b = party.input(V, 0), party.input([1, 2], 0), party.input([True] * 9, 0)
        with party.measure() as cost:
            party.reveal(x, i, b)
        return cost.rounds, cost.bytes_sent, cost.bytes_received

    assert run(program, protocol="additive") == [(1, 3 * 8 + 2 * 8 + 2, 3 * 8 + 2 * 8 + 2)] * 2


def test_measure_and_stats_agree():
    def program(party):
        x = party.input(V if party.index == 0 else None, 0)
        before = party.stats
        with party.measure() as cost:
            with party.measure() as inner:
                y = x * x
            y.reveal()
        after = party.stats
        assert (inner.rounds, inner.bytes_sent) == (1, 24)
        assert (cost.rounds, cost.bytes_sent, cost.bytes_received) == (3, 72, 72)
        assert cost.rounds == after.total.rounds - before.total.rounds
        assert cost.bytes_sent == after.total.bytes_sent - before.total.bytes_sent
        assert sum(c.bytes_sent for c in after.operations.values()) == after.total.bytes_sent
        assert sum(c.rounds for c in after.operations.values()) == after.total.rounds
        assert cost.header_bytes > 0
        assert cost.seconds > 0
        assert cost.offline_bytes >= 0
        assert inner.seconds <= cost.seconds
        return True

    assert run(program, protocol="additive") == [True, True]


def test_measure_counts_what_was_done_before_an_error():
    def program(party):
        x = party.input(V if party.index == 0 else None, 0)
        try:
            with party.measure() as cost:
                x.reveal()
                raise KeyError
        except KeyError:
            return cost.rounds

    assert run(program, protocol="additive") == [1, 1]


@pytest.mark.parametrize("fraction_bits", [0, 29, -1])
def test_fraction_bits_out_of_range(fraction_bits):
    with pytest.raises(ValueError, match="fraction_bits"):
        mpc.simulate(lambda party: None, fraction_bits=fraction_bits)


def test_track_iterates_once():
    assert run(lambda party: list(party.track([1, 2, 3]) if party.index else [1, 2, 3])) == [[1, 2, 3]] * 2


def test_a_party_says_who_it_is():
    assert run(lambda party: (party.index, party.size, repr(party))) == [
        (i, 2, f"Party(index={i}, size=2, protocol='plaintext')") for i in range(2)
    ]


def test_hundreds_of_tensors_in_one_reveal():
    def program(party):
        x = party.input(np.arange(300) if party.index == 0 else None, owner=0)
        with party.measure() as cost:
            values = party.reveal(*x)
        return values, cost.rounds

    for values, rounds in mpc.simulate(program):
        assert [int(v) for v in values] == list(range(300))
        assert rounds == 1
