"""Timelines made by hand, replayed: every time is exact, and no clock is looked at."""

import pytest

from mpc.cost import Figures, Step, Timeline
from mpc.cost.replay import replay, separate, shared
from mpc.network import LOOPBACK, Network

FREE = Figures()


def send(peer, work=0.0, nbytes=0, label="op"):
    return Step(work, True, peer, label, nbytes)


def receive(peer, work=0.0, label="op"):
    return Step(work, False, peer, label)


def played(*timelines, network=LOOPBACK, figures=FREE, hosts=None, parties=None):
    timelines = [each if isinstance(each, Timeline) else Timeline(each) for each in timelines]
    return replay(timelines, parties or len(timelines), network, figures, hosts or separate(len(timelines)))


def ends(*timelines, **options):
    return [pytest.approx(each.end) for each in played(*timelines, **options)]


def test_who_receives_waits_for_the_sender_to_compute():
    one, two = played([send(1, work=3.0)], Timeline([receive(0, work=1.0)], rest=0.5))
    assert (one.finish, two.begin, two.end, two.finish) == pytest.approx((3.0, 1.0, 3.0, 3.5))


def test_a_message_takes_the_latency_and_its_bytes():
    assert ends([send(1, nbytes=1000)], [receive(0)], network=Network("", 0.25, 500.0)) == [0.0, 2.25]


def test_rounds_take_the_latency_once_as_both_send_at_once():
    rounds = [[step for _ in range(10) for step in (send(peer), receive(peer))] for peer in (1, 0)]
    assert ends(*rounds, network=Network("", 0.04)) == [0.4, 0.4]


def test_messages_of_one_direction_queue_and_those_of_the_other_do_not():
    link = Network("", 0.5, 100.0)
    both = [[send(peer, nbytes=100), send(peer, nbytes=100), receive(peer), receive(peer)] for peer in (1, 0)]
    assert ends(*both, network=link) == [2.5, 2.5]


def test_links_to_different_peers_do_not_queue_for_each_other():
    link = Network("", 0.0, 100.0)
    assert ends([send(1, nbytes=100), send(2, nbytes=100)], [receive(0)], [receive(0)], network=link) == [0.0, 1.0, 1.0]


def test_the_links_to_the_dealer_may_be_others():
    party = [send(1), receive(1)]
    dealer = [receive(0), send(0, work=1.0)]
    near = Network("", 7.0, dealer=Network("", 0.25))
    (first, _) = played(party, dealer, network=near, parties=1)
    assert first.end == pytest.approx(1.5)
    assert first.operations["op"].dealer == pytest.approx(1.5) and first.operations["op"].peers == 0


def test_between_processes_of_one_machine_only_the_machine_counts():
    figures = Figures(sending=(0.1,), receiving=(0.2,), handling=(0.01,), byte=0.001, waking=0.5)
    assert ends([send(1, nbytes=100)], [receive(0)], figures=figures) == [0.0, 0.1 + (0.01 + 0.1) + 0.5 + 0.2]


def test_what_a_machine_takes_for_a_message_hides_behind_a_slower_link():
    figures = Figures(handling=(0.1,), waking=0.2)
    assert ends([send(1)], [receive(0)], figures=figures, network=Network("", 1.0)) == [0.0, 1.0]


def test_threads_share_the_cores_of_a_machine():
    """Three seconds of work on two cores, begun at once: each gets two thirds of a core."""
    timelines = [Timeline([], rest=1.0)] * 3
    assert [each.finish for each in played(*timelines, hosts=shared(3, 2))] == pytest.approx([1.5] * 3)
    assert [each.finish for each in played(*timelines, hosts=separate(3))] == pytest.approx([1.0] * 3)


def test_whoever_is_through_leaves_its_share_to_the_others():
    timelines = [Timeline([], rest=work) for work in (1.0, 2.0, 3.0)]
    finishes = [each.finish for each in played(*timelines, hosts=shared(3, 1))]
    assert finishes == pytest.approx([3.0, 5.0, 6.0])


def test_threads_of_other_programs_take_their_share():
    assert played(Timeline([], rest=1.0), hosts=shared(1, 1, others=3))[0].finish == pytest.approx(4.0)


def test_messages_that_came_early_are_taken_in_order_and_at_once():
    one = [send(1, label="a"), send(1, work=1.0, label="b")]
    two = [receive(0, work=5.0, label="a"), receive(0, work=1.0, label="b")]
    operations = played(one, two)[1].operations
    assert [operations[label].seconds for label in "ab"] == pytest.approx([0.0, 1.0])  # what precedes the first is no operation's
    assert operations["b"].computing == pytest.approx(1.0)


def test_a_message_costs_more_after_much_was_computed():
    figures = Figures(computed=(0.0, 1.0), sending=(1.0, 3.0), receiving=(0.0, 0.0), handling=(0.0, 0.0))
    finish = [played([send(1, work=work)], [receive(0)], figures=figures)[0].finish for work in (0.0, 0.5, 1.0, 9.0)]
    assert finish == pytest.approx([1.0, 2.5, 4.0, 12.0])


def test_work_since_the_last_message_of_its_kind_counts():
    """Receiving is as slow after what was computed before the message that was sent meanwhile."""
    figures = Figures(computed=(0.0, 1.0), sending=(0.0, 0.0), receiving=(0.0, 2.0), handling=(0.0, 0.0))
    one = played([send(1, work=1.0), receive(1)], [send(0)], figures=figures)[0]
    assert one.end == pytest.approx(3.0)


def test_a_message_right_after_another_costs_little():
    figures = Figures(computed=(0.0, 1.0), sending=(0.0, 2.0), receiving=(0.0, 3.0), handling=(0.0, 0.0))
    one, two = played([send(1, work=1.0), send(1)], [receive(0), receive(0, work=1.0), receive(0)], figures=figures)
    assert (one.finish, two.end) == pytest.approx((3.0, 7.0))


def test_what_is_computed_after_a_wait_takes_longer_but_not_twice_as_long():
    figures = Figures(cold=0.5)
    one, two = played(
        [send(1, work=3.0), receive(1, work=2.0)], [receive(0), send(0, work=2.0), send(0, work=0.25)], figures=figures
    )
    assert (two.end, one.end) == pytest.approx((3.0, 5.5)) and two.finish == pytest.approx(5.75)
    (one, _) = played([receive(1), receive(1, work=0.25)], [send(0), send(0)], figures=figures)
    assert one.end == pytest.approx(0.5)
