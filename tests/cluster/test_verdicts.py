"""Which failure all agree upon: from reports alone, and when errors come late, together, or wrapped in a program's own."""

import time

import numpy as np
import pytest

from mpc.errors import Error, PeerFailed, PeerTimeout
from mpc.launch.job import Job
from mpc.transport.reports import Cause, Report, Reports, verdict

pytestmark = pytest.mark.usefixtures("nothing_left")

FAILED, LOST, TIMEOUT, STOPPED = Cause


def stopped(origin, about=-1):
    return Report(origin, STOPPED, about, "open")


def lost(origin, about):
    return Report(origin, LOST, about, "open")


def test_who_is_lost_to_all_that_were_heard_has_died():
    reports = [lost(0, 1), stopped(0), lost(2, 1), stopped(2), lost(3, 1), stopped(3)]
    assert "party 1 died, or its machine cannot be reached (during operation 'open')" in verdict(reports, 3).text


def test_who_is_lost_to_one_alone_is_busy_behind_a_link_that_was_cut():
    """Party 1 computes, and has not said a word."""
    reports = [lost(0, 1), stopped(0), stopped(2), stopped(3)]
    assert "the link between party 0 and party 1 was cut" in verdict(reports, 3).text
    assert verdict([*reports, lost(1, 0), stopped(1)], 3).text == verdict(reports, 3).text


def test_a_chain_of_waits_ends_at_who_says_nothing():
    reports = [Report(0, TIMEOUT, 1, "open", ""), stopped(1, 2), stopped(3, 0)]
    assert "party 2 sent nothing in time" in verdict(reports, 3).text


def test_a_verdict_says_something_always():
    assert verdict([stopped(0), stopped(1)], 2).text


def test_reports_are_complete_once_all_have_spoken_or_are_lost_to_all():
    reports = Reports(0, 4)
    for report in (lost(0, 1), stopped(0), stopped(2)):
        assert reports.add(report) and not reports.add(report) and not reports.complete()
    reports.add(stopped(3))
    assert not reports.complete()
    reports.add(lost(2, 1))
    reports.add(lost(3, 1))
    assert reports.complete()


def texts(outcomes):
    return {str(outcome) for outcome in outcomes if isinstance(outcome, PeerFailed | PeerTimeout)}


def test_an_error_that_comes_late_is_not_the_root(machines):
    """Party 0 computes for a while, and then fails by itself; the others have settled upon party 1 long before."""

    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        if party.index == 1:
            raise ValueError("first")
        time.sleep(2.0)
        raise KeyError("second") if party.index == 0 else AssertionError(x)

    outcomes = machines(3, 2).play(Job(program, timeout=20.0))
    assert str(outcomes[1]) == "first"
    assert len(texts([outcomes[0], outcomes[2]])) == 1, outcomes
    assert "party 1 failed with ValueError" in str(outcomes[0])


def test_what_a_program_says_of_a_failure_stays_at_its_party(machines):
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        if party.index == 1:
            time.sleep(8.0)
        try:
            return x.reveal()
        except Error as error:
            raise RuntimeError("SECRET: patient 4711 is positive") from error

    outcomes = machines(3, 2).play(Job(program, timeout=3.0))
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert not any("4711" in str(outcome) for outcome in outcomes)
    assert all("party 1 sent nothing in time" in str(outcome) for outcome in (outcomes[0], outcomes[2])), outcomes
