"""Files of results: what is written is read again; whatever else a file holds is refused, with its name and a cure."""

import json
import subprocess
from dataclasses import asdict, replace

import numpy as np
import pytest

from mpc.bench import machine
from mpc.bench.compare import compare, interval
from mpc.bench.results import Results
from mpc.errors import ResultsError


def test_what_is_saved_is_loaded(made, tmp_path):
    results = Results.now("mpc bench 'a b'", [made(), made("logreg", network="wan", parties=3)])
    results.save(tmp_path / "a.json")
    assert Results.load(tmp_path / "a.json") == results
    assert json.loads((tmp_path / "a.json").read_text())["format"] == 1
    assert results.machine["cores"].isdigit() and results.machine["numpy"] == np.__version__
    assert results.measured[1].latency == 0.04


def test_the_commit_is_told_only_of_a_tree_that_has_mpc(monkeypatch, tmp_path):
    (tmp_path / "mpc").mkdir()
    (tmp_path / "mpc" / "__init__.py").write_text("")
    monkeypatch.setattr(machine, "_ROOT", tmp_path)
    assert machine.commit() is None  # no repository
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    assert machine.commit() is None  # somebody else's: the file is not in it
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a"], check=True)
    clean = machine.commit()
    assert clean is not None and len(clean.commit) == 40 and not clean.dirty
    (tmp_path / "mpc" / "__init__.py").write_text("x")
    assert machine.commit() == machine.Commit(clean.commit, True)


def broken(results, *path, value):
    """The file's JSON with another value at that place."""
    found = json.loads(json.dumps(asdict(results)))
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(found)


TURN = ("measured", 0, "turns", 0)
ONE = (*TURN, "repetitions", 0)


@pytest.mark.parametrize(
    "path, value, text",
    [
        (("format",), 2, "has the format 2; this mpc reads format 1"),
        (("format",), "1", "is no file of results"),
        (("time",), 5, "time is not what it has to be"),
        (("more",), 5, "is not what it has to be"),
        (("machine",), ["a"], "machine is not"),
        (("machine", "cpu"), "\x1b[2J", "machine is not"),
        (("commit",), {"commit": "a"}, "commit is not"),
        (("measured", 0, "title"), "x" * 5000, "measured 1: title is not"),
        (("measured", 0, "turns"), [], r"x \* y, 10\^6 has no repetitions"),
        ((*TURN, "repetitions"), [], "has no repetitions"),
        ((*TURN, "error"), float("nan"), "turns 1: error is not"),
        ((*TURN, "error"), float("inf"), "turns 1: error is not"),
        ((*TURN, "startup"), True, "startup is not"),
        ((*ONE, "seconds"), 0, "took no time"),
        ((*ONE, "rounds"), -1, "repetitions 1: rounds is not"),
        ((*ONE, "bytes_sent"), 1.5, "bytes_sent is not"),
        ((*ONE, "bytes_sent"), 10**400, "bytes_sent is not"),
    ],
)
def test_what_is_no_such_file_is_refused(made, tmp_path, path, value, text):
    results = Results("0.1.0", None, "mpc bench", "2026", {"cpu": "A"}, [made()])
    (tmp_path / "a.json").write_text(broken(results, *path, value=value))
    with pytest.raises(ResultsError, match=text) as caught:
        Results.load(tmp_path / "a.json")
    assert "a.json" in str(caught.value) and "mpc bench --json FILE" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff", b"[]", b"3"])
def test_other_bytes_are_refused(tmp_path, data):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(ResultsError, match=r"a\.json is no"):
        Results.load(tmp_path / "a.json")


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(ResultsError, match="cannot be read: No such file"):
        Results.load(tmp_path / "none.json")
    with pytest.raises(ResultsError, match="cannot be written: No such file"):
        Results.now("mpc bench").save(tmp_path / "none" / "a.json")


# ------------------------------------------------------------------ comparisons


def results(*measured, **machine):
    return Results("0.1.0", None, "mpc bench", "2026", machine, list(measured))


def test_ratios_and_which_are_sure(made):
    steady, wide = ((1.0, 1.02, 1.04), (1.01, 1.03, 1.05)) * 2, ((0.5, 1.0, 2.1), (0.6, 1.1, 1.9)) * 2
    old = results(made(seconds=steady), made("exp", seconds=wide), made("log", seconds=steady))
    new = results(
        made(seconds=[[s * 2 for s in turn] for turn in steady]),
        made("exp", seconds=[[s * 1.1 for s in turn] for turn in wide]),
        made("log", seconds=[[s / 2 for s in turn] for turn in steady], rounds=3),
    )
    slower, unsure, faster = compare(old, new).changes
    assert slower.ratio == pytest.approx(2) and slower.low > 1.8 and slower.verdict == "slower"
    assert unsure.low < 1 < unsure.high and unsure.verdict == ""
    assert faster.ratio == pytest.approx(0.5) and faster.high < 0.6 and faster.verdict == "faster"
    assert faster.costs == ["rounds 2 to 3"] and slower.costs == []
    assert compare(old, new) == compare(old, new)
    for low, high, verdict in ((0.9, 0.99, "faster"), (0.9, 1.01, ""), (0.99, 1.1, ""), (1.01, 1.1, "slower")):
        assert replace(slower, low=low, high=high).verdict == verdict
    two = made(seconds=steady[:2])
    assert replace(slower, old=two).verdict == replace(slower, new=two).verdict == "few turns"


def test_turns_that_differ_widen_the_interval(made):
    """The same repetitions tell less where they come from turns that are unlike each other."""
    mixed, sorted_ = ((1.0, 1.5, 2.0), (1.0, 1.5, 2.0)), ((1.0, 1.0, 1.5), (1.5, 2.0, 2.0))
    low, high = interval(made(seconds=mixed).turns, made(seconds=mixed).turns)
    lower, higher = interval(made(seconds=sorted_).turns, made(seconds=sorted_).turns)
    assert lower <= low < 1 < high <= higher and higher - lower >= high - low
    assert interval(made(seconds=((1.0, 2.0), (1.0,))).turns, made(seconds=((1.0,),)).turns)[0] == 1


def test_what_is_only_in_one_and_other_machines(made):
    old = results(made(), made(network="wan"), cpu="A", cores="2")
    new = results(made(), made(parties=3), cpu="B", cores="2", numba="1")
    found = compare(old, new)
    assert [change.ratio for change in found.changes] == [1.0]
    assert [each.configuration.network for each in found.only_old] == ["wan"]
    assert [each.configuration.parties for each in found.only_new] == [3]
    assert found.machines == ["cpu: A | B", "numba: unknown | 1"]
