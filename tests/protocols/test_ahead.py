"""Asking the dealer ahead: what is expected, when it is right, and what happens when it is not."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc import nn
from mpc.contract import MULTIPLY, Index
from mpc.contract.codec import Encoded
from mpc.cost.recording import RecordingEndpoint
from mpc.dry.run import perform
from mpc.errors import DesyncError, PeerTimeout
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Endpoint
from mpc.testing import check_jointly_uniform, share_input
from mpc.testing import simulate as full_simulation
from protocols.additive import ahead, requests
from protocols.additive.ahead import Ahead, Batch
from protocols.additive.dealing import share_of
from protocols.additive.source import Source

# ------------------------------------------------------------------ what is expected


def batch(text, *numbers, nbytes=8, arrays=()):
    return Batch(Encoded(text.encode(), numbers, arrays), [text], nbytes)


def told(expected, batches):
    """For each batch whether it had been asked for ahead; and what of that was in vain when another came."""
    early, wasted = [], []
    for each in batches:
        early.append(expected.comes(each))
        if not early[-1]:
            wasted.append(expected.give_up())
        expected.more()
    return early, wasted


def loop(texts, count, stride=10):
    return [batch(texts[k % len(texts)], stride * k, 5) for k in range(count)]


@pytest.mark.parametrize("texts", ["a", "ab", "aab", "abcde", "aaabaac"])
def test_a_period_is_expected_once_it_has_come_three_times(texts):
    early, wasted = told(Ahead(), loop(texts, 20 * len(texts)))
    first = early.index(True)
    assert all(early[first:]) and not any(wasted)
    assert 2 * len(texts) <= first <= 4 * len(texts) + 2


def test_numbers_that_fall_are_expected_down_to_the_first():
    expected = Ahead()
    batches = [batch("a", 100 - 7 * k, 90 - 7 * k) for k in range(13)]  # the last one has the numbers 16 and 6
    early, wasted = told(expected, batches)
    assert all(early[6:]) and not any(wasted) and expected.give_up() == 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_has_come_less_often_is_not(count):
    for texts in ("a", "ab", "abc"):
        assert not any(told(Ahead(), loop(texts, count * len(texts)))[0])


def test_numbers_that_do_not_rise_alike_are_not_expected():
    batches = [batch("a", k * k, 3) for k in range(50)]
    early, wasted = told(Ahead(), batches)
    assert not any(early) and not any(wasted)


def test_another_batch_ends_it_and_is_told_what_was_in_vain():
    expected = Ahead()
    assert told(expected, loop("a", 8))[0][-1]
    asked = len(expected._expected)
    assert asked and not expected.comes(batch("b", 1, 2)) and expected.give_up() == 8 * asked
    assert not expected.more() and expected.give_up() == 0


def test_more_and_more_is_asked_for_up_to_a_limit():
    expected, sizes = Ahead(), []
    for each in loop("a", 1000):
        expected.comes(each)
        sizes.append(len(expected.more()))
    asks = [size for size in sizes if size]
    assert asks[0] == 2 and max(asks) < ahead.MOST and len(asks) < 150 and max(sizes[500:]) >= ahead.MOST // 2


def test_of_large_answers_no_more_than_a_limit_is_on_its_way():
    expected = Ahead()
    for each in loop("a", 100):
        expected.comes(each._replace(nbytes=ahead.MOST_BYTES // 3))
        expected.more()
        assert len(expected._expected) <= 3
    for each in loop("a", 10):
        assert not expected.comes(each._replace(nbytes=ahead.MOST_BYTES + 1)) or expected._expected
    expected.give_up()
    assert not expected.more()


def test_arrays_are_compared():
    def batches(arrays):
        return [batch("a", 10 * k, arrays=(array,)) for k, array in enumerate(arrays)]

    same = [np.arange(3) for _ in range(10)]
    assert told(Ahead(), batches(same))[0][-1]
    assert not any(told(Ahead(), batches([np.arange(3) + k for k in range(10)]))[0])
    as_truths = [*same[:8], np.arange(3) > 0, np.array([False, True, True])]
    assert told(Ahead(), batches(as_truths))[0][-2:] == [False, False]


@given(st.text("ab", min_size=1, max_size=6), st.text("abc", max_size=12), st.integers(1, 9))
def test_what_came_early_is_what_was_asked_for(texts, other, count):
    expected, asked = Ahead(), []
    for k, text in enumerate(texts * count + other + texts * count):
        each = batch(text, 7 * k, 3)
        if expected.comes(each):
            assert asked.pop(0) == each.asked
        else:
            assert expected.give_up() == 8 * len(asked)
            asked.clear()
        asked += [more.asked for more in expected.more()]


def test_old_batches_are_forgotten():
    expected = Ahead()
    for k in range(10 * ahead.LONGEST):
        expected.comes(batch(str(k % 3000), k))
        expected.give_up()
    assert len(expected._past) <= 4 * ahead.LONGEST and len(expected._latest) <= 4 * ahead.LONGEST


def test_batches_with_large_arrays_are_neither_kept_nor_expected():
    expected, large = Ahead(), np.zeros(1 << 12, np.int64)
    assert not any(told(expected, [batch("a", 10 * k, arrays=(large,)) for k in range(20)])[0])
    assert not any(each.asked.arrays or each.wanted for each in expected._past)
    assert told(expected, loop("b", 20))[0][-1]


# ------------------------------------------------------------------ runs


def chain(steps, size=3):
    """x y y y .., then something else."""

    def program(p):
        x = share_input(p, np.full(size, 3 << 16, np.uint64))
        y = share_input(p, np.full(size, 1 << 16, np.uint64), p.endpoint.size - 1)
        for _ in range(steps):
            (x,) = p.truncate([(p.bilinear(MULTIPLY, x, y), 16)], [])
        p.select([(p.less(x, y), x)])
        return p.reveal([x], to=range(p.endpoint.size))[0]

    return program


def asked_of(transcript):
    return [message for message in transcript.received("deal.", 0) if message.arrays]


@pytest.mark.parametrize("n", [2, 3])
def test_a_loop_asks_seldom_and_gets_what_it_would(contract, monkeypatch, n):
    ahead_of_time = contract(chain(100), n, full=True, record=True, seed=5)
    monkeypatch.setattr(Endpoint, "asks_ahead", False)
    one_by_one = contract(chain(100), n, full=True, record=True, seed=5)
    for mine, other in zip(ahead_of_time.results, one_by_one.results, strict=True):
        assert np.array_equal(mine, other)  # the same masks, so also the same roundings
    few, many = (len(asked_of(run.transcripts[n])) for run in (ahead_of_time, one_by_one))
    assert many > 100 and few < 25
    for mine, other in zip(ahead_of_time.stats[:n], one_by_one.stats[:n], strict=True):
        a, b = mine.total, other.total
        assert (a.rounds, a.bytes_sent, a.offline_bytes) == (b.rounds, b.bytes_sent, b.offline_bytes)
        assert mine.operations["deal.products"].offline_bytes == other.operations["deal.products"].offline_bytes
    last, dealer = ahead_of_time.stats[n - 1].total, ahead_of_time.stats[n].total
    assert 0 < last.unused_offline_bytes < last.offline_bytes
    assert dealer.bytes_sent == last.offline_bytes + last.unused_offline_bytes


def test_what_is_in_vain_at_the_end_counts_too(contract):
    def program(p):
        x = share_input(p, np.full(3, 3 << 16, np.uint64))
        for _ in range(20):
            (x,) = p.truncate([(p.bilinear(MULTIPLY, x, x), 16)], [])

    *_, last, dealer = (stats.total for stats in contract(program, full=True).stats)
    assert last.unused_offline_bytes and dealer.bytes_sent == last.offline_bytes + last.unused_offline_bytes


@pytest.mark.parametrize("n", [2, 3])
def test_no_share_is_drawn_twice_also_where_it_was_in_vain(contract, monkeypatch, n):
    drawn = Counter()

    def counted(stream, number, specs):
        drawn[id(stream), number] += 1
        return share_of(stream, number, specs)

    monkeypatch.setattr("protocols.additive.source.share_of", counted)

    def program(p):
        x = share_input(p, np.full(3, 3 << 16, np.uint64))
        for turn in range(3):
            for _ in range(9 + turn):
                (x,) = p.truncate([(p.bilinear(MULTIPLY, x, x), 16)], [])
            p.to_words(p.less(x, p.view(x, Index((slice(None, None, -1),)))))

    simulation = contract(program, n, full=True, record=True)
    assert drawn and max(drawn.values()) == 1
    numbers = [each.number for message in asked_of(simulation.transcripts[n]) for each in requests.decode(message.arrays)]
    assert len(numbers) > len(drawn) // n and all(a < b for a, b in pairwise(numbers))


@pytest.mark.parametrize("n", [2, 3])
def test_what_is_seen_of_a_loop_whose_end_was_not_expected_is_uniform(contract, n):
    size = 1 << 11

    def program(p):
        x = share_input(p, np.full(size, 3 << 16, np.uint64))
        for _ in range(7):
            (x,) = p.truncate([(p.bilinear(MULTIPLY, x, x), 16)], [])
        p.bilinear(MULTIPLY, x, p.view(x, Index((slice(None, None, -1),))))

    transcripts = contract(program, n, full=True, record=True, seed=11).transcripts
    corrections = [
        (f"correction {k} of {message.label}", array)
        for message in transcripts[n - 1].received(sender=n)
        for k, array in enumerate(message.arrays)
        if array.dtype == np.uint64
    ]
    assert any("ahead" in name for name, _ in corrections)
    opened = [(f"opening {k}", array) for k, m in enumerate(transcripts[0].sent(to=1)) for array in m.arrays]
    check_jointly_uniform([*corrections, *opened])


def test_nothing_is_asked_ahead_where_every_answer_is_checked():
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, 0)
        for _ in range(30):
            x = x * x
        return x.reveal()

    assert "deal.ahead" in full_simulation(program).stats[1].operations
    stats = [stats for _, stats in simulate_job(replace(Job(program), check_dealer=1))]
    assert all("deal.ahead" not in each.operations for each in stats)


def test_a_party_that_expects_something_else_is_found_out(contract, monkeypatch):
    """As no two parties of one program do: a changed party 0 asks ahead at another moment."""
    flush = Source.flush

    def never_ahead(source):
        if source._endpoint.index == 0:
            source._ahead = None
        flush(source)

    monkeypatch.setattr(Source, "flush", never_ahead)
    with pytest.raises(DesyncError, match=r"refuses a request|asked the dealer for different things"):
        contract(chain(100), timeout=20)


@pytest.mark.parametrize("different", [0, 1, 2])
def test_a_difference_amid_a_loop_is_found_before_anything_is_opened(contract, different):
    opened = []

    def program(p):
        x, y = (share_input(p, np.arange(4, dtype=np.uint64), owner) for owner in (0, 1))
        p.open([x, y])
        for step in range(20):
            order = slice(None, None, -1) if step == 9 and p.endpoint.index == different else slice(None)
            z = p.bilinear(MULTIPLY, p.view(x, Index((order,))), y)
            opened.append((step, p.reveal([z], to=range(p.endpoint.size))))

    # the last one waits for the dealer first, who waits for the others
    with pytest.raises(PeerTimeout if different == 2 else DesyncError):
        contract(program, 3, timeout=2 if different == 2 else 20)
    assert max(step for step, _ in opened) == 8


def test_networks_of_many_equal_layers_go_backward():
    def program(party):
        net = nn.Sequential(*(nn.Linear(3, 3) for _ in range(8)))
        x = party.input(np.ones((4, 3)) if party.index == 0 else None, 0)
        net.to(party)(x).sum().backward()

    full_simulation(program)


def test_a_prediction_asks_ahead_as_a_run_does():
    def program(party):
        x = party.input(np.ones(3) if party.index <= 0 else None, 0, shape=3)
        for _ in range(30):
            x = x * x
        return x.reveal()

    for check_dealer in (0, 1):
        job = replace(Job(program), check_dealer=check_dealer)
        real = simulate_job(job)[1][1].total
        endpoint = RecordingEndpoint(1, job, bytes(32))
        perform(job, endpoint)
        dry = endpoint.meter.snapshot().total
        assert (dry.header_bytes, dry.unused_offline_bytes) == (real.header_bytes, real.unused_offline_bytes)
        assert bool(dry.unused_offline_bytes) == (not check_dealer)
