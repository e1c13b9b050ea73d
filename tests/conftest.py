"""Shared helpers: a script in a session of its own, of which nothing may be left."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import mpc
from benchmarks.waiting import until

# A busy machine draws examples slowly: that is no fault of a test.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# As in the Makefile: each of the processes that begin here would compile the whole package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # and its threads would spin beside the parties


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For `-n 3`: a file stays together, for what it computes once; and the files that start processes of their own, which want
    all processors, come one after the other. So do those of hosts and services, which mostly wait, beside the others."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.split("::")[0]
            if not starts_processes(config.rootpath / path):
                return path
            return "hosts" if path.split("/")[1] in WAITING else "processes"

    return ByFile(config, log)


WAITING = ("checkpoints", "cluster", "serve")  # folders


@cache
def starts_processes(path):
    return re.search(r"\bmpc\.run\(|\bsubprocess\b|\bscript\(", path.read_text()) is not None


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """No test, and no process of one, keeps anything in the user's own state folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def cost():
    """cost(function, *arrays): (rounds, bytes sent) of function(*tensors) at each of two parties of the additive protocol.

    `prepare(*tensors)` makes of fresh inputs what the function takes, before the measurement.
    """

    def measured(function, *arrays, prepare=lambda *tensors: tensors):
        def program(party):
            tensors = prepare(*(party.input(x if party.index == 0 else None, 0) for x in arrays))
            with party.measure() as spent:
                function(*tensors)
            return spent.rounds, spent.bytes_sent

        first, second = mpc.simulate(program, parties=2)
        assert first == second
        return first

    return measured


def processes(session):
    """{pid: (parent, state)} of the live processes in a session (zombies are dead)."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, sid = path.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if int(sid) == session and state != "Z":
            found[int(path.parent.name)] = (int(parent), state)
    return found


class Script:
    """A running launcher. Its program prints `ready INDEX PID` at each party that the test wants to know."""

    def __init__(self, arguments, folder, stdin=None):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
        self.pid = self.process.pid
        if stdin is not None:
            self.process.stdin.write(stdin)
        self.process.stdin.close()
        self.process.stdin = None

    def ready(self, parties=2):
        """{index: pid} of the parties, once they have all said so. The dealer is "dealer"."""
        pids = {}
        while len(pids) < parties:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            if line.startswith("ready"):
                _, index, pid = line.split()
                pids[int(index)] = int(pid)
        others = [p for p, (parent, _) in processes(self.pid).items() if parent == self.pid and p not in pids.values()]
        return pids | dict(zip(["dealer"], others, strict=False))

    def ends_within(self, seconds):
        """Assert that every process of it is gone in time; (exit code, stdout, stderr)."""
        begin = time.monotonic()
        gone = until(lambda: self.process.poll() is not None and not processes(self.pid), seconds)
        print(f" [all gone after {time.monotonic() - begin:.1f} s]", end="")
        left = processes(self.pid)
        self.stop()
        out, err = self.process.communicate(timeout=10)
        assert gone, f"left after {seconds} s: {left}\n{out}\n{err}"
        return self.process.returncode, out, err

    def stop(self):
        for pid in processes(self.pid):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def script(tmp_path):
    """script(code) runs code from stdin, script(code, "run", "-n", "2") as a program of `mpc`."""
    started = []

    def start(code, *command):
        if command:
            path = tmp_path / "program.py"
            path.write_text(code)
            started.append(Script(["-m", "mpc", command[0], str(path), *command[1:]], tmp_path))
        else:
            started.append(Script(["-"], tmp_path, code))
        return started[-1]

    yield start
    for each in started:
        each.stop()
        each.process.communicate(timeout=10)
