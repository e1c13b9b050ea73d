"""When correlations are asked for, and when they are waited for: what could be dealt earlier is asked for earlier."""

import numpy as np
import pytest

import mpc
from mpc import functions
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.testing.recording import Recorder
from protocols.additive.source import LARGE, portions

X = np.linspace(-4, 4, 40)


def messages(program):
    """The labels of what the last of two parties sent and received, in order."""
    recorders = []

    def wrap(transport):
        recorders.append(Recorder(transport))
        return recorders[-1]

    results = [result for result, _ in simulate_job(Job(program), wrap=wrap)]
    (last,) = (r for r in recorders if r.index == 1)
    return [(m.direction, m.label) for m in last.transcript.messages if m.label != "deal.end"], results[0]


def inputs(party):
    return party.input(X if party.index == 0 else None, 0), party.input(X if party.index == 1 else None, 1)


def sent(labels):
    return [label for direction, label in labels if direction == "sent"]


def test_what_a_selection_truncates_is_asked_for_with_it():
    def program(party):
        x, y = inputs(party)
        return np.maximum(x * y, 0).reveal()

    labels, result = messages(program)
    assert sent(labels).count("deal.truncation+selections") == 1 and "deal.truncation" not in sent(labels)
    np.testing.assert_allclose(result, X * X, atol=1e-4)


def test_a_comparison_after_waves_is_asked_for_before_their_round():
    labels, result = messages(lambda party: functions.expit(inputs(party)[0]).reveal())
    place = labels.index(("sent", "deal.harmonics+digits+conjunctions"))
    assert place < labels.index(("sent", "waves.open"))
    assert "deal.digits+conjunctions" not in sent(labels)
    np.testing.assert_allclose(result, 1 / (1 + np.exp(-X)), atol=1e-4)


def test_the_comparisons_of_a_tournament_are_asked_for_before_the_round_that_opens_it():
    labels, result = messages(lambda party: inputs(party)[0].max().reveal())
    assert labels.index(("sent", "deal.digits+conjunctions")) < labels.index(("sent", "compare.open"))
    assert not [label for _, label in labels if label == "open.open"]
    np.testing.assert_allclose(result, 4)


def test_a_tournament_of_a_part_opens_that_part_and_no_pair():
    """Pairs of views: of neither the larger tensor, nor each pair by itself."""

    def program(party):
        x, _ = inputs(party)
        with party.measure() as cost:
            largest = x[:4].max()
        return largest.reveal(), cost.bytes_sent

    _, (largest, size) = messages(program)
    np.testing.assert_allclose(largest, X[3], atol=1e-4)
    assert size == 4 * 8 + 34 + 3 + 1  # 4 elements; a byte for each bit of 6 comparisons, 4 conjunctions of 3, 4 selections


def test_a_truncation_that_nobody_uses_holds_up_nothing():
    def program(party):
        x, y = inputs(party)
        z = x * y
        positive = z > 0
        z.truncate()
        with party.measure() as cost:
            w = z * z
        return (x + y).reveal(), positive.reveal(), w.reveal(), cost.rounds

    _, (total, positive, square, rounds) = messages(program)
    np.testing.assert_allclose(total, 2 * X, atol=1e-4)
    np.testing.assert_array_equal(positive, X != 0)
    np.testing.assert_allclose(square, X**4, atol=0.02)
    assert rounds == 0


def test_an_announced_comparison_serves_once():
    def program(party):
        x, _ = inputs(party)
        first = functions.expit(x)
        return (x >= 0).reveal(), first.reveal(), functions.expit(x).reveal()

    _, (positive, first, second) = messages(program)
    np.testing.assert_array_equal(positive, X >= 0)
    np.testing.assert_allclose(first, second, atol=1e-4)


@pytest.mark.parametrize("sizes", [[], [0], [1, 2], [LARGE], [LARGE - 1, 1, 5], [5, LARGE, LARGE, 0]])
def test_portions_end_where_they_are_large(sizes):
    cut = list(portions(sizes, lambda size: size))
    assert [size for portion in cut for size in portion] == sizes
    assert all(sum(portion) >= LARGE for portion in cut[:-1])
    assert all(sum(portion[:-1]) < LARGE for portion in cut) and all(cut)


def test_a_large_answer_comes_in_several_messages():
    n = 20_000
    values = np.random.default_rng(0).integers(-5, 5, n)

    def program(party):
        return (party.input(values if party.index == 0 else None, 0) < 0).reveal()

    labels, result = messages(program)
    answers = [label for direction, label in labels if direction == "received" and label.startswith("deal.")]
    assert answers == ["deal.digits+conjunctions"] * 2 and sent(labels).count("deal.digits+conjunctions") == 1
    np.testing.assert_array_equal(result, values < 0)
    assert all(np.array_equal(r, result) for r in mpc.simulate(program, parties=3))
