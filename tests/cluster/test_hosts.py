"""Real processes, one for each host: killed, stopped, misled. No run goes on, no process is left, all say the same."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from benchmarks.clusters import cluster_text, free_ports
from mpc.cluster import Identity

BOUND = 40.0  # seconds in which all end, on a busy machine
NAMES = ("a", "b", "d")
PROGRAM = """
import os, signal, sys, time
import numpy as np

def main(party, who="-", at="0", what=""):
    x = party.input(np.arange(6.0) if party.index == 0 else None, owner=0)
    for step in range(12):
        if who == str(party.index) and step == int(at):
            if what == "kill": os.kill(os.getpid(), signal.SIGKILL)
            if what == "stop": os.kill(os.getpid(), signal.SIGSTOP)
            if what == "term": os.kill(os.getpid(), signal.SIGTERM)
            if what == "interrupt": os.kill(os.getpid(), signal.SIGINT)
            if what == "raise": raise ValueError("my secret 42")
            if what == "memory": raise MemoryError
            if what == "disk": raise OSError(28, "No space left on device", "result.npy")
            if what == "branch": (x[:3] > 0).reveal()
        if who == "dealer" and party.index == 0 and step == int(at):
            os.kill(int(open("d.pid").read()), signal.SIGKILL if what == "kill" else signal.SIGSTOP)
        x = x * 0.5 + (x * x) * 0.001
    return x.reveal()
"""
RING = """
[timeouts]
start = {start}
message = 2.5
heartbeat = 1
"""


@pytest.fixture
def hosts(tmp_path, machines):
    """hosts(*args): {name: (exit code, output)} of a, b and the dealer d. `change` edits one host's files beforehand."""
    pairs = type(machines(1)).PAIRS
    identities = [Identity(name, secret) for name, (_, secret) in zip(NAMES, pairs, strict=False)]
    ports = free_ports(len(NAMES))
    started = []

    def text(start):
        return cluster_text(identities, [f"127.0.0.1:{port}" for port in ports], RING.format(start=start))

    def run(*args, change=lambda name, folder: None, names=NAMES, start=30, env=()):
        for name in names:
            folder = tmp_path / name
            folder.mkdir()
            (folder / "cluster.toml").write_text(text(start))
            (folder / "program.py").write_text(PROGRAM)
            identities[NAMES.index(name)].save(folder / f"{name}.key")
            change(name, folder)
        for name in names:
            program = [] if name == "d" else ["program.py"]
            command = [sys.executable, "-m", "mpc", "run", *program, "--cluster", "cluster.toml", "--as", name]
            command += ["--", *args] if program else []
            environment = {**os.environ, **dict(env).get(name, {})}
            started.append(
                subprocess.Popen(
                    command,
                    cwd=tmp_path / name,
                    env=environment,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
            if name == "d":
                (tmp_path / "a" / "d.pid").write_text(str(started[-1].pid))
        processes = dict(zip(names, started, strict=True))
        stopped = {"0": "a", "1": "b", "dealer": "d"}.get(args[0]) if args[2:] == ("stop",) else None
        deadline = time.monotonic() + BOUND
        for name, process in processes.items():
            if name != stopped:
                process.wait(max(0.1, deadline - time.monotonic()))
        if stopped:
            os.kill(processes[stopped].pid, signal.SIGCONT)
            processes[stopped].wait(BOUND)
        outcome = {name: (process.returncode, process.communicate()[0]) for name, process in processes.items()}
        assert not [pid for process in started for pid in _session(process.pid)], "processes are left"
        for port in ports:
            socket.create_server(("127.0.0.1", port)).close()
        return outcome

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _session(pid):
    found = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(pid)], capture_output=True, text=True).stdout.split("\n")
    return [line for line in found if line.strip() and "Z" not in line]


def said(outcome, names):
    """What these hosts say of the failure: the same line, with an exit code that is not 0."""
    lines = set()
    for name in names:
        code, text = outcome[name]
        assert code not in (0, None), text
        assert "Traceback" not in text or "in the program" in text, text
        lines.add([line for line in text.splitlines() if line.startswith("mpc: ") and "waiting" not in line][-2])
    assert len(lines) == 1, outcome
    return lines.pop()


def others(who):
    return [name for name in NAMES if name != {"0": "a", "1": "b", "dealer": "d"}[who]]


def named(who):
    return "the dealer" if who == "dealer" else f"party {who}"


def test_a_run(hosts):
    outcome = hosts()
    assert [code for code, _ in outcome.values()] == [0, 0, 0], outcome


@pytest.mark.parametrize("at", [0, 6, 11])
@pytest.mark.parametrize("who", ["0", "1", "dealer"])
def test_a_killed_host_is_named_by_all(hosts, who, at):
    outcome = hosts(who, str(at), "kill")
    text = said(outcome, others(who))
    assert f"{named(who)} died, or its machine cannot be reached (during operation '" in text
    name = f"({named(who)} is {NAMES[2 if who == 'dealer' else int(who)]})"
    assert all(name in outcome[other][1] for other in others(who))


@pytest.mark.parametrize("who", ["0", "1", "dealer"])
def test_a_stopped_host_is_named_by_all(hosts, who):
    outcome = hosts(who, "5", "stop")
    assert f"{named(who)} sent nothing in time (during operation '" in said(outcome, others(who))
    assert outcome[{"0": "a", "1": "b", "dealer": "d"}[who]][0] != 0


@pytest.mark.parametrize(
    ("what", "error"), [("raise", "ValueError"), ("memory", "MemoryError"), ("disk", "OSError"), ("term", ""), ("interrupt", "")]
)
def test_a_program_that_ends_early(hosts, what, error):
    outcome = hosts("1", "5", what)
    text = said(outcome, ["a", "d"])
    assert (
        f"party 1 failed with {error}" if error else "party 1 was stopped by its operator"
    ) in text and "secret 42" not in outcome["a"][1] + outcome["d"][1]
    assert outcome["b"][0] == (1 if error else 130)
    assert error in outcome["b"][1]


def test_hosts_that_branch_differently(hosts):
    text = said(hosts("1", "5", "branch"), NAMES)
    assert "party 0" in text and "party 1" in text


def test_other_programs_fraction_bits_and_versions_are_named(hosts):
    def change(name, folder):
        if name == "b":
            (folder / "program.py").write_text(PROGRAM + "\n# another\n")
            (folder / "cluster.toml").write_text("fraction_bits = 12\n" + (folder / "cluster.toml").read_text())

    outcome = hosts(change=change)
    for name in ("a", "b"):  # each says it of the first two that it knows not to fit
        code, error = outcome[name][:2]
        assert code == 1 and "fraction_bits: " in error and "party 1 (b) has 12" in error and "has 16" in error, error
    assert any("program: party 0 (a) has " in outcome[name][1] for name in ("a", "b")) or "the dealer (d)" in outcome["a"][1]


def test_a_wrong_key_file_is_refused(hosts, machines):
    pairs = type(machines(1)).PAIRS

    def change(name, folder):
        if name == "b":
            (folder / "b.key").unlink()
            Identity("b", pairs[4][1]).save(folder / "b.key")

    outcome = hosts(change=change, names=("a", "b"), start=4)
    assert outcome["b"][0] == 1 and "is not the one that the cluster file has for 'b'" in outcome["b"][1]
    assert outcome["a"][0] == 1 and "party 1 (b) at tcp://127.0.0.1" in outcome["a"][1]
