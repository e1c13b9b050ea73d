"""Somebody on the network between two endpoints: cuts, alters, repeats or swallows what goes by, at every message in turn."""

import pytest

from mpc.errors import LinkLost
from mpc.testing import Faulty

pytestmark = pytest.mark.usefixtures("nothing_left")

LONG, SHORT = 30.0, 2.0
AT_ONCE = 4


class Tapped(Faulty):
    """Its message number `at` suffers a fault on the wire."""

    def __init__(self, inner, case, wires):
        super().__init__(inner, case.at, lambda header, payload: [(header, payload)])
        self._case, self._wires = case, wires

    def _strike(self, to, header, payload):
        self._wires[to].arm(self._case.fault)
        super()._strike(to, header, payload)


def tapper(faults, timeout, insecure=False):
    """inject(case): one run in which the links from that endpoint to all others go over a Wire each."""

    def inject(case):
        machines = faults.Machines(case.parties + 1, case.parties, insecure, patience=timeout)
        peers = [peer for peer in range(case.parties + 1) if peer != case.endpoint]
        wires = {peer: faults.Wire(machines.transports[peer].address) for peer in peers}
        for peer, wire in wires.items():
            machines.route(case.endpoint, peer, wire.address)
        tapped = []

        def wrap(transport):
            if transport.index != case.endpoint:
                return transport
            tapped.append(Tapped(transport, case, wires))
            return tapped[0]

        try:
            case.outcomes = machines.play(case.job(timeout), wrap)
        finally:
            for wire in wires.values():
                wire.close()
        case.struck(tapped[0])

    return inject


def last(case):
    """Whether it is the last thing that this link carries: then it is too late for any harm to who has finished, and the
    others may not hear that it has."""
    late = case.label in ("confirm", "reveal", "deal.end", "deal.truncation+selections")
    lost = [isinstance(outcome, LinkLost) and case.name() in str(outcome) for outcome in case.outcomes]
    right = [outcome == expected for outcome, expected in zip(case.outcomes, [5.0, 5.0, None], strict=True)]
    return late and any(right) and all(a or b for a, b in zip(right, lost, strict=True))


@pytest.mark.parametrize("fault", ["reset", "flip", "truncate"])
def test_a_link_breaks(faults, fault):
    """Reset, or with something that does not decrypt: all name the link, and that both its ends are alive."""

    def check(case):
        if not last(case):
            case.names(case.endpoint, case.to, saying="the link between")
            assert all(isinstance(error, LinkLost) for error in case.outcomes), case.report()

    faults.all_of(faults.cases(fault, 2), tapper(faults, LONG), check, AT_ONCE)


@pytest.mark.parametrize("fault", ["drop", "duplicate", "swap"])
def test_an_encrypted_message_is_lost_or_comes_twice_or_late(faults, fault):
    """CURVE refuses what comes twice or late, and says nothing of what never came: the messages' numbers do."""
    faults.all_of(
        faults.cases(fault, 2),
        tapper(faults, SHORT),
        lambda case: last(case) or case.names_one(case.endpoint, case.to),
        2 * AT_ONCE,
    )


def test_a_link_falls_silent(faults):
    """It is neither closed nor read on: the timeout or the heartbeat ends it."""
    faults.all_of(
        faults.cases("stall", 2), tapper(faults, SHORT), lambda case: case.names(case.endpoint, saying="during operation"), 9
    )


@pytest.mark.parametrize("fault", ["flip", "truncate", "duplicate", "drop"])
def test_without_encryption(faults, fault):
    """An insecure transport notices less, and no altered result comes out."""

    def check(case):
        if not last(case):
            case.names_one(case.endpoint, case.to)

    faults.all_of(faults.cases(fault, 2), tapper(faults, SHORT, insecure=True), check, AT_ONCE)


def test_there_are_enough(faults):
    assert len(faults.cases("", 2)) * 11 >= 290
