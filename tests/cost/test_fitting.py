"""What a calibration finds of waits: steps made by hand, and the steps of its own program."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

import mpc
from mpc.cost import Figures, Step, Timeline, fitting, predict, record
from mpc.cost.fitting import Ran, measured, products, solved
from mpc.cost.pace import own_seconds
from mpc.cost.recorded import Recorded
from mpc.cost.watching import Watch, Watched, online
from mpc.launch.job import Job
from mpc.party import Stats

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


def test_a_run_is_online_once_all_are_there_and_until_the_last_message():
    assert online([Watch(None, 1.0, 9.0), Watch(None, 3.0, 8.0)]) == 6.0


@pytest.mark.parametrize("cold, beside", [(2e-4, 3e-4), (0.0, 5e-5), (5.0, 5.0)])
def test_both_figures_come_back_from_what_a_run_took(monkeypatch, cold, beside):
    """Records and runs made by hand; what would be beyond the bounds comes to these."""
    opening = [Step(0.0, False, 1, "reveal")]
    mine = opening + [Step(4e-3, True, 1, "x"), Step(0.0, False, 1, "x")] * 20
    theirs = opening + [Step(0.0, False, 0, "x"), Step(3e-3, True, 0, "x")] * 20
    mine[0], theirs[0] = Step(0.0, True, 1, "reveal"), Step(0.0, False, 0, "reveal")
    mine.insert(1, Step(0.0, False, 1, "reveal"))
    theirs.insert(1, Step(0.0, True, 0, "reveal"))
    made = Recorded([Timeline(mine), Timeline(theirs)], [Stats(), Stats()])
    figures = Figures(waking=2e-5)
    real = replace(figures, cold=min(cold, 1e-3), beside=min(beside, 1e-3 + 2e-5))
    took = predict(Job(products, protocol="plaintext"), made, real, 2).online + (beside == 5.0)
    seconds = [own_seconds(measured(each), replace(figures, cold=cold)) for each in made.timelines]
    watches = [Watch(Ran(own, 1.3), 0.0, took) for own in seconds]
    monkeypatch.setattr(fitting, "record", lambda job: made)
    monkeypatch.setattr(fitting, "execute", lambda job: SimpleNamespace(results=watches))
    found, slow = fitting.fitted(figures, 2)
    assert (found.cold, found.beside) == pytest.approx((real.cold, real.beside), abs=1e-6) and slow == 1.3


def test_the_steps_that_are_measured_are_those_after_the_first_reveal():
    for timeline in record(Job(products), fresh=False).timelines[:2]:
        labels = [step.label for step in measured(timeline)]
        assert labels.count("reveal") == 2 and "input" not in labels
        assert len([label for label in labels if label.endswith(".open")]) == 2 * 400
    assert all(ran.seconds > 0 and ran.slowed > 0.9 for ran in mpc.simulate(products))
