"""`mpc cost`: what it shows, writes and refuses."""

import json

import pytest
from click.testing import CliRunner

import mpc.cli.cost
from mpc.cli import main
from mpc.cluster import Identity, public_text
from mpc.cost import Calibration, Figures, record
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.launch.simulate import simulate_job

PROGRAM = """
import numpy as np

def main(party, what="product"):
    shape = None if what == "shapeless" else (6,)
    x = party.input(np.arange(6.0) if party.index == 0 else None, owner=0, shape=shape)
    print("not shown")
    if what == "branch" and x.sum().reveal() > 1:
        return 1
    if what == "mine":
        return [][party.index]
    return np.maximum(x * x, 1).reveal()
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mpc.cli.cost, "figures", lambda renew: Calibration(Figures(), 1.0))
    (tmp_path / "squares.py").write_text(PROGRAM)
    return ProgramFile(str(tmp_path / "squares.py"))


@pytest.fixture
def here(monkeypatch):
    """In this process: for what does not depend on where."""
    monkeypatch.setattr(mpc.cli.cost, "record", lambda job, **options: record(job, fresh=False))


def invoke(*words):
    return CliRunner().invoke(main, ["cost", "squares.py", *words])


def test_it_tells_what_a_run_costs(program):
    """Each endpoint in a process of its own, as in earnest."""
    result = invoke("--json", "cost.json")
    assert result.exit_code == 0, result.output
    total = simulate_job(Job(program))[0][1].total
    summary = next(line for line in result.stdout.splitlines() if line.startswith("loopback"))
    assert summary.split()[1] == str(total.rounds)
    assert "by operation, over loopback, at party" in result.stdout and "multiply.open" in result.stdout
    assert "not shown" not in result.output
    data = json.loads(mpc.cli.cost.Path("cost.json").read_text())
    (network,) = data["networks"]
    assert network["totals"]["bytes_sent"] == total.bytes_sent and network["totals"]["rounds"] == total.rounds
    assert network["totals"]["online_seconds"] > 0
    assert data["job"]["parties"] == 2 and data["machine"]["cores"] > 0


def test_several_networks_stand_side_by_side(program, here):
    result = invoke("--network", "lan", "--network", "wan", "--network", "20ms,100mbit", "-n", "3", "--json", "cost.json")
    assert result.exit_code == 0, result.output
    assert sum(line.startswith(("lan ", "wan ", "20ms,100mbit ")) for line in result.stdout.splitlines()) == 3
    found = json.loads(mpc.cli.cost.Path("cost.json").read_text())["networks"]
    assert [each["network"] for each in found] == ["lan", "wan", "20ms,100mbit"]
    lan, wan, other = (each["totals"]["online_seconds"] for each in found)
    assert lan < other < wan
    assert result.stdout.count("by operation") == 3


def test_a_cluster_file_says_with_whom(program, here, tmp_path):
    text = 'network = "wan"\nfraction_bits = 12\n'
    for number, name in enumerate(["alice", "bob", "carl", "dora"]):
        key = public_text(Identity.generate(name).public)
        table = "[dealer]" if name == "dora" else "[[party]]"
        text += f'{table}\nname = "{name}"\naddress = "127.0.0.1:{7000 + number}"\nkey = "{key}"\n'
    (tmp_path / "cluster.toml").write_text(text)
    result = invoke("--cluster", "cluster.toml", "--json", "cost.json")
    assert result.exit_code == 0, result.output
    job = json.loads((tmp_path / "cost.json").read_text())["job"]
    assert (job["parties"], job["fraction_bits"], job["integrity"], job["apart"]) == (3, 12, True, True)
    refused = invoke("--cluster", "cluster.toml", "-n", "2")
    assert refused.exit_code == 2 and "--parties is what the cluster file says" in refused.stderr


@pytest.mark.parametrize(
    "words, text",
    [
        (["branch"], "the program needs it as a condition"),
        (["shapeless"], "give its shape"),
        (["mine"], "give every input its shape="),
        (["--network", "slow"], "network='slow'"),
        (["-n", "9"], "2 to 5 parties"),
        (["--protocol", "none"], "not known"),
        (["--cluster", "missing.toml"], "missing.toml"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_predicted_says_why(program, here, words, text):
    result = invoke(*words)
    assert result.exit_code == 1, result.output
    assert text in result.stderr


def test_a_file_that_cannot_be_written_is_refused_before_the_recording(program):
    result = invoke("--json", "missing/cost.json")
    assert result.exit_code == 2 and "cost.json cannot be written" in result.stderr and "recording" not in result.output


@pytest.mark.parametrize(
    "text, told, advice",
    [
        ("def main(party:\n", "SyntaxError", False),
        ("import missing_thing\n\ndef main(party):\n    pass\n", "No module named 'missing_thing'", False),
        ("def main(party):\n    return [][party.index]\n", "IndexError", True),
    ],
    ids=["syntax", "import", "main"],
)
def test_a_program_that_fails_is_shown_without_what_is_above_it(program, tmp_path, text, told, advice):
    (tmp_path / "squares.py").write_text(text)
    result = invoke()
    assert result.exit_code == 1 and told in result.stderr and "squares.py" in result.stderr
    assert not any(ours in result.stderr for ours in ("mpc/cost", "mpc/dry", "mpc/launch", "run_program", "importlib"))
    assert ("give every input its shape=" in result.stderr) is advice


def test_parts_are_of_the_whole(program, here):
    result = invoke("--protocol", "plaintext")
    table = result.stdout.split("%")[1].splitlines()[1:]
    assert table and all(0 <= int(line.split()[-4]) <= 100 for line in table)


def test_errors_come_through_from_another_process(program):
    result = invoke("branch")
    assert result.exit_code == 1 and "squares.py:8: `if what" in result.stderr and "needs it as a condition" in result.stderr
    assert "Traceback" not in result.output


def test_a_program_is_needed_but_for_a_calibration(program):
    runner = CliRunner()
    assert "Missing argument 'PROGRAM'" in runner.invoke(main, ["cost"]).stderr
    result = runner.invoke(main, ["cost", "--calibrate"])
    assert result.exit_code == 0 and result.stdout.startswith("a message costs")


def test_a_calibration_beside_other_programs_is_doubted(program, here, monkeypatch):
    monkeypatch.setattr(mpc.cli.cost, "figures", lambda renew: Calibration(Figures(), 1.7))
    result = invoke()
    assert result.exit_code == 0 and "ran 1.7 times slower than alone" in result.stderr
