"""A party that raises, dies or hangs ends the whole run: real processes, really killed."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import mpc
from mpc.errors import PartyDied, PeerTimeout, RunFailed, UsageError

AFTER_DEATH = 40.0  # seconds: 5 are promised, of a machine that has nothing else to do; `pytest -s` shows what it took
LONG = 60.0  # seconds to start, on a busy machine
PATIENCE = 8  # seconds of a timeout that only who stands still comes to

LOOP = """
import os, time, numpy as np, mpc
def main(party):
    x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
    x = x * x
    print("ready", party.index, os.getpid(), flush=True)
    end = time.time() + 300  # should the test itself be killed
    while time.time() < end:
        {body}
"""
TALK = "(x * x).reveal()"
RUN = "\nmpc.run(main, parties={n}, timeout={timeout})\n"


def looping(body=TALK, n=2, timeout=60):
    return LOOP.format(body=body) + RUN.format(n=n, timeout=timeout)


def both(function):
    return pytest.mark.parametrize("run", [mpc.run, mpc.simulate], ids=["run", "simulate"])(function)


def shown(error):
    """All that a user sees of an error: its message, its notes, and the other process's traceback."""
    return "\n".join([str(error), *getattr(error, "__notes__", ()), str(error.__cause__ or "")])


# ---------------------------------------------------------------------- killed, stopped, hanging


@pytest.mark.parametrize("who", [0, 1, "dealer"])
def test_a_killed_endpoint_ends_the_run(script, who):
    launcher = script(looping())
    pids = launcher.ready()
    os.kill(pids[who], signal.SIGKILL)
    code, _, err = launcher.ends_within(AFTER_DEATH)
    name = "the dealer" if who == "dealer" else f"party {who}"
    assert code != 0
    assert f"PartyDied: {name} (process {pids[who]}) was killed by SIGKILL" in err
    other = 1 if who == 0 else 0
    assert f"party {other}: PeerFailed: {name} died" in err


@pytest.mark.parametrize("who", [1, "dealer"])
def test_a_stopped_endpoint_is_named_by_a_timeout(script, who):
    launcher = script(looping(timeout=PATIENCE))
    os.kill(launcher.ready()[who], signal.SIGSTOP)
    code, _, err = launcher.ends_within(PATIENCE + AFTER_DEATH)
    name = "the dealer" if who == "dealer" else f"party {who}"
    assert code != 0 and "PeerTimeout" in err
    assert f"waited {PATIENCE} s for {name} in operation" in err or f"look at {name} first" in err
    assert f"{name} did not end when told to, and was killed" in err


def test_a_hanging_party_is_named_by_a_timeout(script):
    body = f"while party.index == 1 and time.time() < end: pass\n        {TALK}"
    launcher = script(looping(body, timeout=PATIENCE))
    launcher.ready()
    code, _, err = launcher.ends_within(PATIENCE + AFTER_DEATH)
    assert code != 0 and f"PeerTimeout: party 0 waited {PATIENCE} s for party 1 in operation" in err


@pytest.mark.parametrize("how", ["talking", "stopped", "busy"])
def test_a_killed_launcher_leaves_nothing(script, how):
    body = "sum(range(10**14))" if how == "busy" else TALK  # it never lets another thread of the process run
    launcher = script(looping(body))
    pids = launcher.ready()
    if how == "stopped":
        for pid in pids.values():
            os.kill(pid, signal.SIGSTOP)
    os.kill(launcher.pid, signal.SIGKILL)
    code, _, _ = launcher.ends_within(AFTER_DEATH)
    assert code == -signal.SIGKILL


def test_sigterm_to_the_launcher_leaves_nothing(script):
    launcher = script(looping())
    launcher.ready()
    os.kill(launcher.pid, signal.SIGTERM)
    code, _, _ = launcher.ends_within(AFTER_DEATH)
    assert code != 0


@pytest.mark.parametrize("when", ["running", "starting"])
def test_ctrl_c_in_the_terminal(script, when):
    launcher = script(LOOP.format(body=TALK), "run", "-n", "2")
    if when == "running":
        launcher.ready()
    else:
        deadline = time.monotonic() + LONG
        while not interpreters(launcher) and time.monotonic() < deadline:
            time.sleep(0.001)
    os.killpg(launcher.pid, signal.SIGINT)
    code, _, err = launcher.ends_within(AFTER_DEATH)
    assert code == 130
    assert err.splitlines() == ["mpc: interrupted: all parties were stopped"], err


