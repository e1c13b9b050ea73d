"""`mpc deal`: from a cluster file to files that run."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.clusters import write_cluster
from mpc.cli import main
from mpc.cluster import Cluster, Identity
from mpc.launch.job import Job, expectation
from mpc.launch.program import ProgramFile
from mpc.launch.simulate import simulate_job
from mpc.offline import DealtAt, open_dealt

PROGRAM = """
import numpy as np

def main(party, scale="1"):
    x = party.input(np.arange(6) if party.index == 0 else None, owner=0, shape=(6,), dtype=int)
    if scale == "branch" and x.sum().reveal() > 1:
        return 1
    print("sum", f"{x.sum().reveal()}")
    return (x * x * int(scale)).reveal()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a program, a cluster file and the dealer's key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "squares.py").write_text(PROGRAM)
    write_cluster(tmp_path, ["alice", "bob", "carl"])
    return tmp_path


def deal(*arguments, key="carl.key", program="squares.py"):
    return CliRunner().invoke(main, ["deal", str(program), *arguments, "--cluster", "cluster.toml", "--key", key])


def test_deal_and_run(folder):
    told = deal("3", "--runs", "2")
    assert told.exit_code == 0, told.output
    assert re.search(r"for 2 runs of \d+ rounds", told.output) and re.search(r"bob +squares.deal/bob.deal +\d+ ", told.output)
    assert "sum ?" in told.output and "restores neither it nor its\nledgers from a backup" in told.output
    cluster = Cluster.load("cluster.toml")
    names = [member.name for member in cluster.members]
    paths = [folder / "squares.deal" / f"{name}.deal" for name in names]
    assert sorted((folder / "squares.deal").iterdir()) == paths
    places = [DealtAt(str(path), Identity.load(f"{path.stem}.key").secret, cluster.dealer.public) for path in paths]
    job = Job(ProgramFile(str(folder / "squares.py")), ("3",), network=cluster.network)
    for _ in range(2):
        results = simulate_job(replace(job, dealt=tuple(places)))
        assert all(np.array_equal(result, 3 * np.arange(6) ** 2) for result, _ in results)
    expected = expectation(job, 1, "bob", cluster.digest().hex())
    opened = open_dealt(paths[1], places[1].secret, cluster.dealer.public, expected)
    assert opened.position() == opened.runs == 2
    opened.close()


def test_the_demo_can_be_dealt_for(folder):
    told = deal(program=Path(__file__).parents[2] / "examples" / "two_hospitals.py")
    assert told.exit_code == 0 and re.search(r"for 1 runs of \d+ rounds", told.output), told.output


def test_refusals_say_what_to_do(folder):
    told = deal("branch")
    assert told.exit_code == 1 and "squares.py:6: `if scale ==" in told.output and "np.where" in told.output
    told = deal(key="bob.key")
    assert told.exit_code == 1 and "is the key of 'bob', and not that of the dealer 'carl'" in told.output
    assert deal("--out", "elsewhere").exit_code == 0
    told = deal("--out", "elsewhere")
    assert told.exit_code == 1 and "exists already" in told.output
    told = deal("--out", "squares.py/inside")
    assert told.exit_code == 1 and "cannot be made" in told.output
    told = deal("--runs", "0", "--out", "none")
    assert told.exit_code == 1 and "runs=0" in told.output
    text = (folder / "cluster.toml").read_text()
    (folder / "cluster.toml").write_text(text[: text.index("[dealer]")])
    told = deal("--out", "none")
    assert told.exit_code == 1 and "has no [dealer]" in told.output
    assert [path.name for path in (folder / "elsewhere").iterdir()] and not list((folder / "none").glob("*"))
