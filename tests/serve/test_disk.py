"""What cannot be kept, because a disk is full or a folder is gone, is told; the service goes on."""

import json
import selectors
import shutil
import socket
from contextlib import closing

import pytest
from click.testing import CliRunner

from benchmarks.services import Services
from mpc.cli.serve import serve
from mpc.serve import process
from mpc.serve.lines import Lines
from mpc.serve.options import Options
from mpc.serve.queue import Submission
from mpc.serve.running import Running
from mpc.serve.service import Service
from mpc.serve.workplace import Workplace

FULL = "No space left on device"
FACTS = {"digest": "ab" * 32, "by": "a", "session": "00"}


def on_full_disk(path):
    path.symlink_to("/dev/full")


@pytest.fixture
def place(tmp_path):
    made = Workplace(tmp_path / "a.serve", keep=2)
    yield made
    made.close()


@pytest.fixture
def told():
    return []


@pytest.fixture
def submission():
    """One, and what its submitter has heard by now."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Submission(Lines(theirs), "p", FACTS["digest"], []), Lines(ours).arrived


def run(place, told, submission, spoil_begin=None, spoil_end=None, lost=""):
    prepared = place.prepare()
    if spoil_begin:
        spoil_begin(prepared)
    running = Running(place, prepared, FACTS, submission[0], lambda name, text="", **facts: told.append((name, text)))
    if spoil_end:
        spoil_end(running._folder)
    running.end({"error": "", "text": ""}, 0, lost)
    heard = submission[1]()
    assert [message["event"] for message in heard] == [name if name != "ended" else "done" for name, _ in told] or spoil_begin
    assert heard[-1]["status"] == (1 if lost else 0)
    return [text for name, text in told if name == "unkept"], [m["text"] for m in heard if m["event"] == "unkept"]


def test_a_job_whose_folder_is_gone_at_its_end(place, told, submission):
    log, heard = run(place, told, submission, spoil_end=shutil.rmtree)
    assert log == ["job 000001: its outcome could not be kept: No such file or directory"]
    assert heard == ["at this host, its outcome could not be kept: No such file or directory"]


def test_a_job_whose_folder_is_gone_before_it_begins(place, told, submission):
    log, heard = run(place, told, submission, spoil_begin=shutil.rmtree)
    assert len(log) == len(heard) == 2 and "its folder cannot be kept" in log[0] and "outcome" in log[1]


def test_an_outcome_on_a_full_disk_is_whole_or_not_there_and_old_jobs_make_room(place, told, submission):
    for _ in range(3):
        kept = place.begin(place.prepare())
    log, heard = run(place, told, submission, spoil_end=lambda job: on_full_disk(job / ".outcome.json"), lost=FULL)
    assert log == [f"job 000004: its log is not whole: {FULL}", f"job 000004: its outcome could not be kept: {FULL}"]
    assert len(heard) == 2
    assert sorted(path.name for path in kept.parent.iterdir()) == ["000003", "000004"]
    assert not (kept.parent / "000004" / "outcome.json").exists()


def test_numbers_that_a_program_invents_do_no_harm(place):
    for name in ("²", "٣", "x"):
        (place.prepare().parent / name).mkdir()
    assert place.begin(place.prepare()).name == "000001"


def test_a_log_on_a_full_disk_is_read_on(tmp_path, monkeypatch):
    monkeypatch.setattr(process.sys, "executable", "/bin/echo")
    on_full_disk(tmp_path / "log.txt")
    worker = process.Process(Options("c", "a", "k", "f"), tmp_path)
    assert worker._process.wait() == 0
    assert worker.copy_output() and worker.lost == FULL
    assert not worker.copy_output()
    worker.end()
    worker.close()


def test_a_service_that_can_start_no_worker_says_so_and_tries_again(tmp_path, told, monkeypatch):
    monkeypatch.setattr(process.sys, "executable", "/bin/true")
    Services(tmp_path, {"p": "x = 1"})
    folder = tmp_path / "a.serve"
    files = [str(tmp_path / name) for name in ("cluster.toml", "a.key", "a/programs.toml")]
    service = Service(Options(files[0], "a", files[1], str(folder), files[2]), lambda name, text="", **facts: told.append(text))
    with closing(service._workplace), closing(selectors.DefaultSelector()) as service._selector:
        shutil.rmtree(folder / "jobs")
        (folder / "jobs").write_text("in the way")
        pause = service._pause
        service._start()
        assert service._worker is None and service._pause > pause
        assert len(told) == 1 and "no process can be started here" in told[0]
        (folder / "jobs").unlink()
        service._start()
        assert service._worker is not None and len(told) == 1
        while service._worker is not None:
            service._turn()


def test_telling_what_happens_on_a_full_disk_ends_no_service(monkeypatch):
    class Telling:
        def __init__(self, options, tell):
            self.tell = tell

        def serve(self):
            self.tell("serving", "a text")

    def full(self, name, text="", **facts):
        raise OSError(FULL)

    monkeypatch.setattr("mpc.serve.Service", Telling)
    monkeypatch.setattr("mpc.cli.serve.Log.event", full)
    assert CliRunner().invoke(serve, ["--cluster", "c", "--as", "a"]).exit_code == 0


def test_outcomes_are_json(place, told, submission):
    run(place, told, submission)
    assert json.loads((place.folder / "jobs" / "000001" / "outcome.json").read_text())["by"] == "a"
