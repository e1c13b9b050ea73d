"""The planner: formulas of the network alone, so that all parties choose alike."""

import numpy as np
import pytest
from click.testing import CliRunner

import mpc
from mpc.cli.main import main
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.network import LOOPBACK, WAN, Network
from mpc.plan import BYTE, ROUND, Planner, Way

SHORT = Way("short", 1, 100, 1_000_000)
LONG = Way("long", 3, 200, 1000)


def test_what_a_way_takes():
    network = Network.parse("20ms,100mbit")
    assert Planner(network).seconds(LONG) == pytest.approx(3 * (0.02 + ROUND) + 200 / 12.5e6 + 1000 * (BYTE + 1 / 12.5e6))
    nearer = Network.parse("40ms,352mbit,dealer=lan")
    assert Planner(nearer).seconds(SHORT) == pytest.approx(0.04 + ROUND + 100 / 44e6 + 1e6 * (BYTE + 1 / 375e6))
    assert Planner(WAN).seconds(Way("", 0, 0, 0, 0.5)) == 0.5


def test_ways_one_after_the_other():
    both = SHORT.then(LONG)
    assert (both.name, both.rounds, both.sent, both.dealt) == ("short", 4, 300, 1_001_000)


@pytest.mark.parametrize(("network", "chosen"), [(WAN, 0), (LOOPBACK, 1), (Network.parse("wan,dealer=none"), 0)])
def test_the_fastest_is_chosen_and_of_equal_ones_the_first(network, chosen):
    planner, asked = Planner(network), []

    def ways():
        asked.append(1)
        return [SHORT, LONG, SHORT, LONG]

    assert [planner.choose("thing", ways, elements=size) for size in (1, 2, 1)] == [chosen] * 3
    assert len(asked) == 2  # once for each size
    assert [(choice.sizes, choice.times) for choice in planner.choices.values()] == [({"elements": 1}, 2), ({"elements": 2}, 1)]
    assert planner.best(ways()) is (SHORT, LONG)[chosen]


def program(party):
    x = party.input(np.arange(40.0).reshape(4, 10) if party.index == 0 else None, owner=0)
    return np.sort(x, axis=1).reveal(), x.max(axis=1).reveal(), (1 / (x + 1)).reveal()


@pytest.mark.parametrize("network", [None, "wan", "5ms,1mbit", "0.1ms,1kbit"])
def test_parties_choose_alike_and_results_do_not_depend_on_it(network):
    results = simulate_job(Job(program, parties=3, network=network), emulate=False)[:3]
    choices = [[(c.operation, c.sizes, c.chosen, c.times) for c in stats.choices] for _, stats in results]
    assert choices[0] == choices[1] == choices[2] and {"order", "extremum", "bins", "comparison"} <= {c[0] for c in choices[0]}
    for (ordered, largest, inverse), expected in zip([r for r, _ in results], [mpc.simulate(program)[0]] * 3, strict=True):
        np.testing.assert_array_equal(ordered, expected[0])
        np.testing.assert_array_equal(largest, expected[1])
        np.testing.assert_allclose(inverse, expected[2], atol=2**-15)


def test_explain_says_what_was_chosen(tmp_path):
    path = tmp_path / "largest.py"
    path.write_text(
        "import numpy as np\n"
        "def main(party):\n"
        "    x = party.input(np.ones((3, 5)) if party.index == 0 else None, owner=0, shape=(3, 5))\n"
        "    return x.max(axis=1).reveal()\n"
    )
    shown = CliRunner().invoke(main, ["run", str(path), "-n", "2", "--explain"]).output
    assert "chosen for loopback" in shown and "extremum: 5 candidates, 3 rows" in shown
    assert "-> all pairs at once: 5 rounds" in shown and "groups of 4" in shown
