"""The files of checkpoints: private, whole or not there, and refused when they are not this party's of this run."""

import contextlib
import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mpc
from mpc import files, share_files
from mpc.checkpoints import Folder, agreement
from mpc.checkpoints import folder as folders
from mpc.checkpoints.agreement import Claim, Status, agree
from mpc.checkpoints.state import load
from mpc.errors import CheckpointError, Error, StateError
from mpc.tensor.base import Context
from mpc.testing import check_jointly_uniform, protocol_of

FACTS = {"program": "p", "parties": 2, "protocol": "additive", "fraction_bits": 16}


class CutOff(Exception):
    pass


def program(party, stop_at=None, epochs=4):
    x = party.input(np.full((4, 3), 3.0) if party.index == 0 else None, 0)
    state = {"n": 0, "x": x}
    while state["n"] < epochs:
        state = party.checkpoint(state)
        if state["n"] == stop_at:
            raise CutOff
        state = {"n": state["n"] + 1, "x": state["x"] * 0.5}
    return state["x"].reveal()


@pytest.fixture
def cut(tmp_path):
    """A folder of a run that was cut off after its third checkpoint."""
    root = tmp_path / "c"
    with pytest.raises(CutOff):
        mpc.simulate(program, 2, checkpoints=root)
    return root


def resume(root, **options):
    return mpc.simulate(program, checkpoints=root, resume=True, **options)


