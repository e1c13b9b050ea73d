"""Emulated links take what they should, on clocks that only messages move: no time is measured here."""

import numpy as np
import pytest

import mpc
from mpc.errors import FrameError, PeerFailed, PeerTimeout
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.network import Network
from mpc.testing.transports import CHECKS, SESSION
from mpc.transport import MemoryHub, MemoryTransport, PeerFinished
from mpc.transport.emulated import Emulated
from mpc.transport.zeromq import ZeroMQTransport

SETTINGS = ["lan", "wan", "20ms,100mbit", "1ms", "8mbit", "300us,1gbit,dealer=wan"]
HEADER = b"h" * 40


class Virtual:
    """The clock of one endpoint: computing takes nothing, and waiting goes as far as it must."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def sleep_until(self, moment):
        self.time = max(self.time, moment)


def endpoints(text, size=2, dealer=False):
    """Emulated transports, each on a clock of its own, and the clocks."""
    hub, clocks = MemoryHub(size), [Virtual() for _ in range(size)]
    network = Network.parse(text)
    return [Emulated(hub.transport(i), network, size - dealer, clocks[i]) for i in range(size)], clocks


def exchange(links, nbytes, count=1):
    """Everybody sends so many messages to everybody, and receives them."""
    payload = [bytes(nbytes)]
    for link in links:
        for peer in link.peers * count:
            link.send(peer, HEADER, payload)
    for link in links:
        for peer in link.peers * count:
            assert link.receive(peer, None) == (HEADER, payload)


def close(seconds):
    return pytest.approx(seconds, rel=0.001)


@pytest.mark.parametrize("text", SETTINGS)
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("nbytes", [0, 1000, 10**6])
def test_rounds_both_ways_take_their_latency_and_their_bytes(text, size, nbytes):
    links, clocks = endpoints(text, size)
    for _ in range(5):
        exchange(links, nbytes)
    expected = Network.parse(text).seconds(5, 5 * (nbytes + len(HEADER)))
    assert [clock.time for clock in clocks] == [close(expected)] * size


@pytest.mark.parametrize("text", SETTINGS)
def test_messages_of_one_round_queue_for_the_bandwidth_and_share_the_latency(text):
    links, clocks = endpoints(text)
    exchange(links, 10**5, count=30)
    assert clocks[0].time == clocks[1].time == close(Network.parse(text).seconds(1, 30 * (10**5 + len(HEADER))))


@pytest.mark.parametrize("text", SETTINGS)
def test_one_way_there_and_back(text):
    (a, b), clocks = endpoints(text)
    for _ in range(10):
        for sender, receiver in ((a, b), (b, a)):
            sender.send(receiver.index, HEADER, [bytes(5000), bytes(300)])
            receiver.receive(sender.index, None)
    assert clocks[0].time == close(Network.parse(text).seconds(20, 20 * (5300 + len(HEADER))))


def test_a_small_message_waits_for_a_large_one_before_it_and_neither_for_the_other_way():
    (a, b), (_, at_b) = endpoints("10ms,8mbit")  # 1 MB a second
    b.send(0, HEADER, [bytes(10**7)])
    for k, nbytes in enumerate((10**6, 10)):
        a.send(1, bytes([k]), [bytes(nbytes)])
    assert b.receive(0, None)[0] == b"\0" and at_b.time == close(1.01)
    assert b.receive(0, None)[0] == b"\1" and at_b.time == close(1.01)


def test_a_link_that_was_idle_gives_nothing_back():
    (a, b), (at_a, at_b) = endpoints("10ms,8mbit")
    for start in (0.0, 5.0, 5.0):
        at_a.time = start
        a.send(1, HEADER, [bytes(10**6)])
    for arrival in (1.01, 6.01, 7.01):
        b.receive(0, None)
        assert at_b.time == close(arrival)


def test_sending_waits_for_nothing_and_computing_hides_what_is_on_its_way():
    (a, b), (at_a, at_b) = endpoints("10ms,8mbit")
    a.send(1, HEADER, [bytes(10**6)])
    assert at_a.time == 0
    at_b.time = 3.0
    b.receive(0, None)
    assert at_b.time == 3.0


@pytest.mark.parametrize(
    ("text", "parties", "dealers"),
    [
        ("20ms,100mbit", 20e-3, 20e-3),
        ("wan,dealer=lan", 40e-3, 0.15e-3),
        ("wan,dealer=none", 40e-3, 0),
        ("none,dealer=wan", 0, 40e-3),
    ],
)
def test_the_dealers_links_may_be_others(text, parties, dealers):
    for sender, receiver, latency in ((0, 1, parties), (0, 2, dealers), (2, 1, dealers)):
        links, clocks = endpoints(text, 3, dealer=True)
        links[sender].send(receiver, HEADER)
        links[receiver].receive(sender, None)
        assert clocks[receiver].time == pytest.approx(latency, abs=1e-5)


def test_what_is_due_after_the_deadline_is_a_timeout_and_comes_later():
    (a, b), (_, at_b) = endpoints("10ms,8mbit")
    for k in range(2):
        a.send(1, bytes([k]), [bytes(10**6)])
    for seconds in (0.4, 0.8):
        with pytest.raises(PeerTimeout, match=r"nothing came within 0\.4 s") as caught:
            b.receive(0, 0.4)
        assert caught.value.peer == 0 and at_b.time == pytest.approx(seconds)
    assert b.receive(0, 0.4)[0] == b"\0" and at_b.time == close(1.01)
    with pytest.raises(PeerTimeout):
        b.receive(0, 0.4)
    a.finish()
    assert b.receive(0, 0.7)[0] == b"\1" and at_b.time == close(2.01)
    with pytest.raises(PeerFinished):
        b.receive(0, None)


def test_a_message_that_does_not_say_when_it_is_due_is_refused():
    hub = MemoryHub(2)
    b = Emulated(hub.transport(1), Network.parse("wan"), 2, Virtual())
    for payload in ([], [bytes(3)]):
        hub.transport(0).send(1, HEADER, payload)
        with pytest.raises(FrameError, match="does not say when it is due"):
            b.receive(0, None)


def test_a_failure_is_heard_while_a_message_is_held():
    (a, b), (_, at_b) = endpoints("10ms,8mbit")
    for k in range(2):
        a.send(1, bytes([k]), [bytes(10**7)])
    assert b.receive(0, None)[0] == b"\0"
    a.abort("it is over")
    with pytest.raises(PeerFailed, match="it is over"):
        b.receive(0, None)
    assert at_b.time < 11


# ------------------------------------------------------------------ as a transport, and in runs


def in_memory(size):
    hub = MemoryHub(size)
    return emulating([hub.transport(i) for i in range(size)])


def over_zeromq(size):
    transports = [ZeroMQTransport(i, SESSION, b"t" * 32) for i in range(size)]
    for transport in transports:
        transport.connect({t.index: t.address for t in transports})
    return emulating(transports)


def emulating(transports):
    return [Emulated(transport, Network.parse("1ms,10gbit"), len(transports)) for transport in transports]


@pytest.mark.parametrize("make", [in_memory, over_zeromq])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_it_is_a_transport(make, check):
    check(make)


def program(party):
    x = party.input(np.arange(6.0) if party.index == 0 else None, owner=0)
    y = party.input(np.arange(6.0) - 2.5 if party.index == 1 else None, owner=1)
    with party.measure() as cost:
        z = np.maximum(x * y, 0)
    return z.reveal(), (cost.rounds, cost.bytes_sent, cost.header_bytes, cost.offline_bytes)


@pytest.mark.parametrize("run", [mpc.simulate, mpc.run])
def test_results_and_counted_costs_are_those_without(run):
    """As long as the protocol plans for the same network."""
    network = "200us,1gbit,dealer=none"
    plain = [result for result, _ in simulate_job(Job(program, network=network, seed=3), emulate=False)[:2]]
    emulated = run(program, seed=3, network=network)
    for (values, costs), (expected, counted) in zip(emulated, plain, strict=True):
        np.testing.assert_array_equal(values, expected)
        assert costs == counted


def test_only_runs_that_ask_for_it_are_emulated():
    def kinds(**options):
        found = []
        simulate_job(Job(lambda party: None, **options), wrap=lambda transport: found.append(type(transport)) or transport)
        return set(found)

    assert kinds(network="1ms") == kinds(network="none,dealer=lan") == {Emulated}
    assert kinds() == kinds(network="none") == {MemoryTransport}


def test_a_whole_run_on_virtual_clocks_takes_its_rounds():
    """The dealer is near: the parties wait for each other alone, once a round."""

    def comparing(party):
        x = party.input(np.arange(8) if party.index == 0 else None, owner=0, shape=(8,))
        with party.measure() as cost:
            for _ in range(10):
                x = x + (x > 3).astype(int)
            x.reveal()
        return cost.rounds

    clocks = {}

    def wrap(transport):
        clocks[transport.index] = Virtual()
        return Emulated(transport, Network.parse("40ms,dealer=none"), 2, clocks[transport.index])

    (rounds, stats), *_ = simulate_job(Job(comparing, network="40ms"), wrap=wrap, emulate=False)
    assert rounds >= 20 and clocks[0].time == close(0.04 * stats.total.rounds)