def interpreters(launcher):
    """The children of the launcher, from their very first instruction on."""
    pids = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return [pid for pid in pids if "start.py" in Path(f"/proc/{pid}/cmdline").read_text()]


# ---------------------------------------------------------------------- a party that ends by itself


class TwoArguments(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class HoldsALock(Exception):
    def __init__(self):
        super().__init__("cannot travel")
        self.lock = threading.Lock()


def raising(error):
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        if party.index == 1:
            raise error()
        return x.reveal()

    return program


@both
def test_the_partys_own_error_is_raised_once_with_its_traceback(run):
    with pytest.raises(ZeroDivisionError, match="private 123") as caught:
        run(raising(lambda: ZeroDivisionError("private 123")))
    text = shown(caught.value)
    if run is mpc.run:
        assert text.count("Traceback") == 1 and "raise error()" in text and "mpc/launch" not in text and "run_program" not in text
        assert "party 0: PeerFailed: party 1 failed with ZeroDivisionError" in text
        assert text.count("private 123") == 2  # the message, and the end of the traceback: in no peer's error
    else:
        assert "raised at party 1 of 2 parties" in text and "PeerFailed" not in text


@both
def test_an_error_message_is_not_told_to_the_peers(run):
    def program(party):
        if party.index == 1:
            raise ValueError("private 123")
        try:
            party.input(None, owner=1)
        except mpc.errors.PeerFailed as error:
            told.append(str(error))
            raise RuntimeError(f"party 0 was told: {error}") from error

    told = []
    with pytest.raises(ValueError, match="private 123") as caught:
        run(program, protocol="plaintext")
    if run is mpc.run:
        (note,) = caught.value.__notes__
        assert "party 0: RuntimeError: party 0 was told: party 1 failed with ValueError" in note and "private" not in note
    else:
        assert "ValueError" in told[0] and "private" not in told[0]


@pytest.mark.parametrize("error", [lambda: TwoArguments("a", "b"), HoldsALock])
def test_an_error_that_cannot_travel_is_told_as_text(error):
    with pytest.raises(RunFailed, match=r"party 1 raised (TwoArguments: a and b|HoldsALock: cannot travel)") as caught:
        mpc.run(raising(error), protocol="plaintext")
    assert "raise error()" in shown(caught.value)


@pytest.mark.parametrize(
    ("run", "error"),
    [(mpc.run, SystemExit), (mpc.simulate, SystemExit), (mpc.simulate, KeyboardInterrupt), (mpc.simulate, GeneratorExit)],
)
def test_a_program_that_exits_is_an_error(run, error):
    with pytest.raises(RunFailed, match=f"party 1's program raised {error.__name__}"):
        run(raising(error), protocol="plaintext")


def test_a_process_that_exits_is_an_error():
    with pytest.raises(PartyDied, match=r"party 1 \(process \d+\) ended with exit code 3 and no result"):
        mpc.run(raising(lambda: os._exit(3)))


@both
def test_a_result_that_cannot_leave_is_an_error(run):
    def program(party, wrap):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        return wrap(x) if party.index == 1 else None

    with pytest.raises(UsageError, match=r"party 1, the program's result: .*reveal"):
        run(program, lambda x: x if run is mpc.run else {"a": [1, (x,)]}, protocol="plaintext")


def test_a_result_that_cannot_be_pickled_is_an_error():
    with pytest.raises(UsageError, match="party 0 returned a lock, which cannot be sent to the caller"):
        mpc.run(lambda party: threading.Lock() if party.index == 0 else None, protocol="plaintext")


class OneWay:
    def __reduce__(self):
        return explode, (os.getpid(),)


def explode(pid):
    if pid != os.getpid():
        raise LookupError("only readable at home")
    return OneWay()


def test_a_result_that_cannot_be_read_is_an_error():
    with pytest.raises(RunFailed, match="party 1 returned something that cannot be read here: LookupError"):
        mpc.run(lambda party: OneWay() if party.index else None, protocol="plaintext")


def test_simulate_ends_a_hanging_party_by_the_others_timeout():
    release = threading.Event()

    def program(party):
        if party.index == 1:
            release.wait(LONG)
            return None
        return party.input(None, owner=1)

    begin = time.monotonic()
    with pytest.raises(PeerTimeout, match=r"party 0 waited 0.2 s for party 1 in operation 'input'"):
        mpc.simulate(program, timeout=0.2, protocol="plaintext")
    assert time.monotonic() - begin < 0.2 + AFTER_DEATH
    release.set()
