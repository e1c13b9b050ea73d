"""What a calibration finds of waits: steps made by hand, and the steps of its own program."""

import pytest

import mpc
from mpc.cost import Figures, Step, record
from mpc.cost.coldness import measured, products, solved
from mpc.cost.pace import own_seconds
from mpc.launch.job import Job

STEPS = [Step(0.1, False, 1, "x"), Step(0.3, True, 1, "x"), Step(0.2, False, 1, "x"), Step(0.05, True, 1, "x")] * 3
FIGURES = Figures(sending=(0.01,), receiving=(0.02,))


@pytest.mark.parametrize("cold", [0.0, 0.04, 0.2])
def test_the_coldness_is_found_from_what_a_run_took(cold):
    took = own_seconds(STEPS, Figures(sending=(0.01,), receiving=(0.02,), cold=cold))
    assert solved(STEPS, FIGURES, took) == pytest.approx(cold, abs=1e-9)


def test_it_is_none_of_a_run_that_took_less_than_alone():
    assert solved(STEPS, FIGURES, 0.1) == pytest.approx(0, abs=1e-9)


def test_the_steps_that_are_measured_are_those_after_the_first_reveal():
    for timeline in record(Job(products), fresh=False).timelines[:2]:
        labels = [step.label for step in measured(timeline)]
        assert labels.count("reveal") == 2 and "input" not in labels
        assert len([label for label in labels if label.endswith(".open")]) == 2 * 400
    assert all(seconds > 0 for seconds in mpc.simulate(products))
