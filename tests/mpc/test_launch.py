"""mpc.run and mpc.simulate where nothing goes wrong: what they carry along, and that nothing is left."""

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import mpc
from mpc.launch.channel import Channel, pack, unpack
from mpc.launch.failures import exit_text
from mpc.launch.job import Job
from mpc.launch.packing import pack_job

both = pytest.mark.parametrize("run", [partial(mpc.run, protocol="plaintext"), mpc.simulate], ids=["run", "simulate"])
OFFSET = 3


def square(party, values=(1.0, 2.0)):
    x = party.input(values if party.index == 0 else None, owner=0)
    return (x * x).reveal() + OFFSET - 3


def children():
    pids = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
    return [pid for pid in pids if "start.py" in Path(f"/proc/{pid}/cmdline").read_text()]


def open_files():
    return len(os.listdir("/proc/self/fd"))


@both
def test_a_list_with_each_partys_result(run):
    results = run(lambda party, scale: (party.index, party.size * scale), 10, parties=3)
    assert results == [(0, 30), (1, 30), (2, 30)]


def test_two_parties_and_their_dealer():
    first, second = mpc.run(square)
    np.testing.assert_allclose(first, [1, 4], atol=1e-4)
    np.testing.assert_array_equal(first, second)


def test_twice_in_a_row_and_nothing_is_left():
    mpc.run(square, protocol="plaintext")
    before = open_files()
    mpc.run(square, protocol="plaintext")
    with pytest.raises(ValueError, match="shown"):
        mpc.run(lambda party: int("shown"), protocol="plaintext")
    assert children() == [] and open_files() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mpc-")]


def test_from_a_thread_and_two_at_once():
    outcomes = []
    threads = [
        threading.Thread(target=lambda k=k: outcomes.append(mpc.run(lambda party: k, protocol="plaintext"))) for k in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [[0, 0], [1, 1]]


def test_a_run_inside_a_party():
    """A simulation inside a process, and a run inside a party of a simulation."""
    inner = partial(mpc.simulate, lambda party: party.index, protocol="plaintext")
    assert mpc.run(lambda party: inner(), protocol="plaintext") == [[0, 1], [0, 1]]


def test_closures_partials_bound_methods_and_module_functions():
    class Programs:
        def __init__(self, k):
            self.k = k

        def method(self, party):
            return self.k + OFFSET

        def __call__(self, party):
            return self.k

    for program, result in (
        (partial(lambda k, party: k, 5), 5),
        (Programs(7), 7),
        (Programs(7).method, 7 + OFFSET),
    ):
        parties, _ = pack_job(Job(program))
        assert unpack(parties).program(None) == result
    np.testing.assert_allclose(mpc.run(square, (2.0,), protocol="plaintext")[1], [4])


def test_the_dealer_does_not_get_the_program():
    parties, dealer = pack_job(Job(square, (b"only the parties' business",)))
    assert any(b"business" in bytes(part) for part in parties)
    assert not any(b"business" in bytes(part) for part in dealer)


def test_path_folder_arguments_and_environment_are_carried_along(tmp_path, monkeypatch):
    (tmp_path / "carried_along.py").write_text("VALUE = 41")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setattr(sys, "argv", ["program", "--option"])
    monkeypatch.setenv("CARRIED", "yes")
    monkeypatch.chdir(tmp_path)

    def program(party):
        import carried_along

        return carried_along.VALUE, os.getcwd(), sys.argv, os.environ["CARRIED"], os.environ["OMP_NUM_THREADS"]

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert mpc.run(program, protocol="plaintext") == [(41, str(tmp_path), ["program", "--option"], "yes", "1")] * 2


def test_large_arguments_and_results():
    large = np.arange(25_000_000, dtype=np.float64)  # 200 MB
    first, second = mpc.run(lambda party, a: a[:10] if party.index else a + 1, large, protocol="plaintext")
    assert first.nbytes == 200_000_000 and first[-1] == large[-1] + 1 and first.flags.writeable
    np.testing.assert_array_equal(second, large[:10])


def test_stdout_is_flushed_line_by_line(capfd):
    def program(party):
        print("printed", party.index)
        sys.stdout.write("no newline")
        return None

    mpc.run(program, protocol="plaintext")
    out = capfd.readouterr().out
    assert "printed 0\n" in out and "printed 1\n" in out and out.count("no newline") == 2


def test_nothing_secret_in_argv_or_environment():
    def program(party):
        return Path("/proc/self/cmdline").read_bytes(), Path("/proc/self/environ").read_bytes(), party._endpoint._transport._token

    for argv, environment, token in mpc.run(program, protocol="plaintext"):
        for secret in (token, token.hex().encode()):
            assert secret not in argv and secret not in environment


def test_every_run_has_a_token_of_its_own():
    """Also where a seed repeats everything else: whoever knows the seed must not be let in."""
    runs = [mpc.run(lambda party: party._endpoint._transport._token, protocol="plaintext", seed=1) for _ in range(2)]
    tokens = {token for run in runs for token in run}
    assert [len(set(run)) for run in runs] == [1, 1] and len(tokens) == 2
    assert all(len(token) == 32 and len(set(token)) > 8 for token in tokens)


def test_a_seeded_run_repeats_and_others_do_not():
    def program(party):
        return party._endpoint.pairwise[1 - party.index].draw("test", 0, (2,)).tolist()

    one, two, other = (mpc.simulate(program, seed=seed) for seed in (7, 7, None))
    assert one == two != other


def test_a_script_without_a_main_guard(script):
    code, out, err = script("import mpc\nk = 2\ndef f(party): return k\nprint(mpc.run(f), mpc.run(lambda p: k + 1))").ends_within(
        60
    )
    assert (code, out) == (0, "[2, 2] [3, 3]\n"), err


def test_the_command_shows_results_and_costs(script):
    program = "import sys\ndef main(party, word):\n    return party.index, word, sys.argv[1:]\n"
    code, out, err = script(program, "run", "word", "-n", "3", "--protocol", "plaintext").ends_within(60)
    assert code == 0, err
    assert "party 2: (2, 'word', ['word'])" in out and "s in all" in out


def test_a_trivial_simulation_is_quick(capsys):
    begin = time.perf_counter()
    mpc.simulate(lambda party: party.index)
    with capsys.disabled():
        print(f" [a trivial simulation: {1e3 * (time.perf_counter() - begin):.1f} ms]", end="")


@pytest.mark.parametrize(
    "thing", [None, [], {"a": np.zeros((3, 0))}, np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(8)[::2]]
)
def test_channel_round_trip(thing):
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(pack(thing))
        came = unpack(Channel(theirs).receive())
        assert repr(came) == repr(thing)
        ours.close()
        with pytest.raises(EOFError):
            Channel(theirs).receive()


def test_exit_text():
    assert exit_text(3) == "ended with exit code 3 and no result"
    assert exit_text(-9) == "was killed by SIGKILL"
    assert exit_text(-250) == "was killed by signal 250"
