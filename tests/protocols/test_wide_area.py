"""Slow links: comparisons by digits of 8 bits take a round less, and are as exact."""

import numpy as np
import pytest

import mpc
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.testing import protocol_of

EDGES = [0, 1, -1, 255, 256, -256, 2**30, -(2**30), 2**60, -(2**60), 2**61 - 1, 1 - 2**61]


def program(party, size):
    values = np.resize(np.array(EDGES), size)
    x = party.input(values if party.index == 0 else None, owner=0)
    y = party.input(values[::-1].copy() if party.index == 1 else None, owner=1)
    with party.measure() as less:
        a = x < y
    with party.measure() as equal:
        b = x == y
    return party.reveal(a, b), (less.rounds, less.bytes_sent), (equal.rounds, equal.bytes_sent)


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize(("network", "rounds", "opened"), [(None, 3, (34, 20)), ("1.9ms", 3, (34, 20)), ("2ms", 2, (14, 8))])
def test_a_comparison_costs_what_its_digits_say(network, rounds, opened, parties):
    size = 1536
    values = np.resize(np.array(EDGES), size)
    for (a, b), less, equal in mpc.simulate(program, size, parties=parties, network=network):
        np.testing.assert_array_equal(a, values < values[::-1])
        np.testing.assert_array_equal(b, values == values[::-1])
        assert less == (rounds, (parties - 1) * (8 * size + opened[0] * size // 8))
        assert equal == (rounds, (parties - 1) * (8 * size + opened[1] * size // 8))


def test_any_other_network_is_refused():
    with pytest.raises(ValueError, match="network='moon': neither a name nor a latency"):
        mpc.simulate(program, 8, network="moon")


@pytest.mark.parametrize(("network", "bits"), [(None, 4), ("lan", 4), ("wan", 8), ("20ms,100mbit", 8)])
def test_the_width_of_digits_follows_the_latency(network, bits):
    def program(party):
        return protocol_of(party).digits.width

    job = Job(program, network=network)
    assert [width for width, _ in simulate_job(job, emulate=False)[:2]] == [bits] * 2
