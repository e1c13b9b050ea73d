"""A dry run needs no data and no peers, and tells exactly what a run will cost."""

from dataclasses import fields

import numpy as np
import pytest

import mpc
from mpc import nn
from mpc.dry import Unknown, dry_run
from mpc.errors import DryRunError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Cost

PROGRAMS = "product comparison whole_numbers training functions to_one public_order secret_order checkpoints"
OPTIONS = [{"network": "2ms"}, {"integrity": True}, {"integrity": True, "parties": 3}, {"check_dealer": 1}]


def counted(cost):
    return {f.name: getattr(cost, f.name) for f in fields(Cost) if "seconds" not in f.name}


def totals(stats):
    return [counted(each.total) for each in stats]


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize(
    "name",
    ["product", "comparison", "whole_numbers", "training", "functions", "to_one", "public_order", "secret_order", "checkpoints"],
)
def test_costs_are_those_of_a_run(programs, name, parties):
    job = Job(getattr(programs, name), (), parties)
    dry, real = dry_run(job), [stats for _, stats in simulate_job(job)[:parties]]
    assert totals(dry.stats) == totals(real)
    for mine, theirs in zip(dry.stats, real, strict=True):
        assert {n: counted(c) for n, c in mine.operations.items()} == {n: counted(c) for n, c in theirs.operations.items()}
        assert {n: counted(s.total) for n, s in mine.scopes.items()} == {n: counted(s.total) for n, s in theirs.scopes.items()}


@pytest.mark.parametrize("options", OPTIONS)
def test_costs_follow_the_options(programs, options):
    job = Job(programs.comparison, (), **options)
    assert totals(dry_run(job).stats) == totals([stats for _, stats in simulate_job(job)[: job.parties]])
    assert totals(dry_run(job).stats) != totals(dry_run(Job(programs.comparison)).stats)


def test_the_reference_protocol_runs_dry_too(programs):
    job = Job(programs.comparison, protocol="plaintext")
    dry = dry_run(job)
    assert totals(dry.stats) == totals([stats for _, stats in simulate_job(job)])
    assert dry.requests == [[], []]


def test_the_program_owns_nothing_and_sees_unknowns():
    seen = []

    def program(party):
        x = party.input(None if party.index == -1 else 1 / 0, owner=0, shape=(3, 2))
        seen.append((party.index, party.size))
        return x.reveal(), x.sum().reveal(), (x > 0).reveal(), x.reveal(to=0), x.reveal(to=[0, 1])

    everything, number, booleans, to_one, to_all = dry_run(Job(program)).result
    assert seen == [(-1, 2), (-1, 2)]
    assert isinstance(everything, Unknown) and (everything.shape, everything.dtype) == ((3, 2), np.float64)
    assert (number.shape, booleans.dtype) == ((), np.bool_)
    assert to_one is None and to_all.shape == (3, 2)


def test_a_value_that_the_program_has_gives_its_shape_and_dtype():
    result = dry_run(Job(lambda party: [t.reveal() for t in party.inputs([np.arange(3), np.ones((2, 2), bool)], owner=1)])).result
    assert [(r.shape, r.dtype.name) for r in result] == [((3,), "int64"), ((2, 2), "bool")]


@pytest.mark.parametrize(
    "lines, cure",
    [
        ("party.input(None, owner=0)", "give its shape"),
        ("party.inputs(None, owner=0)", "give shapes="),
        ("party.announce(None, owner=0)", "give its shape"),
        ("if party.input(None, 0, (3,)).sum().reveal() > 1: pass", "np.where and comparisons work on secrets"),
        ("float(party.input(None, 0, ()).reveal())", "f-strings"),
        ("x = party.input(None, 0, (3,)); x[x.reveal(), None]", "has to be known"),
        ("x = party.input(None, 0, (3,)); x * x.reveal()", "party.constant(value)"),
    ],
)
def test_what_needs_a_value_names_the_line_and_the_cure(tmp_path, lines, cure):
    path = tmp_path / "program.py"
    path.write_text(f"def main(party):\n    {lines}\n")
    from mpc.launch.program import ProgramFile

    with pytest.raises(DryRunError) as error:
        dry_run(Job(ProgramFile(str(path))))
    assert f"{path}:2: `{lines}`" in str(error.value) and cure in str(error.value)


def test_shapes_and_dtypes_are_checked_in_a_real_run():
    def program(party, shape, dtype):
        return party.input(np.ones((2, 3)) if party.index == 0 else None, owner=0, shape=shape, dtype=dtype).reveal()

    assert mpc.simulate(program, (2, 3), float)[1].shape == (2, 3)
    with pytest.raises(mpc.errors.ShapeError, match="shape="):
        mpc.simulate(program, (3, 2), None)
    with pytest.raises(mpc.errors.UsageError, match="dtype=int"):
        mpc.simulate(program, None, int)
    with pytest.raises(mpc.errors.UsageError, match="cannot be secret"):
        mpc.simulate(program, None, complex)


def test_public_randomness_is_true_and_that_of_its_seed(programs):
    seen = []

    def program(party):
        seen.append(party.random.permutation(50).tolist())

    for parties in (2, 3):
        seen.clear()
        dry = dry_run(Job(program, (), parties), bytes(32))
        assert dry.drew_jointly and all(order == seen[0] for order in seen)
        dry_run(Job(program, (), parties), bytes(31) + b"1")
        assert seen[-1] != seen[0]
    assert not dry_run(Job(programs.product)).drew_jointly


def test_announced_values_are_known_where_the_program_hands_them_over():
    def program(party):
        rows = party.announce(7 if party.index in (0, -1) else None, owner=0)
        means = party.announce(np.ones(3) if party.index == 1 else None, owner=1, shape=(3,))
        return party.input(None if party.index else np.ones(7), owner=0, shape=(int(rows),)).sum().reveal(), means + 1

    job = Job(program)
    dry = dry_run(job)
    assert isinstance(dry.result[1], Unknown)
    assert totals(dry.stats) == totals([stats for _, stats in simulate_job(job)[:2]])


def test_a_dry_run_writes_no_share_files(programs, tmp_path):
    def program(party):
        nn.save({"x": programs.features(party)}, tmp_path / "shares")

    job = Job(program)
    dry = dry_run(job)
    assert list(tmp_path.iterdir()) == []
    assert totals(dry.stats) == totals([stats for _, stats in simulate_job(job)[:2]])
    with pytest.raises(DryRunError, match="no share files"):
        dry_run(Job(lambda party: nn.load(party, tmp_path / "shares")))


def test_rows_of_several_owners(programs):
    def program(party):
        return nn.data.by_rows(party, programs.X[party.index :], shapes=[(24, 5), (23, 5)]).sum().reveal()

    job = Job(program)
    assert totals(dry_run(job).stats) == totals([stats for _, stats in simulate_job(job)[:2]])
    with pytest.raises(mpc.errors.ShapeError, match="1 shapes for 2 owners"):
        mpc.simulate(lambda party: nn.data.by_rows(party, programs.X, shapes=[(24, 5)]))
