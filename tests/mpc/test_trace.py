"""Traces: the file that Perfetto opens, and the command that writes it."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from mpc.cli import main
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.launch.trace import write_trace
from mpc.party import trace as recording


def program(party):
    x = party.input(np.full(3, 1.5) if party.index == 0 else None, 0)
    with party.scope("net"):
        for name in ("first", "second"):
            with party.scope(name):
                x = (x * 0.5 + 1) * x / 1000
    with party.scope("end"):
        return x.reveal(to=0)


def traced(tmp_path, parties=2):
    """(events by process, stats by endpoint) of a traced run."""
    stats = [each for _, each in simulate_job(Job(program, parties=parties, trace=True))]
    assert write_trace(tmp_path / "trace.json", stats, [*(f"party {i}" for i in range(parties)), "the dealer"][: len(stats)]) == 0
    return load(tmp_path / "trace.json"), stats


def load(path):
    """The events of each process, checked for their form."""
    events = json.loads(path.read_text())["traceEvents"]
    processes = {}
    for event in events:
        assert isinstance(event["name"], str) and type(event["pid"]) is int and type(event["tid"]) is int and event["pid"] > 0
        if event["ph"] == "M":
            continue
        assert event["ts"] >= 0
        if event["ph"] == "X":
            assert event["dur"] > 0
        else:
            assert event["ph"] == "i" and event["s"] == "t"
        if event["cat"] != "line":  # on a track of its own
            processes.setdefault(event["pid"], []).append(event)
    names = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
    return {names[pid]: found for pid, found in processes.items()}


def paths(events):
    """The path of each scope, by the times alone: each slice must lie wholly within the one around it."""
    around, found = [], []
    for event in events:
        begin, end = round(event["ts"] * 1000), round((event["ts"] + event.get("dur", 0)) * 1000)
        while around and around[-1][1] <= begin and around[-1][1] < end:
            around.pop()
        assert not around or around[-1][0] <= begin <= end <= around[-1][1], f"{event} overlaps the end of {around[-1]}"
        if event["ph"] == "X":
            around.append((begin, end, event["name"]))
        if event["cat"] == "scope":
            found.append("/".join(name for _, _, name in around))
    return found


def test_scopes_contain_what_ran_in_them(tmp_path):
    processes, _ = traced(tmp_path)
    assert list(processes) == ["party 0", "party 1", "the dealer"]
    for party in ("party 0", "party 1"):
        assert paths(processes[party]) == ["net", "net/first", "net/second", "end"]
    assert paths(processes["the dealer"]) == []


@pytest.mark.parametrize("parties", [2, 3])
def test_every_message_is_there_with_its_size(tmp_path, parties):
    processes, stats = traced(tmp_path, parties)
    for (name, events), each in zip(processes.items(), stats, strict=True):
        messages = [event["args"] for event in events if event["cat"] != "scope"]
        assert sum(m.get("sent", 0) for m in messages) == each.total.bytes_sent, name
        assert sum(m.get("received", 0) for m in messages) == each.total.bytes_received
        assert sum(m.get("from dealer", 0) for m in messages) == each.total.offline_bytes
        assert sum(m.get("rounds", 0) for m in messages) == each.total.rounds
        assert {event["name"] for event in events if event["cat"] != "scope"} == set(each.operations)
    assert [e["args"]["rounds"] for e in processes["party 0"] if e["name"] == "end"] == [stats[0].scopes["end"].total.rounds]


def test_all_endpoints_have_one_clock(tmp_path):
    processes, _ = traced(tmp_path)
    answers = [e for e in processes["party 1"] if e["cat"] == "from the dealer"]
    dealt = [e for e in processes["the dealer"] if e["cat"] == "dealing"]
    requests = [e for e in processes["party 0"] if e["cat"] == "sent" and e["name"] != "deal.end"]
    assert len(answers) == len(dealt) == len(requests) > 0
    slack = 1000  # microseconds: the clocks are read one after the other, and an answer is out before its dealing ends
    for request, deal, answer in zip(requests, dealt, answers, strict=True):
        assert request["name"] == deal["name"] == answer["name"]
        assert request["ts"] < deal["ts"] + deal["dur"] + slack
        assert deal["ts"] < answer["ts"] + answer["dur"] + slack


def test_nothing_but_names_sizes_and_times(tmp_path):
    processes, _ = traced(tmp_path)
    for events in processes.values():
        for event in events:
            assert set(event) <= {"name", "cat", "ph", "s", "ts", "dur", "pid", "tid", "args"}
            line = event["args"].pop("line", "test_trace.py:1")
            assert set(event["args"]) <= {"rounds", "sent", "received", "from dealer"}
            assert all(type(size) is int for size in event["args"].values())
            assert re.fullmatch(r"test_trace\.py:\d+", line)


def test_nothing_is_recorded_unasked():
    assert [stats.trace for _, stats in simulate_job(Job(program, protocol="plaintext"))] == [None, None]


def test_a_full_trace_goes_on_with_scopes(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_MOST_MESSAGES", 3)
    stats = [each for _, each in simulate_job(Job(program, trace=True))]
    messages = [sum(event.kind != "scope" for event in each.trace.events) for each in stats]
    dropped = [each.trace.dropped for each in stats]
    assert messages == [3, 3, 3] and dropped[0] > stats[0].total.rounds - 3
    assert write_trace(tmp_path / "trace.json", stats, ["party 0", "party 1", "the dealer"]) == sum(dropped)
    party, *_ = load(tmp_path / "trace.json").values()
    assert paths(party) == ["net", "net/first", "net/second", "end"]


PROGRAM = """
def main(party):
    with party.scope("net"):
        x = party.input([1.0, 2.0] if party.index == 0 else None, 0)
        with party.scope("layer"):
            y = x @ x
        y.reveal()
    party.input(1, party.size - 1)
"""


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(PROGRAM)
    result = CliRunner().invoke(main, ["run", "small.py", "--profile", "--protocol", "plaintext"])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    at = next(k for k, line in enumerate(lines) if line[:2] == ["by", "scope,"])
    names = [line[:3] for line in lines[at + 3 : at + 7]]
    assert [name[0] for name in names] == ["net", "layer", "(rest)", "(rest)"][: len(names)]
    assert names[0][1] == names[1][1] == "1"  # calls
    assert "trace: small.trace.json" in result.output
    processes = load(tmp_path / "small.trace.json")
    assert [paths(events) for events in processes.values()] == [["net", "net/layer"]] * 2


def test_a_trace_that_cannot_be_written_is_refused_before_the_run(tmp_path):
    (tmp_path / "small.py").write_text("raise AssertionError('it ran')")
    result = CliRunner().invoke(main, ["run", str(tmp_path / "small.py"), "--trace", str(tmp_path / "missing" / "t.json")])
    assert result.exit_code == 2 and "cannot be written" in result.output and "it ran" not in result.output
