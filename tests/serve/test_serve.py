"""Services as real processes on loopback: one set of them for all tests here, which leave them ready for the next."""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from benchmarks.services import NAMES, Services, until

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
import numpy as np

def main(party, number):
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
    """What the services hold after two jobs, before all others."""
    for name in NAMES[:2]:
        services.submit(name, "sums")
    assert services.idle()
    return [services.usage(name) for name in NAMES]


def test_job_after_job_with_each_partys_own_arguments(services, used):
    first = services.submit("a", "sums", "5")
    second = services.submit("b", "sums")
    assert first.status == second.status == 0
    assert "pixels of 0\na: [34.0, 34.0, 34.0]" in first.output  # 25 + 9
    assert "pixels of 1\nb: [13.0, 13.0, 13.0]" in second.output  # 4 + 9
    assert until(lambda: newest(services, "a")["by"] == "b")
    mine, theirs, dealers = (newest(services, name) for name in NAMES)
    assert mine["session"] == theirs["session"] == dealers["session"] != services.outcomes("a")[-2]["session"]
    assert "a: [13.0" in mine["log"] and dealers["log"] == ""


def test_a_program_that_another_party_does_not_admit_is_refused_by_name_and_digest(services):
    ended = services.submit("a", "only")
    digest = services.digest("a", "only")
    assert ended.status == 3
    assert f"sha256:{digest}" in ended.text and re.search(r"party 1 \(b\) does not admit it: .*add it to the list", ended.text)
    assert until(lambda: digest in services.log("b") and "asked for by a" in services.log("b"))
    assert services.submit("b", "only").text.startswith("'only' is not in this host's list")


def test_a_program_that_changed_after_it_was_listed_is_refused(services):
    path = services.folder / "b" / "sums.py"
    path.write_text(SUMS + "# and more\n")
    try:
        ended = services.submit("a", "sums")
        assert ended.status == 3
        assert "party 1 (b) does not admit it: its copy of the program is not the one that was listed" in ended.text
        own = services.submit("b", "sums")
        assert own.status == 3
        assert "not the file that was listed" in own.text and services.digest("b", "sums") in own.text
    finally:
        path.write_text(SUMS)


def test_a_party_killed_amid_a_job_ends_it_for_all_and_the_next_job_runs(services):
    job = Later(services, "a", "spin")
    assert job.begun("b")
    os.kill(services.workers("b")[0], signal.SIGKILL)
    ended = job.end()
    assert ended.status == 1 and "party 1 died" in ended.text
    assert until(lambda: newest(services, "b")["error"] == "PartyDied")
    assert "killed by SIGKILL" in newest(services, "b")["text"]
    assert "[13.0, 13.0, 13.0]" in services.submit("b", "sums").output


def test_an_error_in_a_program_reaches_the_submitter_without_what_it_says(services):
    services.admit("b", ["sums", "spin"], ["fail"])
    try:
        ended = services.submit("a", "spin")
    finally:
        services.admit("b", ["sums", "spin"], ["3"])
    assert ended.status == 1 and "party 1 failed with ValueError" in ended.text
    assert "4242" not in ended.text + ended.output + services.log("a") + services.log("b")
    assert until(lambda: newest(services, "b")["error"] == "ValueError")
    assert "my secret 4242" in newest(services, "b")["log"]


def test_others_wait_for_a_killed_service_and_say_so(services):
    services.idle()
    services.processes["b"].kill()
    services.processes["b"].wait()
    job = Later(services, "a", "sums")
    assert until(lambda: "waiting for b: not reached yet" in services.log("a").rpartition("ready for a job")[2])
    services.start("b")
    assert "[13.0, 13.0, 13.0]" in job.end().output


def test_sigterm_ends_a_service_in_order_and_its_job_with_it(services):
    job = Later(services, "a", "spin")
    assert job.begun("b")
    worker = services.workers("b")[0]
    services.processes["b"].terminate()
    assert services.processes["b"].wait(20) == 0
    assert not os.path.exists(f"/proc/{worker}") and not (services.at("b") / "socket").exists()
    ended = job.end()
    assert ended.status == 1 and "party 1 failed with JobStopped" in ended.text
    services.start("b")


def test_a_job_takes_no_longer_than_its_host_allows(services):
    services.processes["b"].terminate()
    assert services.processes["b"].wait(20) == 0
    services.start("b", options=["--job-timeout", "1"])
    ended = services.submit("a", "spin")
    assert ended.status == 1 and "party 1 failed with JobStopped" in ended.text
    assert until(lambda: "--job-timeout" in newest(services, "b")["text"])
    services.processes["b"].terminate()
    assert services.processes["b"].wait(20) == 0
    services.start("b")


def test_two_who_submit_at_once_both_get_their_job(services):
    job = Later(services, "a", "sums", "1")
    assert "b: [20.0" in services.submit("b", "sums", "4").output
    assert "a: [10.0" in job.end().output


def test_the_dealer_takes_no_jobs(services):
    assert "submit them at a party's" in services.submit("dealer", "sums").text


def test_the_command_shows_the_programs_output_and_has_its_status(services):
    command = [sys.executable, "-m", "mpc", "submit", "--as", "a"]
    run = lambda *args: subprocess.run([*command, *args], cwd=services.folder, capture_output=True, text=True, timeout=60)
    good, bad = run("sums", "0"), run("sum")
    assert (good.returncode, good.stdout) == (0, "pixels of 0\na: [9.0, 9.0, 9.0]\n")
    assert bad.returncode == 3 and "did you mean 'sums'?" in bad.stderr


def test_nothing_is_left_after_many_jobs(services, used):
    assert services.idle()
    after = [services.usage(name) for name in NAMES]
    assert [use.descriptors for use in after] == [use.descriptors for use in used]
    assert [use.children for use in after] == [1, 1, 1] and services.all_workers() == 3
    for name in NAMES:
        kept = list((services.at(name) / "jobs").iterdir())
        assert len(kept) == KEEP + 1  # and the next
        assert sum(use.disk for use in after) < 20_000
        assert (services.at(name) / "socket").stat().st_mode & 0o777 == 0o600
        assert services.at(name).stat().st_mode & 0o777 == 0o700
