"""kill -9 of real processes, of parties and of the dealer, at random moments: what is resumed in the end is the same."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mpc
from benchmarks.clusters import write_cluster
from mpc.errors import CheckpointError

ROUNDING = 2.0**-10
EPOCHS, SEED = 40, 5


def siblings():
    """The processes of the parties, and the dealer's last, in the order in which they were started."""
    found = []
    for task in Path(f"/proc/{os.getppid()}/task").iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return sorted(pid for pid in found if b"start.py" in Path(f"/proc/{pid}/cmdline").read_bytes())


def killer(whom, delay):
    """Party 0 sees to it that endpoint `whom` is killed soon."""

    def began(party):
        if party.index == 0 and whom is not None:
            timer = threading.Timer(delay, os.kill, (siblings()[whom], signal.SIGKILL))
            timer.daemon = True
            timer.start()

    return began


def attempt(training, tmp_path, resume, whom, delay):
    """The results, or None where it was killed; notes what the run was resumed from."""
    notes = tmp_path / "notes"
    notes.write_text("")

    def note(*heard):
        with notes.open("a") as file:
            file.write(json.dumps(heard) + "\n")

    results = None
    try:
        arguments = EPOCHS, note, killer(whom, delay)
        results = mpc.run(training, *arguments, seed=SEED, checkpoints=tmp_path / "run", resume=resume)
    except (mpc.errors.PartyDied, mpc.errors.PeerFailed):
        pass
    heard = [tuple(json.loads(line)) for line in notes.read_text().splitlines()]
    return results, dict(heard[1:2] if heard and heard[0][0] else heard[:1]) if resume else {}


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes in /proc")
def test_kill_9_at_six_moments(training, agree, reference, tmp_path):
    """One run, killed again and again, sometimes before it has begun; each time another process."""
    moments, skips, resume, kills, results = random.Random(7), {}, False, 0, None
    for k in range(6):
        results, skipped = attempt(training, tmp_path, resume, k % 3, moments.uniform(0, 0.5))
        resume, skips, kills = True, skips | skipped, kills + (results is None)
        if results is not None:
            break  # it was faster
    if results is None:
        results, skipped = attempt(training, tmp_path, resume, None, 0)
        skips |= skipped
    assert kills >= 3
    agree(results, reference(SEED, 2, EPOCHS), ROUNDING)
    agree(results, reference(SEED, 2, EPOCHS, skips.items()))
    with pytest.raises(CheckpointError, match="has finished"):
        attempt(training, tmp_path, True, None, 0)


PROGRAM = """
import os, sys
import numpy as np

def main(party, stop=""):
    w = party.input(np.ones(3) if party.index == 0 else None, owner=0)
    state = {"epoch": 0, "w": w}
    while state["epoch"] < 4:
        state = party.checkpoint(state)
        if stop and state["epoch"] == 2 and party.index == 1:
            os.kill(os.getpid(), 9)
        state = {"epoch": state["epoch"] + 1, "w": state["w"] * 2}
    print("from", party._checkpoints._number, flush=True)
    return state["w"].reveal()
"""


def test_the_command_goes_on_where_it_was_killed(script, tmp_path):
    folder = "program.checkpoints"
    code, _, err = script(PROGRAM, "run", "--checkpoints", folder, "--", "stop").ends_within(60)
    assert code == 1 and "killed by SIGKILL" in err
    assert (tmp_path / folder / "party-1" / "checkpoint-3").exists()
    code, _, err = script(PROGRAM, "run", "--checkpoints", folder).ends_within(60)
    assert code == 1 and "cut off: resume that" in err
    code, out, err = script(PROGRAM, "run", "--resume").ends_within(60)
    assert code == 0, err
    assert "[16. 16. 16.]" in out
    code, _, err = script(PROGRAM, "run", "--resume").ends_within(60)
    assert code == 1 and "this run has finished" in err


@pytest.fixture
def cluster(tmp_path):
    """cluster(*options, stop=False): what the three commands of a run across hosts gave, as (exit code, text); on loopback."""
    names = ["a", "b", "dealer"]
    write_cluster(tmp_path, names)
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(*options, stop=False):
        started = []
        for name in names:
            command = [sys.executable, "-m", "mpc", "run", "--cluster", "cluster.toml", "--as", name, "--wait", "60"]
            program = [] if name == "dealer" else [*options, "program.py", *(["stop"] if stop else [])]
            output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            started.append(subprocess.Popen([*command, *program], cwd=tmp_path, **output))
        try:
            return [(each.wait(120), each.stdout.read()) for each in started]
        finally:
            for each in started:
                each.kill()
                each.communicate()

    return run


def test_hosts_of_their_own_go_on_where_one_was_killed(cluster, tmp_path):
    folder = "program.checkpoints"
    (a, _), (b, _), _ = cluster("--checkpoints", folder, stop=True)
    assert a != 0 and b == -signal.SIGKILL, (a, b)
    outcomes = cluster("--resume")
    assert [code for code, _ in outcomes] == [0, 0, 0], outcomes
    assert all("[16. 16. 16.]" in text and "from 4" in text for _, text in outcomes[:2])
    assert all("this run has finished" in text for code, text in cluster("--resume")[:2])
