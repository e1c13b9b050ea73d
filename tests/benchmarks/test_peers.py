"""Peers as processes: what a session measures, and that nothing of it is left, whatever happens; environments; the workers."""

import ast
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.peers import environment
from benchmarks.peers.__main__ import main
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.environment import Environment
from benchmarks.peers.errors import PeerError, TooSlow
from benchmarks.peers.peer import WORKERS, Peer, function_of
from benchmarks.peers.session import Session
from mpc.bench.catalogue import ALL

FAKE = Path(__file__).with_name("fake_worker.py")
X, Y = np.arange(4.0), np.full(4, 0.5)


class Here(Environment):
    """This environment, which is always there."""

    python = Path(sys.executable)
    installed = True


@pytest.fixture
def pids(tmp_path):
    return tmp_path / "pids"


@pytest.fixture
def peer(pids, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Peer("fake", "Fake", 2, Here("fake-1", ()), str(FAKE), frozenset({"mul", "ltz", "exp"}), {"pids": str(pids)})


def parties_of(session):
    return [party.pid for party in session._parties]


def gone(pid):
    """Within a while: a killed process may have a parent that is yet to take notice."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except OSError:
            return True
        time.sleep(0.05)
    return False


def folders(tmp_path):
    return [path.name for path in tmp_path.glob("mpc-peer-*")]


def test_a_measurement_is_that_of_the_slowest_and_the_busiest_party(peer, tmp_path):
    with Session(peer) as session:
        first = session.measure("mul1m", [X, Y], 2)
        parties = parties_of(session)
        assert session.measure("mul1m", [X, Y], 3).seconds == [2, 4, 6]
        assert parties_of(session) == parties and len(parties) == 2, "the same processes are timed again"
    assert first.seconds == [2, 4] and first.rounds == 3 and first.bytes_sent == 101
    np.testing.assert_allclose(first.result, X * Y + 2**-10)
    assert all(map(gone, parties)) and not folders(tmp_path)


def test_what_takes_too_long_is_ended_with_all_its_children(peer, pids, tmp_path):
    with Session(peer, limit=3) as session:
        with pytest.raises(TooSlow, match=r"^over 3 s$"):
            session.measure("ltz1m", [X])
        assert gone(int(pids.read_text())) and not parties_of(session) and not folders(tmp_path)
        assert session.measure("mul1m", [X, Y], 1).rounds == 3, "the next measurement starts anew"


def test_an_interruption_leaves_nothing(peer, tmp_path, monkeypatch):
    with Session(peer) as session:
        session.measure("mul1m", [X, Y], 1)
        parties = parties_of(session)

        def interrupt(_):
            raise KeyboardInterrupt

        monkeypatch.setattr(session, "_lines", interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.measure("mul1m", [X, Y], 1)
    assert all(map(gone, parties)) and not folders(tmp_path)


def test_whichever_party_dies_is_named_with_its_last_words(peer):
    with Session(peer, limit=60) as session:
        for _ in range(2):  # and then it starts anew
            with pytest.raises(PeerError, match=r"Fake: party 1 died.*\n.*has had enough"):
                session.measure("exp", [X])


def test_a_missing_peer_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(PeerError, match=r"CrypTen is not installed: `python -m benchmarks.peers install crypten` makes /"):
        Session(PEERS["crypten"]).__enter__()
    shown = CliRunner().invoke(main, ["list"]).output
    assert shown.count("benchmarks.peers install") == len(PEERS)


def test_an_environment_is_made_once_and_anew_for_other_pins(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ran = []

    def run(self, *command):
        ran.append(command[2:5] if "venv" in command else command[6:])
        self.folder.mkdir(parents=True, exist_ok=True)
        if "broken==1" in command:
            raise PeerError("no index")

    monkeypatch.setattr(Environment, "_run", run)
    made = Environment("some-1", ("a==1 b==2", "--no-deps c==3"))
    assert made.install() and made.installed and not made.install()
    assert ran == [("venv", "--clear", str(made.folder)), ("a==1", "b==2"), ("--no-deps", "c==3")]
    other = replace(made, pip=("a==2",))
    assert not other.installed and other.install() and not made.installed
    broken = Environment("broken-1", ("broken==1",))
    with pytest.raises(PeerError):
        broken.install()
    assert not broken.installed


def test_a_missing_python_and_a_failing_command_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(environment, "PYTHON", (2, 99))
    with pytest.raises(PeerError, match=r"some-1 needs Python 2\.99, which is not on the path"):
        Environment("some-1", ("a==1",)).install()
    with pytest.raises(
        PeerError, match=r"some-1 was not installed: `.* -c 1/0` failed; .*index within reach\?\n(.*\n)*ZeroDivision"
    ):
        Environment("some-1", ())._run(sys.executable, "-c", "1/0")


@pytest.mark.parametrize("name", PEERS)
def test_workers_stand_alone_and_have_what_their_peer_has(name):
    tree = ast.parse((WORKERS / PEERS[name].worker).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [module for module in imported if module.split(".")[0] in ("mpc", "benchmarks", "protocols", "pickle")]
    (table,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FUNCTIONS"]
    assert {key.value for key in table.keys} == PEERS[name].functions


def test_spu_has_every_workload_and_smaller_sizes_are_of_workloads_that_have_one():
    assert [name for name in ALL if not PEERS["spu"].has(name)] == []
    assert function_of("mul10m") == "mul" and function_of("lenet128") == "lenet" and function_of("dense_inf") == "dense_inf"
    for name, size in (PEERS["mpyc"].sizes or {}).items():
        assert PEERS["mpyc"].has(name) and size < (ALL[name].size or 0)
    assert not PEERS["mpyc"].has("mul10m")
