"""Slow links: comparisons of few elements, by digits of 8 bits, take a round less, and are as exact."""

import numpy as np
import pytest

import mpc
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.network import Network
from mpc.plan import Planner
from protocols.additive.compare import digits_for

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
@pytest.mark.parametrize(("network", "rounds", "opened"), [(None, 3, (34, 20)), ("20ms", 2, (14, 8))])
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


@pytest.mark.parametrize(
    ("network", "most"), [(None, 0), ("lan", 56), ("20ms,100mbit", 960), ("wan", 6656), ("wan,dealer=none", 141_312)]
)
def test_the_width_of_digits_follows_the_links_and_the_size(network, most):
    """8 bits where the round that they save is worth what is dealt for them."""
    planner = Planner(Network.parse(network))
    widths = [digits_for(planner, elements).width for elements in (1, most, most + 1, 10**7)]
    assert widths == ([8, 8, 4, 4] if most else [4] * 4)


def test_a_run_says_what_was_chosen_and_why():
    (_, stats), *_ = simulate_job(Job(program, (64,), network="wan"), emulate=False)
    (choice,) = (each for each in stats.choices if each.sizes.get("bits") == 62)
    assert choice.operation == "comparison" and choice.sizes["elements"] == 64 and choice.times == 1
    assert [(way.name, way.rounds) for way in choice.ways] == [("digits of 4 bits", 2), ("digits of 8 bits", 1)]
    assert choice.chosen == 1 and choice.seconds[1] < choice.seconds[0]
