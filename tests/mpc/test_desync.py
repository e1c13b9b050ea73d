"""Parties that disagree: who is at which operation, and which of several errors is the root."""

import numpy as np
import pytest

import mpc
from mpc.errors import DesyncError, PeerFailed
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.testing import Faulty

LONG = 60.0  # seconds that a wait must not take


def both(function):
    return pytest.mark.parametrize("run", [mpc.run, mpc.simulate], ids=["run", "simulate"])(function)


@both
def test_a_party_that_has_finished_is_not_waited_for(run):
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        return x.reveal() if party.index else None

    with pytest.raises(DesyncError, match=r"party 1 waits at operation '.*' .* for party 0, which has finished"):
        run(program, timeout=LONG)


@both
def test_parties_at_different_operations(run):
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        return x.reveal() if party.index == 0 else party.input(np.ones(3), owner=0)

    with pytest.raises(DesyncError, match=r"'input'.*party 0 is at .*reveal"):
        run(program, timeout=LONG)


def test_parties_with_different_shapes():
    def program(party):
        x = party.input(np.ones(4) if party.index == 0 else None, owner=0)
        return x[: 2 + party.index].reveal()

    with pytest.raises(DesyncError, match=r"\[2\].*\[3\]|\[3\].*\[2\]"):
        mpc.simulate(program, timeout=LONG)


@both
def test_a_party_that_reacts_to_anothers_failure_is_not_the_root(run):
    def program(party):
        try:
            if party.index == 2:
                raise LookupError("the root")
            party.input(None, owner=2)
        except PeerFailed:
            raise RuntimeError("a consequence")  # noqa: B904

    with pytest.raises(LookupError, match="the root"):
        run(program, parties=3, protocol="plaintext")


def test_errors_of_several_parties_at_once():
    def program(party):
        raise ValueError(f"at {party.index}")

    with pytest.raises(ValueError, match=r"at [0-2]") as caught:
        mpc.simulate(program, parties=3, protocol="plaintext")
    assert sum(f"at {i}" in "\n".join([str(caught.value), *caught.value.__notes__]) for i in range(3)) == 3


@pytest.mark.parametrize("fault", ["drop", "duplicate", "swap"])
def test_messages_that_look_alike_are_told_apart_by_their_numbers(fault):
    """Two reveals of one shape: the second in place of the first would be a wrong result."""

    def program(party):
        x, y = party.inputs([np.ones(3), np.full(3, 2.0)] if party.index == 0 else None, owner=0)
        return [x.reveal(), y.reveal()]

    def wrap(transport):
        return Faulty(transport, 1, fault) if transport.index == 0 else transport  # 0 is the announcement

    with pytest.raises((DesyncError, PeerFailed), match=r"'reveal'.*\(message 2\)|'reveal'.*\(message 1\)"):
        simulate_job(Job(program, timeout=5.0), wrap=wrap)
