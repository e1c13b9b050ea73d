"""What an owner makes public, and several inputs at once."""

import numpy as np
import pytest

import mpc
from mpc.errors import DesyncError, FrameError


@pytest.mark.parametrize("protocol", ["additive", "plaintext"])
@pytest.mark.parametrize(
    ("value", "dtype"),
    [(np.arange(6.0).reshape(2, 3), float), (np.float32([1.5]), float), ([3, -4], int), (np.uint8([1, 255]), np.uint8),
     (True, bool), (np.zeros((0, 2)), float)],
)  # fmt: skip
def test_everybody_gets_the_owners_array(value, dtype, protocol):
    def program(party):
        return party.announce(value if party.index == 1 else None, owner=1)

    for array in mpc.simulate(program, parties=3, protocol=protocol):
        assert array.dtype == dtype and not array.flags.writeable
        np.testing.assert_array_equal(array, value)


def test_it_costs_a_round_and_its_bytes():
    def program(party):
        with party.measure() as cost:
            party.announce(np.zeros(5) if party.index == 0 else None, owner=0)
        return cost.rounds, cost.bytes_sent, cost.bytes_received

    assert mpc.simulate(program, parties=3) == [(1, 80, 0), (1, 0, 40), (1, 0, 40)]


@pytest.mark.parametrize("value", [None, "text", np.array([1j])])
def test_what_is_no_public_number_is_refused_at_the_owner(value):
    def program(party):
        party.announce(value if party.index == 0 else None, owner=0)

    with pytest.raises(mpc.Error, match="operation 'announce'"):
        mpc.simulate(program, timeout=10)


def test_a_secret_is_not_announced():
    def program(party):
        x = party.input(np.ones(2) if party.index == 0 else None, owner=0)
        party.announce(x, owner=0)

    with pytest.raises(mpc.Error, match="Tensor, no public array"):
        mpc.simulate(program, timeout=10)


def test_an_announced_dtype_that_no_array_has_is_refused():
    def program(party):
        if party.index == 0:
            return party._endpoint.broadcast("announce", 0, np.zeros(2, np.uint32))
        with pytest.raises(FrameError, match="party 0 announces an array of dtype uint32"):
            party.announce(None, owner=0)

    mpc.simulate(program, timeout=10)


def test_several_inputs_take_one_round_and_stay_what_they_are():
    arrays = [np.arange(3.0), np.array([[1, 2]]), np.array(True)]

    def program(party):
        with party.measure() as cost:
            tensors = party.inputs(arrays if party.index == 1 else None, owner=1)
        return party.reveal(*tensors), cost.rounds, cost.bytes_sent

    for values, rounds, sent in mpc.simulate(program):
        assert (rounds, sent) == (1, 0)
        for got, want in zip(values, arrays, strict=True):
            np.testing.assert_array_equal(got, want)
            assert np.asarray(got).dtype == want.dtype


def test_no_inputs_at_all_are_none():
    assert mpc.simulate(lambda party: party.inputs([] if party.index == 0 else None, owner=0)) == [[], []]


def test_an_owner_without_values_is_told():
    with pytest.raises(mpc.Error, match=r"party 0, operation 'input'.*None"):
        mpc.simulate(lambda party: party.inputs(None, owner=0), timeout=10)


def test_several_arrays_where_one_is_expected_are_refused():
    def program(party):
        if party.index == 0:
            return len(party.inputs([np.ones(2), np.ones(2)], owner=0))
        with pytest.raises(DesyncError, match="2 arrays in place of 1"):
            party.input(None, owner=0)

    mpc.simulate(program, timeout=10)
