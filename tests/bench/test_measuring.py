"""What is measured of a workload, and in which order; parties are threads, so that no time means anything."""

import time

import numpy as np
import pytest

from mpc.bench.catalogue import ALL
from mpc.bench.measure import Configuration, take_turn
from mpc.bench.results import Measured
from mpc.bench.session import SHORT, configurations, measure
from mpc.errors import Error, RunFailed
from mpc.launch.run import Outcome
from mpc.launch.simulate import simulate_job


def simulated(job):
    began = time.perf_counter()
    results = simulate_job(job)
    return Outcome([result for result, _ in results[: job.parties]], [stats for _, stats in results], time.perf_counter() - began)


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("chain", "logreg", "lenet128")])
def test_every_workload_computes_what_its_reference_does(name):
    size = {"rows and columns": 8, "images": 1}.get(ALL[name].unit, 50) if ALL[name].size else None
    turn = take_turn(Configuration(name, protocol="plaintext", parties=1, size=size), 1, execute=simulated)
    assert 0 <= turn.error < 1e-3
    assert turn.plain[0] > 0 and turn.repetitions[0].seconds > 0 and not turn.dealing


def test_a_traced_turn_tells_what_the_dealer_worked_for_each_repetition():
    turn = take_turn(Configuration("ltz1m", size=30_000), 2, trace=True, execute=simulated)
    assert len(turn.dealing) == len(turn.repetitions) == 2 and min(turn.dealing) > 0
    assert sum(turn.dealing) < turn.startup + sum(each.seconds for each in turn.repetitions)  # the first one is not among them


def test_errors_and_costs_are_of_the_largest_party():
    turn = take_turn(Configuration("mul1m", size=1000, parties=3), 1, execute=simulated)
    (one,) = turn.repetitions
    assert one.bytes_sent == 48_000 and one.bytes_dealt == 18_000 and one.rounds == 2  # to two others
    assert 0 < turn.error < 2**-15


def test_a_size_for_which_there_is_no_memory_is_told_in_a_line():
    with pytest.raises(RunFailed, match=r"exp, 10\^20: ValueError: .*; try a smaller --size"):
        take_turn(Configuration("exp", size=10**20), 1, execute=simulated)


def test_configurations_take_turns():
    order = []

    def execute(job):
        order.append((job.args[0], job.parties, job.args[2], job.trace))
        return simulated(job)

    chosen = configurations(["mul1m"], protocols=["plaintext"], parties=[1, 2], sizes=[3])
    wanted, steps = [Measured.of(each) for each in chosen], []
    measure(wanted, 2, 4, steps.append, execute)
    traced, plain = [("mul1m", n, 2, True) for n in (1, 2)], [("mul1m", n, 4, False) for n in (1, 2)]
    assert order == traced + 2 * plain
    assert [len(each.turns) for each in wanted] == [2, 2] and len(wanted[0].seconds) == 8
    assert [(step.number, step.total) for step in steps] == [(k, 6) for k in range(1, 7)]
    assert steps[0].title == "x * y, 3"


def test_what_is_measured_by_default():
    assert [each.workload for each in configurations()] == SHORT
    assert set(SHORT) < set(ALL)
    networks = configurations(["mul1m"], networks=["none", "20ms,100mbit"], sizes=[10, 10**6])
    assert [(each.network, each.size) for each in networks] == [
        ("none", 10),
        ("20ms,100mbit", 10),
        ("none", None),  # its own size
        ("20ms,100mbit", None),
    ]
    assert Measured.of(networks[1]).latency == 0.02 and Measured.of(networks[0]).latency == 0


@pytest.mark.parametrize(
    "options, text",
    [
        ({"names": ["mul2m"]}, "no workload 'mul2m'"),
        ({"names": ["logreg"], "sizes": [5]}, "the shapes of logreg are fixed"),
        ({"names": ["mul1m"], "sizes": [0]}, "size=0: must be at least 1"),
        ({"networks": ["moon"]}, "moon"),
        ({"protocols": ["aditive"]}, "aditive"),
        ({"parties": [9]}, "parties=9"),
        ({"fraction_bits": 0}, "fraction_bits=0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(options, text):
    with pytest.raises(Error, match=text):
        configurations(**options)


def test_sizes_titles_and_repetitions():
    assert [ALL[name].title for name in ("mul10m", "rowmax", "matmul256", "lenet16")] == [
        "x * y, 10^7",
        "max of rows, 1000 x 10",
        "x @ y, 256 x 256",
        "LeNet inference, batch 16",
    ]
    assert ALL["rowmax"].repeats_of(None) == 20 and ALL["rowmax"].repeats_of(10**6) == 3 and ALL["rowmax"].repeats_of(10) == 20
    for name in ("mul1m", "sigmoid", "softmax"):
        for array in ALL[name].arrays(10):
            assert len(array) == 10 and np.all(array * 2**16 == np.rint(array * 2**16))
