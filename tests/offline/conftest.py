"""Dealt files of small programs, for all parties on one machine."""

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mpc.dry import Dealing, Recipient, deal
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.offline import DealtAt, Expectation, open_dealt
from mpc.offline.sealing import public_of
from mpc.randomness import new_seed


@dataclass
class Dealt:
    """The files of one deal, and the keys that open them."""

    job: Job
    dealing: Dealing
    paths: list[Path]
    keys: list[bytes]
    dealer: bytes

    @property
    def dealt_job(self):
        places = zip(self.paths, self.keys, strict=True)
        return replace(self.job, dealt=tuple(DealtAt(str(path), key, public_of(self.dealer)) for path, key in places))

    def run(self):
        """The parties' results of the next run."""
        return [result for result, _ in simulate_job(self.dealt_job)]

    def open(self, party=0, **expected):
        facts = {"index": party, "parties": self.job.parties, "protocol": "additive", **expected}
        return open_dealt(self.paths[party], self.keys[party], public_of(self.dealer), Expectation(**facts))


@pytest.fixture(autouse=True)
def kept(tmp_path_factory, monkeypatch):
    """The user's ledgers of this test."""
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return state / "mpc" / "ledgers"


@pytest.fixture
def dealt(tmp_path):
    """dealt(program, runs=1, ...): its dealt files, in a folder of their own."""

    def make(program, *args, runs=1, parties=2, folder="deal", **options):
        job = Job(program, args, parties, **options)
        keys, dealer = [new_seed() for _ in range(parties)], new_seed()
        (tmp_path / folder).mkdir()
        paths = [tmp_path / folder / f"party{index}.deal" for index in range(parties)]
        recipients = [Recipient(path.stem, public_of(key), path) for path, key in zip(paths, keys, strict=True)]
        return Dealt(job, deal(job, recipients, dealer, runs), paths, keys, dealer)

    return make


@pytest.fixture(scope="session")
def programs():
    """programs.py, beside this file."""
    spec = importlib.util.spec_from_file_location("offline_programs", Path(__file__).with_name("programs.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
