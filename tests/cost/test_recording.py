"""What is recorded and predicted, beside what a run counts and does."""

from dataclasses import fields

import numpy as np
import pytest

import mpc
from mpc import nn
from mpc.cost import Figures, Step, predict, record
from mpc.cost.report import as_data, rows, totals
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Cost

X = np.arange(12.0).reshape(4, 3) / 8 - 0.5


def product(party):
    x = party.input(X if party.index == 0 else None, owner=0, shape=X.shape)
    return (x @ x.T).reveal()


def comparison(party):
    x = party.input(X if party.index == 1 else None, owner=1, shape=X.shape)
    return np.maximum(x, 0).reveal(), x.max(axis=0).reveal(to=0), np.exp(x).sum().reveal()


def training(party):
    x = party.input(X if party.index == 0 else None, owner=0, shape=X.shape)
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)).to(party)
    for (batch,) in nn.DataLoader(nn.TensorDataset(x), batch_size=2, shuffle="secret"):
        (net(batch) ** 2).mean().backward()
    return [p.reveal() for p in net.parameters()]


OPTIONS = [
    {},
    {"parties": 3},
    {"integrity": True, "parties": 3},
    {"network": "wan"},
    {"check_dealer": 1},
    {"protocol": "plaintext"},
]


def counted(cost):
    return {field.name: getattr(cost, field.name) for field in fields(Cost) if "seconds" not in field.name}


@pytest.fixture
def quiet(monkeypatch):
    """Links that are not emulated, for runs whose times do not matter."""
    return lambda job: [stats for _, stats in simulate_job(job, emulate=False)[: job.parties]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("program", [product, comparison, training], ids=lambda program: program.__name__)
def test_counts_are_those_of_a_run(program, options, quiet):
    job = Job(program, (), **options)
    recorded = record(job, fresh=False)
    real = quiet(job)
    assert [counted(stats.total) for stats in recorded.stats] == [counted(stats.total) for stats in real]
    for mine, theirs in zip(recorded.stats, real, strict=True):
        assert {name: counted(cost) for name, cost in mine.operations.items()} == {
            n: counted(c) for n, c in theirs.operations.items()
        }


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_message_that_is_sent_is_received(options):
    timelines = record(Job(comparison, (), **options), fresh=False).timelines
    for sender, timeline in enumerate(timelines):
        for receiver, other in enumerate(timelines):
            sent = [step.label for step in timeline.steps if step.sends and step.peer == receiver]
            received = [step.label for step in other.steps if not step.sends and step.peer == sender]
            assert sent == received
    assert all(step.work >= 0 for timeline in timelines for step in timeline.steps)
    assert all(timeline.work > 0 for timeline in timelines)


def test_bytes_of_messages_are_those_that_are_counted():
    recorded = record(Job(comparison), fresh=False)
    for timeline, stats in zip(recorded.timelines, recorded.stats, strict=False):
        sent = sum(step.nbytes for step in timeline.steps if step.sends)
        assert sent == stats.total.bytes_sent + stats.total.header_bytes
    dealt = sum(step.nbytes for step in recorded.timelines[-1].steps if step.sends)
    assert dealt == sum(stats.total.offline_bytes for stats in recorded.stats)


def test_masks_are_drawn_for_the_time_that_this_takes(monkeypatch):
    drawn = []
    original = mpc.randomness.Stream.draw
    monkeypatch.setattr(mpc.randomness.Stream, "draw", lambda self, *args: drawn.append(args) or original(self, *args))
    record(Job(comparison), fresh=False)
    assert drawn


def test_a_prediction_adds_up():
    job = Job(comparison, network="wan")
    recorded = record(job, fresh=False)
    prediction = predict(job, recorded, Figures(), cores=2)
    rounds = recorded.stats[0].total.rounds
    assert prediction.online >= (rounds - 1) * job.links.latency  # the first round may be announced while the others load
    assert prediction.total == pytest.approx(prediction.starting + prediction.loading + prediction.online + prediction.ending)
    data = as_data([prediction], Figures(), {}, {})
    assert data["networks"][0]["totals"] == totals(prediction)
    assert sum(row.rounds for row in rows(prediction, 0)) == totals(prediction)["rounds"] == rounds
    assert sum(row.bytes_sent for row in rows(prediction, 1)) == recorded.stats[1].total.bytes_sent


def test_slow_links_cost_what_they_cost_more():
    """The same counts, and each of the rounds takes so much longer; a dealer nearby saves what waiting for it takes."""
    seconds = {}
    for network in ("40ms", "80ms", "40ms,dealer=none"):
        job = Job(comparison, network=network)
        seconds[network] = predict(job, record(job, fresh=False), Figures(), cores=2).online
    assert seconds["80ms"] > 1.5 * seconds["40ms"] > 1.5 * seconds["40ms,dealer=none"]


def test_a_machine_for_each_takes_no_longer_than_one_for_all():
    job = Job(training)
    recorded = record(job, fresh=False)
    together, alone = (predict(job, recorded, Figures(), cores=1, apart=apart).online for apart in (False, True))
    assert alone < together


def test_a_timeline_is_plain_data():
    step = record(Job(product), fresh=False).timelines[0].steps[0]
    assert isinstance(step, Step) and all(isinstance(value, int | float | str | bool) for value in step)
