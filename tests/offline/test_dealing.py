"""A run with dealt files gives what one with a live dealer gives, and each record serves one run."""

from dataclasses import replace

import numpy as np
import pytest

import mpc
from mpc.dry import dealing
from mpc.errors import DealtFileError, DesyncError, DryRunError, IntegrityError, OptionError
from mpc.launch.job import Job, job_digest
from mpc.launch.run import execute
from mpc.launch.simulate import simulate_job

CLOSE = 1e-3
RESULTS = [("product", CLOSE), ("comparison", CLOSE), ("whole_numbers", 0), ("functions", CLOSE), ("secret_order", CLOSE)]


def same(dealt, live, tolerance):
    """The same results at each party; each is a tuple of arrays, or one."""
    for mine, theirs in zip(dealt, live, strict=True):
        np.testing.assert_allclose(flat(mine), flat(theirs), 0, tolerance)


def flat(result):
    return np.concatenate([np.ravel(array) for array in result])


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("name, tolerance", RESULTS)
def test_results_are_those_with_a_live_dealer(dealt, programs, name, tolerance, parties):
    program = getattr(programs, name)
    same(dealt(program, parties=parties).run(), mpc.simulate(program, parties=parties), tolerance)


def test_training_with_public_shuffling_in_several_runs(dealt, programs):
    deal = dealt(programs.training, True, runs=3)
    live = mpc.simulate(programs.training)[0]
    runs = [deal.run()[0] for _ in range(3)]
    assert all(run.shape == live.shape and 0.1 < run.mean() < 3 for run in [live, *runs])  # initial weights are random
    assert len({tuple(run) for run in runs}) > 1  # each has an order of its own


def test_what_follows_from_public_randomness(dealt, programs):
    for parties in (2, 3):
        deal = dealt(programs.public_order, parties=parties, runs=2, folder=f"deal{parties}")
        for rows in (deal.run()[0], deal.run()[0]):
            assert all(np.abs(programs.X - row).max(axis=1).min() < CLOSE for row in rows)
        assert deal.dealing.dry.drew_jointly
    dealt(programs.clusters, folder="clusters").run()


def test_in_processes_and_with_integrity(dealt, programs):
    deal = dealt(programs.whole_numbers, parties=3, integrity=True)
    outcome = execute(deal.dealt_job)
    same(outcome.results, mpc.simulate(programs.whole_numbers, parties=3), 0)
    assert len(outcome.stats) == 3  # no dealer took part


def test_costs_are_those_of_a_live_run_but_for_requests(dealt, programs):
    deal = dealt(programs.comparison)
    live = [stats.total for _, stats in simulate_job(deal.job)]
    mine = [stats.total for _, stats in simulate_job(deal.dealt_job)]
    for a, b in zip(mine, live[:2], strict=True):
        assert (a.rounds, a.bytes_sent, a.offline_bytes) == (b.rounds + 1, b.bytes_sent + 24, b.offline_bytes)
        assert a.header_bytes < b.header_bytes


def test_corrections_go_to_the_last_party_alone(dealt, programs):
    deal = dealt(programs.comparison, parties=3, runs=2)
    first, second, last = deal.dealing.sizes
    assert first == second < 2000 and last > 2 * deal.dealing.dry.stats[2].total.offline_bytes
    assert deal.dealing.sizes == [path.stat().st_size for path in deal.paths]


def test_files_and_runs_have_fresh_secrets(dealt, programs):
    a, b = dealt(programs.product, runs=2), dealt(programs.product, folder="other")
    seeds = set()
    for deal, runs in ((a, 2), (b, 1)):
        for party in range(2):
            opened = deal.open(party)
            seeds |= {opened.claim(run).seed for run in range(runs)}
            opened.close()
    assert len(seeds) == 6


def test_a_used_record_is_never_used_again(dealt, programs):
    deal = dealt(programs.product, runs=2)
    deal.run(), deal.run()
    with pytest.raises(DealtFileError, match=r"all 2 runs .* are used; let the dealer deal more"):
        deal.run()
    opened = deal.open()
    with pytest.raises(DealtFileError, match=r"run 1 .* is used"):
        opened.claim(1)
    opened.close()


