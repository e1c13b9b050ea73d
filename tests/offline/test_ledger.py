"""The ledger: what is claimed is on the disk before it is used, whatever happens."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from mpc.errors import DealtFileError
from mpc.offline.ledger import Ledger

DEAL, KEY = "ab" * 16, bytes(range(32))
RUNS = 100_000


@pytest.fixture
def ledger(tmp_path):
    (tmp_path / "a.deal").write_bytes(b"")
    return Ledger(tmp_path / "a.deal", DEAL, RUNS, KEY)


def test_claims_only_go_on(ledger):
    assert ledger.position() == 0 and not ledger.path.exists()
    ledger.claim(0)
    ledger.claim(5)  # burns 1 to 4
    assert ledger.position() == 6
    for used in (0, 3, 5, -1):
        with pytest.raises(DealtFileError, match=r"is used: its ledger is at 6"):
            ledger.claim(used)
    with pytest.raises(DealtFileError, match=r"are used; let the dealer deal more"):
        ledger.claim(RUNS)
    ledger.claim(RUNS - 1)
    assert ledger.position() == RUNS
    assert sorted(path.name for path in ledger.path.parent.iterdir()) == ["a.deal", "a.deal.ledger"]
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_it_is_on_the_disk_before_the_claim_returns(ledger, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, lambda *args, name=name, real=getattr(os, name), **kwargs: (done.append(name), real(*args)))
    ledger.claim(0)
    assert done == ["fsync", "replace", "fsync"]  # the content, the name, the folder


@pytest.mark.parametrize(
    "damage, match",
    [
        (lambda text: text.replace('"next": 7', '"next": 3'), "damaged or was altered"),
        (lambda text: text.replace('"next": 7', '"next": "7"'), "damaged or was altered"),
        (lambda text: text[:-5], "damaged or was altered"),
        (lambda text: "", "damaged or was altered"),
        (lambda text: "[" * 3000, "damaged or was altered"),
        (lambda text: text.replace(DEAL, "cd" * 16), "belongs to another deal"),
    ],
)
def test_a_damaged_or_foreign_ledger_is_refused(ledger, damage, match):
    ledger.claim(6)
    ledger.path.write_text(damage(ledger.path.read_text()))
    with pytest.raises(DealtFileError, match=match):
        ledger.position()
    with pytest.raises(DealtFileError, match=match):
        ledger.claim(50)


def test_every_altered_digit_is_noticed(ledger):
    ledger.claim(6)
    content = ledger.path.read_bytes()
    for place in range(len(content)):
        ledger.path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DealtFileError):
            ledger.position()


def test_a_ledger_of_another_key_is_refused(ledger, tmp_path):
    ledger.claim(6)
    with pytest.raises(DealtFileError, match="altered"):
        Ledger(tmp_path / "a.deal", DEAL, RUNS, bytes(32)).position()


def test_a_ledger_that_cannot_be_written_claims_nothing(ledger, monkeypatch):
    ledger.claim(0)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DealtFileError, match="No space left on device; nothing was sent"):
        ledger.claim(1)
    monkeypatch.undo()
    assert ledger.position() == 1


def test_what_a_crash_left_does_no_harm(ledger):
    ledger.path.with_name(".a.deal.ledger.new").write_bytes(b"half a led")
    ledger.claim(0)
    assert ledger.position() == 1


def test_of_two_that_claim_at_once_one_wins(ledger):
    """Each run is claimed by exactly one of the threads, which have a file lock each, as processes do."""
    claimed, barrier = [], threading.Barrier(4)

    def work():
        barrier.wait()
        for run in range(40):
            try:
                ledger.claim(run)
                claimed.append(run)
            except DealtFileError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) and ledger.position() == 40


CLAIMING = """
import sys
from pathlib import Path
from mpc.offline.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), sys.argv[2], {runs}, bytes(range(32)))
run = ledger.position()
while True:
    print("before", run, flush=True)
    ledger.claim(run)
    print("claimed", run, flush=True)
    run += 1
"""


def test_killed_at_any_moment(ledger, tmp_path):
    """What a process said to have claimed is claimed afterwards; what it had not begun to claim is not."""
    rng, before = random.Random(7), 0
    for _ in range(12):
        arguments = [sys.executable, "-c", CLAIMING.format(runs=RUNS), str(tmp_path / "a.deal"), DEAL]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        time.sleep(rng.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        text = first + process.stdout.read()
        lines = [line.split() for line in text[: text.rindex("\n")].splitlines()]  # the last one may be cut off
        process.stdout.close()
        process.wait()
        begun = [int(run) for word, run in lines if word == "before"]
        claimed = [int(run) for word, run in lines if word == "claimed"]
        assert begun[0] == before and claimed == begun[: len(claimed)]
        before = ledger.position()
        assert before in (len(claimed) + begun[0], begun[-1] + 1)
        json.loads(ledger.path.read_text()) if ledger.path.exists() else None
    assert before > 12
