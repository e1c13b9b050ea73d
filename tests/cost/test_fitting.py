"""What a calibration finds of waits: steps made by hand, and the steps of its own program."""

import time
from dataclasses import replace

import pytest

import mpc
from mpc.cost import Figures, Step, record
from mpc.cost.fitting import Watched, measured, online, products, solved
from mpc.cost.pace import own_seconds
from mpc.launch.job import Job

STEPS = [Step(0.1, False, 1, "x"), Step(0.3, True, 1, "x"), Step(0.2, False, 1, "x"), Step(0.05, True, 1, "x")] * 3
FIGURES = Figures(sending=(0.01,), receiving=(0.02,))


@pytest.mark.parametrize("cold", [0.0, 0.04, 0.2])
def test_the_coldness_is_found_from_what_a_run_took(cold):
    took = own_seconds(STEPS, Figures(sending=(0.01,), receiving=(0.02,), cold=cold))
    found = solved(lambda cold: own_seconds(STEPS, replace(FIGURES, cold=cold)), took, 0.0, 0.3)
    assert found == pytest.approx(cold, abs=1e-5)


def test_what_cannot_be_comes_as_near_as_it_can():
    assert solved(lambda x: x + 1, 0.5, 0.0, 1.0) == 0 and solved(lambda x: x, 7.0, 0.0, 1.0) == pytest.approx(1, abs=1e-4)


def test_a_watched_program_tells_when_its_messages_were():
    def program(party, word):
        before = time.perf_counter()
        x = party.input(1.0 if party.index == 0 else None, owner=0, shape=())
        x.reveal()
        after = time.perf_counter()
        x + 1
        return word, before, after

    watches = mpc.simulate(Watched(program), "hello")
    for watch in watches:
        word, before, after = watch.result
        assert word == "hello" and before < watch.begin < watch.end < after
    assert online(watches) == max(w.end for w in watches) - max(w.begin for w in watches)


def test_the_steps_that_are_measured_are_those_after_the_first_reveal():
    for timeline in record(Job(products), fresh=False).timelines[:2]:
        labels = [step.label for step in measured(timeline)]
        assert labels.count("reveal") == 2 and "input" not in labels
        assert len([label for label in labels if label.endswith(".open")]) == 2 * 400
    assert all(seconds > 0 for seconds in mpc.simulate(products))