def test_a_failed_run_is_burnt(dealt):
    def program(party):
        party.input(np.ones(2) if party.index == 0 else None, owner=0, shape=(2,))
        if party.index == 0:
            raise ValueError("stop")

    deal = dealt(program)
    with pytest.raises(ValueError, match="stop"):
        deal.run()
    with pytest.raises(DealtFileError, match="are used"):
        deal.run()


@pytest.mark.parametrize("restored", [0, 1])
def test_restored_ledgers_are_caught_by_the_other_party(dealt, programs, kept, restored):
    """Both of one party's, from a backup of its whole machine; then they are lost."""
    deal = dealt(programs.product, runs=4)
    path = deal.paths[restored]
    ledgers = [path.with_name(f"{path.name}.ledger"), kept / f"{deal.dealing.deal}-{restored}.ledger"]
    deal.run()
    backup = [ledger.read_bytes() for ledger in ledgers]
    deal.run(), deal.run()
    for ledger, content in zip(ledgers, backup, strict=True):
        ledger.write_bytes(content)
    deal.run()  # the fourth run, not the second
    with pytest.raises(DealtFileError, match="are used"):
        deal.run()
    for ledger in ledgers:
        ledger.unlink()
    with pytest.raises(DealtFileError, match="are used"):
        deal.run()


def moved(path, folder):
    return path.rename(folder / path.name)


def renamed(path, folder):
    return path.rename(path.with_name(f"{path.name}.2"))


def copied(path, folder):
    (folder / path.name).write_bytes(path.read_bytes())
    return folder / path.name


def linked(path, folder):
    (folder / path.name).hardlink_to(path)
    return folder / path.name


def pointed_at(path, folder):
    (folder / path.name).symlink_to(path)
    return folder / path.name


@pytest.mark.parametrize("how", [moved, renamed, copied, linked, pointed_at])
def test_all_parties_take_their_files_elsewhere(dealt, programs, tmp_path, how):
    """The ledgers beside them stay behind: none of the parties has one there."""
    deal = dealt(programs.product, runs=2)
    (tmp_path / "elsewhere").mkdir()
    deal.run()
    deal.paths = [how(path, tmp_path / "elsewhere") for path in deal.paths]
    assert not [path for path in deal.paths if path.with_name(f"{path.name}.ledger").exists()]
    for party in range(2):
        opened = deal.open(party)
        assert opened.position() == 1
        with pytest.raises(DealtFileError, match=r"run 0 .* is used"):
            opened.claim(0)
        opened.close()
    deal.run()  # the second one
    with pytest.raises(DealtFileError, match=r"all 2 runs .* are used"):
        deal.run()


def test_a_desynchronised_party_is_named_and_its_folders_are_not(dealt, programs):
    deal = dealt(programs.product)
    opened = deal.open(1)
    record = opened.claim(0)
    with pytest.raises(DesyncError) as asked:
        record.request("other", [])
    with pytest.raises(DesyncError) as waited:
        record.correction("other", [])
    opened.close()
    for error in (asked, waited):
        text = str(error.value)
        assert text.startswith("the program of party 1 ") and " party1.deal " in text and str(deal.paths[1].parent) not in text


def test_other_programs_and_options_are_refused(dealt, programs):
    deal = dealt(programs.training, True)
    other = {"program": programs.product, "args": ()}
    for change in (other, {"fraction_bits": 15}, {"network": "wan"}, {"check_dealer": 1}):
        with pytest.raises(DealtFileError, match="dealt for another program"):
            simulate_job(replace(deal.dealt_job, **change))
    assert not deal.paths[0].with_name("party0.deal.ledger").exists()  # none of this used anything
    three = replace(deal.dealt_job, parties=3, dealt=deal.dealt_job.dealt + deal.dealt_job.dealt[:1])
    with pytest.raises(DealtFileError, match=r"another (party number|number of parties)"):
        simulate_job(three)
    with pytest.raises(OptionError, match="each has its own"):
        replace(deal.dealt_job, parties=3)
    with pytest.raises(OptionError, match="burnt"):
        replace(deal.dealt_job, checkpoints="folder", resume=True)