def names(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_what_is_on_disk(cut):
    assert names(cut) == [f"party-{k}/{name}" for k in (0, 1) for name in ("checkpoint-3", "key", "run")]
    for place in cut.rglob("*"):
        assert stat.S_IMODE(place.stat().st_mode) == (0o700 if place.is_dir() else 0o600)
    assert (cut / "party-0" / "key").read_bytes() != (cut / "party-1" / "key").read_bytes()
    np.testing.assert_allclose(resume(cut), 3 / 16, atol=2**-14)
    with pytest.raises(CheckpointError, match="has finished"):
        resume(cut)
    np.testing.assert_allclose(mpc.simulate(program, checkpoints=cut), 3 / 16, atol=2**-14)  # anew, in its place


def test_files_show_neither_shares_nor_public_values(tmp_path):
    held = {}

    def keep(party):
        x = party.input(np.full(4096, 3.0) if party.index == 0 else None, 0)
        held[party.index] = x.share.value.tobytes()
        party.checkpoint({"x": x, "note": "between ourselves", "a": np.full(8, 0.7071)})

    mpc.simulate(keep, checkpoints=tmp_path)
    for k in (0, 1):
        content = (tmp_path / f"party-{k}" / "checkpoint-1").read_bytes()
        assert held[k][:64] not in content and b"ourselves" not in content and np.float64(0.7071).tobytes() not in content
    parts = [folder_of(tmp_path, k, keep.__qualname__).read(1)[1] for k in (0, 1)]
    shares = [next(a for a in arrays if a.shape == (4096,)) for arrays in parts]
    assert np.all(np.add.reduce(shares) == 3 << 16)
    for k in (0, 1):
        check_jointly_uniform([(f"party {k}", shares[k])])


def folder_of(root, party, name):
    folder = Folder(root, party, {**FACTS, "program": name})
    folder.close()
    return folder


# ------------------------------------------------------------------ refusals


def refused(root, text, **options):
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    with pytest.raises(CheckpointError, match=text) as caught:
        resume(root, **options)
    assert before == {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return str(caught.value)


@pytest.mark.parametrize("name", ["checkpoint-3", "run"])
def test_a_file_that_was_altered_anywhere_is_refused(cut, name):
    place = cut / "party-1" / name
    whole = place.read_bytes()
    for k in range(0, len(whole), 7 if name == "run" else 31):
        place.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        assert "party 1, operation 'checkpoint': " in refused(cut, "share file|damaged|in place of")
    for other in (whole[:-1], whole + b"x", b"", whole[: len(whole) // 2]):
        place.write_bytes(other)
        refused(cut, "share file|damaged")
    place.write_bytes(whole)
    np.testing.assert_allclose(resume(cut), 3 / 16, atol=2**-14)


def test_files_of_others_are_refused(cut, tmp_path):
    for name in ("checkpoint-3", "run"):
        copy = tmp_path / f"copy-{name}"
        shutil.copytree(cut, copy)
        shutil.copy(copy / "party-0" / name, copy / "party-1" / name)
        refused(copy, "party 1, operation 'checkpoint': .*is of party 0 in place of 1")
    refused(cut, "protocol 'additive' in place of 'plaintext'", protocol="plaintext")
    refused(cut, "fraction_bits 16 in place of 12", fraction_bits=12)
    refused(cut, "parties 2 in place of 1", parties=1, protocol="plaintext")

    def another(party):
        party.checkpoint({})

    with pytest.raises(CheckpointError, match=r"is of program 'program' in place of '.*another'"):
        mpc.simulate(another, checkpoints=cut, resume=True)
    os.rename(cut / "party-0" / "checkpoint-3", cut / "party-0" / "checkpoint-4")
    refused(cut, "is checkpoint 3, under another name")


def test_a_key_that_is_gone_or_open_to_others(cut):
    key = cut / "party-0" / "key"
    key.chmod(0o644)
    refused(cut, "open to others")
    key.unlink()
    refused(cut, "key file .* cannot be read")
    assert not key.exists()


def test_folders_of_different_runs_do_not_mix(cut, tmp_path):
    """Shares of two runs would add up to noise."""
    other = tmp_path / "other"
    with pytest.raises(CutOff):
        mpc.simulate(program, 2, checkpoints=other)
    shutil.rmtree(cut / "party-1")
    shutil.copytree(other / "party-1", cut / "party-1")
    refused(cut, r"no checkpoint in common \(party 0: \[3\]; party 1: \[3\]\)")
    shutil.rmtree(cut / "party-1")
    (cut / "party-1").mkdir()
    with pytest.raises(CheckpointError, match=r"party 1: none\), though party 0 is beyond the first"):
        resume(cut)


def test_a_run_that_was_cut_off_is_not_overwritten(cut):
    with pytest.raises(CheckpointError, match="party 0 holds checkpoints of a run that was cut off: resume that, or delete"):
        mpc.simulate(program, checkpoints=cut)
    np.testing.assert_allclose(resume(cut), 3 / 16, atol=2**-14)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(CheckpointError, match="no party has anything to resume from"):
        resume(tmp_path / "new")


def test_a_resumed_program_that_never_asks(cut):
    def silent(party):
        return 1

    silent.__qualname__ = "program"
    with pytest.raises(CheckpointError, match="never called"):
        mpc.simulate(silent, checkpoints=cut, resume=True)


def test_one_run_at_a_time(cut):
    holder = Folder(cut, 1, FACTS | {"program": "program"})
    refused(cut, "party 1, .* is in use by another run")
    holder.close()
    resume(cut)


def test_halves_of_a_killed_process_are_cleared(cut):
    half = cut / "party-0" / ".checkpoint-4.0123456789abcdef"
    half.write_bytes(b"half")
    resume(cut)
    assert not half.exists()


def test_parties_at_different_numbers_are_told(tmp_path):
    def program(party):
        party._checkpoints._number += party.index
        party.checkpoint({})

    with pytest.raises(mpc.Error, match="number 1, and party 1 is at number 2"):
        mpc.simulate(program, checkpoints=tmp_path)


# ------------------------------------------------------------------ disk full


def test_a_full_disk_names_party_and_file_and_keeps_the_last(tmp_path, monkeypatch):
    """At every write of either party; the next run goes on from what was complete."""
    written = files.write_private
    for party in (0, 1):
        for number in (1, 2, 3):
            root = tmp_path / f"{party}-{number}"

            def full(path, parts, replace, party=party, number=number):
                if path.parent.name == f"party-{party}" and path.name == f"checkpoint-{number}":
                    next(iter(parts))
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written(path, parts, replace)

            with monkeypatch.context() as patch:
                patch.setattr(share_files, "write_private", full)
                with pytest.raises(
                    CheckpointError, match=f"party {party}, .*party-{party}/checkpoint-{number} cannot be .*No space"
                ):
                    mpc.simulate(program, checkpoints=root)
            assert (root / "party-0" / f"checkpoint-{number - 1}").exists() == (number > 1)
            np.testing.assert_allclose(resume(root), 3 / 16, atol=2**-14)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KB, where this process may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk):
    def grow(party, full, ballast):
        state = {"n": 0, "x": party.constant(np.arange(1000))}
        while state["n"] < 3:
            state = party.checkpoint(state)
            if full and state["n"] == 1 and party.index == 0:
                with pytest.raises(OSError, match="No space"), Path(ballast).open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(1000))
            state = {"n": state["n"] + 1, "x": state["x"] + 1}
        return state["x"].reveal()

    ballast = small_disk / "ballast"
    with pytest.raises(
        CheckpointError, match=r"party [01], .*checkpoint-3 cannot be written: No space left on device; nothing is lost"
    ):
        mpc.simulate(grow, True, str(ballast), checkpoints=small_disk / "c")
    assert not list(small_disk.rglob(".*"))
    ballast.unlink()
    for result in mpc.simulate(grow, False, str(ballast), checkpoints=small_disk / "c", resume=True):
        np.testing.assert_array_equal(result, np.arange(1000) + 3)


# ------------------------------------------------------------------ anything at all in the files

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KINDS = ("value", "bytes", "array", "scalar", "tensor", "dict", "list", "tuple", "object", "none such")
NODES = st.recursive(
    st.tuples(st.sampled_from(KINDS), JSON).map(list)
    | st.tuples(
        st.just("array"), st.sampled_from(["int8", "object", "float64", "V3"]), st.lists(st.integers(-1, 9), max_size=2)
    ).map(list)
    | st.tuples(
        st.just("tensor"), st.sampled_from(["int", "bool", "x"]), JSON, st.lists(st.integers(-1, 4)), st.integers(-1, 3)
    ).map(list),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda nodes: ["list", nodes])
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda nodes: ["dict", nodes])
    ),
    max_leaves=6,
)
ARRAYS = st.lists(st.binary(max_size=40).map(lambda b: np.frombuffer(b, np.uint8)), max_size=3)


