"""The ledger: what is claimed is on the disk before it is used, whatever happens."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mpc.errors import DealtFileError
from mpc.offline.ledger import Ledger, kept_in

DEAL, KEY = "ab" * 16, bytes(range(32))
RUNS = 100_000


@pytest.fixture
def ledger(tmp_path):
    (tmp_path / "a.deal").write_bytes(b"")
    return Ledger(tmp_path / "a.deal", DEAL, 1, RUNS, KEY)


def test_claims_only_go_on(ledger, kept):
    assert ledger.position() == 0 and not ledger.path.exists() and not kept.parent.exists()
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
    assert sorted(path.name for path in kept.iterdir()) == [f"{DEAL}-1.ledger", "lock"]
    assert [path.stat().st_mode & 0o777 for path in (ledger.path, *kept.iterdir(), kept)] == [0o600] * 3 + [0o700]


def test_it_is_on_the_disk_before_the_claim_returns(ledger, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, lambda *args, name=name, real=getattr(os, name), **kwargs: (done.append(name), real(*args)))
    ledger.claim(0)
    once = ["fsync", "replace", "fsync"]  # the content, the name, the folder
    assert done == ["fsync"] * 2 + once * 2  # first the new folders' names
    done.clear()
    ledger.claim(1)
    assert done == once * 2


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
        Ledger(tmp_path / "a.deal", DEAL, 1, RUNS, bytes(32)).position()


def test_a_ledger_that_cannot_be_written_claims_nothing(ledger, monkeypatch):
    ledger.claim(0)

    def full(*args):
        raise OSError(28, "No space left on device")

    real = os.fsync
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DealtFileError, match="No space left on device; nothing was sent"):
        ledger.claim(1)
    monkeypatch.setattr(os, "fsync", real)  # undo() would give the state folder back as well
    assert ledger.position() == 1


def test_what_a_crash_left_does_no_harm(ledger):
    ledger.claim(0)
    for path in (ledger.path, ledger.kept):
        path.with_name(f".{path.name}.new").write_bytes(b"half a led")
    ledger.claim(1)
    assert ledger.position() == 2


def test_a_crash_between_both_leaves_the_higher_one(ledger, monkeypatch):
    ledger.claim(0)
    real, replaced = os.replace, []

    def dies_at_the_second(*args):
        replaced.append(args)
        if len(replaced) == 2:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(os, "replace", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        ledger.claim(1)
    monkeypatch.setattr(os, "replace", real)
    assert ledger.position() == 2


def test_the_higher_of_both_is_true(ledger):
    ledger.claim(0)
    before = ledger.path.read_bytes()
    ledger.claim(4)
    for path in (ledger.path, ledger.kept):  # one is older, then gone
        now = path.read_bytes()
        path.write_bytes(before)
        assert ledger.position() == 5
        path.unlink()
        assert ledger.position() == 5
        with pytest.raises(DealtFileError, match="is used"):
            ledger.claim(4)
        path.write_bytes(now)


@pytest.mark.parametrize("damage", [lambda text: text[:-5], lambda text: text.replace(DEAL, "cd" * 16)])
def test_a_damaged_ledger_in_the_state_folder_is_refused(ledger, damage):
    ledger.claim(6)
    ledger.kept.write_text(damage(ledger.kept.read_text()))
    with pytest.raises(DealtFileError, match="damaged or was altered"):
        ledger.claim(50)


def test_a_state_folder_that_cannot_be_written_claims_nothing(ledger, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(DealtFileError, match=r"file/mpc/ledgers.* nothing was sent; set XDG_STATE_HOME to a folder"):
        ledger.claim(0)
    assert not ledger.path.exists()


def test_where_the_state_folder_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):  # neither says where
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert kept_in() == tmp_path / ".local/state/mpc/ledgers"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert kept_in() == tmp_path / ".local/state/mpc/ledgers"

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(DealtFileError, match=r"no home folder.* set XDG_STATE_HOME"):
        kept_in()


@pytest.mark.parametrize("copies, users", [(1, 1), (4, 1), (1, 4)])
def test_of_two_that_claim_at_once_one_wins(ledger, tmp_path, monkeypatch, copies, users):
    """Each run is claimed by exactly one of the threads, which have file locks each, as processes do. They use one dealt file
    or a copy each; or they are of one user, or of one each."""
    for k in range(copies):
        (tmp_path / f"{k}.deal").write_bytes(b"")
    ledgers = [Ledger(tmp_path / f"{k % copies}.deal", DEAL, 1, RUNS, KEY) for k in range(4)]
    kept = {own: tmp_path / f"user{k % users}" / "kept" for k, own in enumerate(ledgers)}
    monkeypatch.setattr(Ledger, "kept", property(lambda own: kept[own]))
    claimed, barrier = [], threading.Barrier(4)

    def work(own):
        barrier.wait()
        for run in range(40):
            try:
                own.claim(run)
                claimed.append(run)
            except DealtFileError:
                pass

    threads = [threading.Thread(target=work, args=[own]) for own in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) and {own.position() for own in ledgers} == {40}


CLAIMING = """
import sys
from pathlib import Path
from mpc.offline.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), sys.argv[2], 1, {runs}, bytes(range(32)))
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
        [json.loads(path.read_text()) for path in (ledger.path, ledger.kept) if path.exists()]
    assert before > 12