def test_another_course_of_the_same_program_stops_at_its_first_request(dealt):
    """The digest of a function is its name: what it does differs by what the dry run could not see."""

    def program(party):
        x = party.input(np.arange(3) if party.index == 0 else None, owner=0, shape=(3,))  # integers, without dtype=int
        return (x * x).reveal()

    deal = dealt(program)
    with pytest.raises(DesyncError, match=r"request \d, where .* was dealt for .*dtype="):
        deal.run()


def test_other_values_in_a_request_of_the_same_name_stop_too(dealt):
    """Rows that the program chooses by itself travel in requests: others are another program."""
    rows = [3, 1, 2, 0]

    def program(party):
        x = party.input(np.arange(4.0) if party.index == 0 else None, owner=0, shape=(4,))
        return (x * x[rows]).reveal()

    deal = dealt(program, runs=2)
    deal.run()
    rows.reverse()
    with pytest.raises(DesyncError, match=r"'deal.products', of other shapes or values"):
        deal.run()


def test_files_of_two_deals_do_not_mix(dealt, programs):
    a, b = dealt(programs.product), dealt(programs.product, folder="other")
    mixed = replace(a.dealt_job, dealt=(a.dealt_job.dealt[0], b.dealt_job.dealt[1]))
    with pytest.raises(DealtFileError, match="different deals"):
        simulate_job(mixed)
    assert not list(a.paths[0].parent.glob("*.ledger"))


def test_a_dealer_that_deals_wrongly_ahead_of_time_is_found(dealt, programs, monkeypatch):
    right = dealt(programs.product, parties=3, check_dealer=2, folder="right").run()
    same(right, mpc.simulate(programs.product, parties=3), CLOSE)
    frame = dealing.correction_frame

    def altered(deal, sender, number, label, arrays):
        return frame(deal, sender, number, label, [array ^ array.dtype.type(1) for array in arrays])

    monkeypatch.setattr(dealing, "correction_frame", altered)
    with pytest.raises(IntegrityError, match="the dealer deals wrongly"):
        dealt(programs.product, check_dealer=2).run()


def test_what_cannot_be_dealt_leaves_nothing(dealt, programs, tmp_path):
    with pytest.raises(OptionError, match="needs no dealer"):
        dealt(programs.product, protocol="plaintext")
    with pytest.raises(OptionError, match="runs=0"):
        dealt(programs.product, runs=0, folder="none")

    def fails_later(party):
        if party.random.random() > -1 and len(list(tmp_path.glob("later/.party*"))):
            party.announce(None, owner=0)

    with pytest.raises(DryRunError):
        dealt(fails_later, runs=2, folder="later")
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []


def test_a_file_is_never_written_over(dealt, programs, monkeypatch):
    deal = dealt(programs.product)
    before = [path.read_bytes() for path in deal.paths]
    monkeypatch.setattr("pathlib.Path.mkdir", lambda *args, **kwargs: None)
    with pytest.raises(DealtFileError, match="exists already"):
        dealt(programs.product)
    deal.paths[0].unlink()
    with pytest.raises(DealtFileError, match="exists already"):
        dealt(programs.product)
    assert not deal.paths[0].exists() and deal.paths[1].read_bytes() == before[1]


def test_the_digest_is_of_program_and_options_and_not_of_a_hosts_own_arguments(tmp_path):
    from mpc.launch.program import ProgramFile

    a, b = tmp_path / "a.py", tmp_path / "b.py"
    a.write_text("def main(party): pass\n")
    b.write_text("def main(party): pass\n")
    job = Job(ProgramFile(str(a)), ("1",))
    assert job_digest(job) == job_digest(Job(ProgramFile(str(b)), ("1",), network="none"))
    b.write_text("def main(party): return\n")
    assert job_digest(job) == job_digest(replace(job, args=("my/own/path",)))
    assert job_digest(replace(job, network="wan")) == job_digest(replace(job, network="40ms,352mbit"))
    changes = ({"fraction_bits": 12}, {"check_dealer": 1}, {"parties": 3}, {"network": "wan"}, {"network": "wan,dealer=lan"})
    others = [Job(ProgramFile(str(b)), ("1",)), *(replace(job, **change) for change in changes)]
    assert len({job_digest(each) for each in [job, *others]}) == 7