@pytest.fixture(scope="module")
def context():
    found = []
    mpc.simulate(lambda party: found.append(Context(protocol_of(party), 16)))
    return found[0]


@given(tree=NODES | JSON, arrays=ARRAYS)
@settings(max_examples=300)
def test_any_tree_under_the_right_key_is_read_or_refused(context, tree, arrays):
    """Also what has the right key: a newer version's, say."""
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    with contextlib.suppress(Error):
        load([text, *arrays], context)


@given(content=st.binary(max_size=300), begin=st.sampled_from([b"", share_files.MAGIC, share_files.MAGIC + b"\x02\0\0\0{}"]))
@settings(max_examples=200)
def test_any_bytes_in_place_of_a_file_are_refused(tmp_path_factory, content, begin):
    root = tmp_path_factory.mktemp("any")
    folder = Folder(root, 0, FACTS)
    folder.begin(0, 0)
    folder.close()
    for name in ("run", "checkpoint-1"):
        place = root / "party-0" / name
        kept = place.read_bytes() if place.exists() else None
        place.write_bytes(begin + content)
        with pytest.raises(StateError):
            again = Folder(root, 0, FACTS)
            try:
                again.kept()
            finally:
                again.close()
        if kept is not None:
            place.write_bytes(kept)


@given(header=st.dictionaries(st.sampled_from(["used", "finished", "number", "attempt", "arrays"]), JSON, max_size=5))
@settings(max_examples=100)
def test_any_header_under_the_right_key_is_read_or_refused(tmp_path_factory, header):
    root = tmp_path_factory.mktemp("any")
    folder = Folder(root, 0, FACTS)
    folder.begin(0, 0)
    key = (root / "party-0" / "key").read_bytes()
    folder.close()
    for name in ("run", "checkpoint-1"):
        place = root / "party-0" / name
        kept = place.read_bytes() if place.exists() else None
        share_files.write(place, key, {**folder._facts, **header}, [])
        try:
            again = Folder(root, 0, FACTS)
            try:
                _ = again.status, again.used, again.kept()
            finally:
                again.close()
        except Error:
            pass
        if kept is not None:
            place.write_bytes(kept)


@given(claim=st.binary(min_size=agreement._LAYOUT.size, max_size=agreement._LAYOUT.size))
def test_any_claim_of_a_peer_is_read_or_refused(claim):
    try:
        theirs = Claim.decode(np.frombuffer(claim, np.uint8))
        agree([theirs, Claim(bytes(16), theirs.resume, Status.CUT_OFF, 5, ((1, bytes(16)),))])
    except Error:
        pass


# ------------------------------------------------------------------ what the parties conclude


def claim(status=Status.CUT_OFF, used=10, kept=(), resume=True):
    return Claim(b"n" * 16, resume, status, used, tuple((n, bytes([a]) * 16) for n, a in kept))


def test_the_latest_that_all_have():
    plan = agree([claim(kept=[(6, 1), (7, 1)], used=30), claim(kept=[(6, 1)], used=90), claim(kept=[(5, 1), (6, 1)])])
    assert (plan.checkpoint, plan.used) == (6, 90)
    assert agree([claim(kept=[(1, 1)]), claim()]).checkpoint == 0
    assert agree([claim(Status.EMPTY, 0), claim(used=7)]).used == 7
    assert agree([claim(Status.FINISHED, kept=[(4, 1)]), claim(kept=[(4, 1)])]).checkpoint == 4


def test_the_same_number_of_another_attempt_is_another_checkpoint():
    """Party 0 wrote number 7 before the first crash, party 1 after it: they do not belong together."""
    assert agree([claim(kept=[(6, 1), (7, 1)]), claim(kept=[(6, 1), (7, 2)])]).checkpoint == 6


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ([claim(resume=False), claim()], "party 0 begins anew, party 1 resumes: all parties must"),
        ([claim(Status.EMPTY), claim(Status.EMPTY)], "no party has anything"),
        ([claim(Status.FINISHED), claim(Status.FINISHED)], "has finished"),
        ([claim(kept=[(3, 1)]), claim(kept=[(5, 1)])], r"party 0: \[3\]; party 1: \[5\]"),
        ([claim(resume=False), claim(kept=[(1, 1)], resume=False)], "party 1 holds checkpoints"),
        ([claim(Status.FINISHED, kept=[(1, 1)], resume=False), claim(resume=False)], "party 0 holds checkpoints"),
    ],
)
def test_no_common_ground(claims, text):
    with pytest.raises(CheckpointError, match=text):
        agree(claims)


def test_a_mark_that_cannot_be_written_does_not_cost_the_results(tmp_path, monkeypatch):
    def fail(self):
        raise CheckpointError("full")

    monkeypatch.setattr(folders.Folder, "finish", fail)
    np.testing.assert_allclose(mpc.simulate(program, checkpoints=tmp_path), 3 / 16, atol=2**-14)
