"""Services as real processes on loopback: one set of them for all tests here, which leave them ready for the next.

Each job costs its three processes' start, so tests share jobs where they can; what needs no services is in the other files.
"""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from benchmarks.services import NAMES, Services
from benchmarks.waiting import until
from mpc.cli.serve import submit

SUMS = """
import numpy as np

def main(party, number):
    own = np.full(3, float(number))
    x, y = (party.input(own if party.index == i else None, owner=i, shape=(3,)) for i in range(2))
    print("pixels of", party.index)
    return (x * x + y * y).reveal().tolist()
"""
ONLY_A = "def main(party, number):\n    return 'only a'\n"
SPIN = """
import os, shutil, time
import numpy as np

def main(party, number):
    if number == "vandal":
        time.sleep(1.0)  # whoever follows the log has opened it
        shutil.rmtree(os.getcwd())
        print("gone")
    x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
    if party.index == 1 and number == "fail":
        raise ValueError("my secret 4242")
    print("begun", flush=True)
    while True:
        (x * x).reveal()
"""
KEEP = 3


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    made = Services(folder, {"sums": SUMS, "spin": SPIN}, {"a": ["2"], "b": ["3"]}, "--keep", str(KEEP))
    (folder / "a" / "only.py").write_text(ONLY_A)
    made.admit("a", ["sums", "spin", "only"], ["2"])
    made.start()
    yield made
    made.stop()
    assert [process.returncode for process in made.processes.values()] == [0, 0, 0]


class Later(threading.Thread):
    """A submission, of which `begun` says that the program runs."""

    def __init__(self, services, *what):
        super().__init__()
        self.services, self.what, self.before = services, what, services.log(what[0]).count(": sha256:")
        self.start()

    def run(self):
        self.ended = self.services.submit(*self.what)

    def begun(self, name):
        jobs = self.services.at(name) / "jobs"
        logs = lambda: sorted(jobs.glob("[0-9]*/log.txt"))
        more = lambda: self.services.log(self.what[0]).count(": sha256:") > self.before
        return until(lambda: more() and logs() and "begun" in logs()[-1].read_text())

    def end(self):
        self.join(60)
        return self.ended


def newest(services, name):
    return services.outcomes(name)[-1]


@pytest.fixture(scope="module")
def used(services):
    """Two jobs, which two parties asked for at once, one by the command: (how they ended, what the services hold after)."""
    command = [sys.executable, "-m", "mpc", "submit", "--as", "a", "sums", "5"]
    with subprocess.Popen(command, cwd=services.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        second = services.submit("b", "sums")
        first = process.communicate(timeout=60)
    assert services.idle()
    return (process.returncode, first), second, [services.usage(name) for name in NAMES]


def test_two_who_submit_at_once_both_get_their_job_with_each_partys_own_arguments(used):
    (status, (output, errors)), second, _ = used
    assert status == second.status == 0
    assert output == "pixels of 0\na: [34.0, 34.0, 34.0]\n"  # 25 + 9
    assert all(line.startswith("mpc: waiting for ") for line in errors.splitlines())
    assert second.output == "pixels of 1\nb: [13.0, 13.0, 13.0]\n"  # 4 + 9


def test_all_hosts_keep_what_came_of_a_job(services, used):
    mine, theirs, dealers = (services.outcomes(name) for name in NAMES)
    sessions = [job["session"] for job in mine]
    assert len(set(sessions)) == 2
    assert [job["session"] for job in theirs] == [job["session"] for job in dealers] == sessions
    assert [sorted(job["by"] for job in kept) for kept in (mine, theirs, dealers)] == [["a", "b"]] * 3
    assert next("a: [13.0" in job["log"] for job in mine if job["by"] == "b")
    assert [job["log"] for job in dealers] == ["", ""]


def test_a_program_that_another_party_does_not_admit_is_refused_by_name_and_digest(services):
    ended = services.submit("a", "only")
    digest = services.digest("a", "only")
    assert ended.status == 3
    assert f"sha256:{digest}" in ended.text and re.search(r"party 1 \(b\) does not admit it: .*add it to the list", ended.text)
    assert until(lambda: digest in services.log("b") and "asked for by a" in services.log("b"))
    assert services.submit("b", "only").text.startswith("'only' is not in this host's list")


def test_a_party_killed_amid_a_job_ends_it_for_all(services):
    job = Later(services, "a", "spin")
    assert job.begun("b")
    os.kill(services.workers("b")[0], signal.SIGKILL)
    ended = job.end()
    assert ended.status == 1 and "party 1 died" in ended.text
    assert until(lambda: newest(services, "b")["error"] == "PartyDied")
    assert "killed by SIGKILL" in newest(services, "b")["text"]


def test_errors_and_vandals_end_no_service_and_a_submitter_hears_no_more_than_it_may(services):
    services.admit("b", ["sums", "spin"], ["fail"])
    try:
        ended = services.submit("a", "spin", "vandal")
    finally:
        services.admit("b", ["sums", "spin"], ["3"])
    assert ended.status == 1 and "party 1 failed with ValueError" in ended.text
    assert "4242" not in ended.text + ended.output + services.log("a") + services.log("b")
    assert until(lambda: newest(services, "b")["error"] == "ValueError")
    assert "my secret 4242" in newest(services, "b")["log"]
    assert ended.output.startswith("gone\n")  # its log was open, and so was still read
    assert "at this host, its outcome could not be kept: No such file or directory" in ended.told
    assert "its outcome could not be kept" in services.log("a") and services.processes["a"].poll() is None


def test_services_that_end_and_come_back(services):
    job = Later(services, "a", "spin")
    assert job.begun("b")
    worker = services.workers("b")[0]
    services.processes["b"].terminate()
    assert services.processes["b"].wait(20) == 0
    assert not os.path.exists(f"/proc/{worker}") and not (services.at("b") / "socket").exists()
    ended = job.end()
    assert ended.status == 1 and "party 1 failed with JobStopped" in ended.text

    services.start("b", options=["--job-timeout", "1"])
    ended = services.submit("a", "spin")
    assert ended.status == 1 and "party 1 failed with JobStopped" in ended.text
    assert until(lambda: "--job-timeout" in newest(services, "b")["text"])

    services.processes["b"].kill()
    services.processes["b"].wait()
    job = Later(services, "a", "sums")
    assert until(lambda: "waiting for b: not reached yet" in services.log("a").rpartition("ready for a job")[2])
    services.start("b")
    assert "[13.0, 13.0, 13.0]" in job.end().output


def test_the_dealer_takes_no_jobs(services):
    assert "submit them at a party's" in services.submit("dealer", "sums").text


def test_the_command_says_what_was_wrong(services):
    bad = CliRunner().invoke(submit, ["--as", "a", "--folder", str(services.at("a")), "sum"])
    assert bad.exit_code == 3 and "did you mean 'sums'?" in bad.output


def test_nothing_is_left_after_many_jobs(services, used):
    assert services.idle()
    after = [services.usage(name) for name in NAMES]
    assert [use.descriptors for use in after] == [use.descriptors for use in used[-1]]
    assert [use.children for use in after] == [1, 1, 1] and services.all_workers() == 3
    for name in NAMES:
        kept = list((services.at(name) / "jobs").iterdir())
        assert len(kept) == KEEP + 1  # and the next
        assert sum(use.disk for use in after) < 20_000
        assert (services.at(name) / "socket").stat().st_mode & 0o777 == 0o600
        assert services.at(name).stat().st_mode & 0o777 == 0o700
