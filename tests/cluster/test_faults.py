"""One message goes wrong, at every message of a small program in turn: nobody hangs, no result is wrong, all say the same.

The endpoints are threads with real sockets. Each case is one run, with one fault at one message of one endpoint.
"""

import pytest

from mpc.errors import IntegrityError
from mpc.testing import FAULTS, Faulty

pytestmark = pytest.mark.usefixtures("nothing_left")

LONG = 30.0  # seconds: a timeout that no quick case comes to
SHORT = 2.0


def flip_at(place, bit=1):
    """A fault: one bit of the header."""

    def flipped(header, payload):
        return [(header[:place] + bytes([header[place] ^ bit]) + header[place:][1:], payload)]

    return flipped


# Where in a header: magic, two bits of the kind, session, sender, number, label, number of arrays.
HEADER = [(0, 1), (4, 1), (4, 4), (20, 128), (21, 1), (23, 1), (33, 1), (-1, 1)]
QUICK = ["flip", "flip header", "truncate", "truncate header", "duplicate", "sender", "session"]
OF_THREE = ["flip", "truncate header", "duplicate"]  # with three parties, too
QUICK_RUNS = [(fault, 2) for fault in QUICK] + [(fault, 3) for fault in OF_THREE]


def striker(faults, timeout):
    """inject(case): one run with that fault."""

    def inject(case):
        faulty = []

        def wrap(transport):
            if transport.index != case.endpoint:
                return transport
            faulty.append(Faulty(transport, case.at, case.fault))
            return faulty[0]

        machines = faults.Machines(case.parties + 1, case.parties, patience=timeout)
        case.outcomes = machines.play(case.job(timeout), wrap, lambda: faulty and faulty[0].release.set())
        case.struck(faulty[0])

    return inject


def cases(faults, fault, parties):
    found = faults.cases(fault, parties)
    if fault in ("flip", "truncate"):  # inputs are announced by messages without a payload
        found = [case for case in found if case.endpoint > 1 or case.at >= (1 if parties == 2 else 2)]
    return found


def in_header(faults, place, bit):
    """Every other message: those of even number suffer four of the places, those of odd number the others."""
    return faults.cases(flip_at(place, bit), 2)[HEADER.index((place, bit)) % 2 :: 2]


def both_ends(case):
    """The error names who sent the message and who got it, and the operation."""
    case.names(case.endpoint, case.to)


def altered(case):
    """A payload that was changed is noticed before anything is revealed: the error names who got it, and somebody else."""
    case.names(case.to)
    assert any(isinstance(error, IntegrityError) for error in case.outcomes), case.report()


def twice(case):
    """A second copy of the last message to an endpoint is not looked at any more."""
    if not (case.harmless and case.label in ("confirm", "reveal", "deal.end", "deal.truncation+selections")):
        both_ends(case)


def test_nothing_goes_wrong_by_itself(faults):
    """Also that the cases are all messages of all endpoints, and no more."""
    for parties in (2, 3):
        wrapped = {}
        job = faults.cases("none", parties)[0].job(LONG)
        outcomes = faults.Machines(parties + 1, parties).play(job, lambda t: wrapped.setdefault(t.index, Faulty(t, -1, "drop")))
        assert outcomes == [5.0] * parties + [None]
        counts = [wrapped[index].sent for index in range(parties + 1)]
        assert [sum(case.endpoint == index for case in faults.cases("none", parties)) for index in range(parties + 1)] == counts


@pytest.mark.parametrize(("fault", "parties"), QUICK_RUNS)
def test_a_message_is_altered(faults, fault, parties):
    check = {"flip": altered, "duplicate": twice}.get(fault, both_ends)
    faults.all_of(cases(faults, fault, parties), striker(faults, LONG), check, at_once=2)


@pytest.mark.parametrize(("place", "bit"), HEADER)
def test_a_bit_of_the_header_is_flipped(faults, place, bit):
    lost = (place, bit) == (4, 4)  # an announcement becomes a READY, which nobody waits for
    found = in_header(faults, place, bit)
    faults.all_of(found, striker(faults, SHORT if lost else LONG), both_ends, at_once=2)


@pytest.mark.parametrize("fault", ["drop", "swap"])
def test_a_message_is_late_or_lost(faults, fault):
    """Where nothing more follows on that link the error comes by the timeout, and says who waited for whom."""
    faults.all_of(faults.cases(fault, 2), striker(faults, SHORT), lambda case: case.names(case.endpoint), at_once=4)


@pytest.mark.parametrize("parties", [2, 3])
def test_an_endpoint_dies(faults, parties):
    def check(case):
        case.names(but=[case.endpoint], saying=f"{case.name()} died, or its machine cannot be reached (during operation ")

    faults.all_of(faults.cases("die", parties), striker(faults, LONG), check, at_once=4)


@pytest.mark.parametrize("parties", [2, 3])
def test_an_endpoint_raises(faults, parties):
    def check(case):
        assert str(case.outcomes[case.endpoint]) == "an error on purpose"
        case.names(
            but=[case.endpoint], saying=f"{case.name()} failed with RuntimeError (during or after operation '{case.label}')"
        )

    faults.all_of(faults.cases("raise", parties), striker(faults, LONG), check, at_once=2)


def test_an_endpoint_hangs(faults):
    """All others say so by the timeout; it learns the same once it goes on."""
    saying = " sent nothing in time (during operation "
    faults.all_of(
        faults.cases("hang", 2), striker(faults, SHORT), lambda case: case.names(saying=case.name() + saying), at_once=8
    )


def test_every_fault_is_here():
    assert set(FAULTS) == {*QUICK, "drop", "swap", "die", "raise", "hang"}


def test_there_are_enough(faults):
    quick = sum(len(cases(faults, fault, parties)) for fault, parties in QUICK_RUNS)
    others = len(faults.cases("", 2)) * 5 + len(faults.cases("", 3)) * 2
    assert quick + others + sum(len(in_header(faults, *where)) for where in HEADER) >= 500
