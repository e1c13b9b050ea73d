"""A crash at every message and at every file that is written: the resumed run uses nothing twice, and gives the same."""

import threading

import pytest

from mpc.checkpoints import folder as folders
from mpc.errors import CheckpointError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.randomness import Stream
from mpc.testing.faults import Killed
from mpc.transport.wrapper import Wrapper

ROUNDING = 2.0**-12  # of a weight after a few steps: each adds a few units of 2^-16
SEED = 11


class Mortal(Wrapper):
    """Its endpoint dies as it is about to send or receive message number `life`; what was sent before is on its way."""

    def __init__(self, inner, life):
        super().__init__(inner)
        self._life, self.passed = life, 0

    def _pass(self):
        if self.passed == self._life:
            raise Killed
        self.passed += 1

    def send(self, to, header, payload=()):
        self._pass()
        super().send(to, header, payload)

    def receive(self, sender, timeout):
        self._pass()
        return super().receive(sender, timeout)


class Draws:
    """Every (seed, purpose, number) that was drawn, for `simulate_job`."""

    def __init__(self):
        self.names = set()

    def __call__(self, seed):
        return _Recording(seed, self.names)


class _Recording(Stream):
    def __init__(self, seed, names):
        super().__init__(seed)
        self._names, self._whose = names, seed

    def draw(self, purpose, number, shape, dtype="uint64"):
        self._names.add((self._whose, purpose, number))
        return super().draw(purpose, number, shape, dtype)


class Case:
    """One run that is cut off, perhaps, and resumed."""

    def __init__(self, training, folder, parties, epochs):
        self.parties, self.epochs, self.drawn = parties, epochs, []
        self._training, self._folder = training, folder

    def play(self, resume, wrap=lambda transport: transport, seed=SEED, **more):
        """Results by party; `skips` says where it went on, and above which number."""
        notes, draws = [], Draws()
        self.drawn.append(draws.names)
        options = {"parties": self.parties, "seed": seed, "checkpoints": self._folder, "resume": resume, **more}
        job = Job(self._training, (self.epochs, lambda *heard: notes.append(heard)), **options)
        try:
            outcomes = simulate_job(job, draws, wrap)
        finally:
            self.skips = dict(notes[1:2] if notes and notes[0][0] else notes[:1]) if resume else {}
        return [result for result, _ in outcomes[: self.parties]]

    def used_twice(self):
        return set.intersection(*self.drawn)


def resumed(case, crash):
    """The results after a crash, and whether there was anything to resume."""
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the error of whoever was first
        crash()
    try:
        return case.play(resume=True)
    except CheckpointError as error:
        assert "anything to resume" in str(error)  # nobody had begun
        return case.play(resume=False)


def lengths(training, tmp_path, parties, epochs):
    """How many messages pass each endpoint in a run."""
    wrapped = {}
    case = Case(training, tmp_path / "whole", parties, epochs)
    case.play(resume=False, wrap=lambda t: wrapped.setdefault(t.index, Mortal(t, -1)))
    return [wrapped[k].passed for k in sorted(wrapped)]


@pytest.mark.parametrize(("parties", "epochs", "stride"), [(2, 2, 1), (3, 3, 17)])
def test_a_crash_at_every_message(training, agree, reference, tmp_path, parties, epochs, stride):
    """Of each party and of the dealer. Bit for bit as an uninterrupted run that skips the same numbers."""
    moments = [(who, k) for who, n in enumerate(lengths(training, tmp_path, parties, epochs)) for k in range(0, n, stride)]
    began_at = set()
    for who, life in moments:
        case = Case(training, tmp_path / f"{who}-{life}", parties, epochs)
        results = resumed(case, lambda c=case, w=who, k=life: c.play(False, lambda t: Mortal(t, k) if t.index == w else t))
        agree(results, reference(SEED, parties, epochs), ROUNDING)
        agree(results, reference(SEED, parties, epochs, case.skips.items()))
        assert case.skips == {} or not case.used_twice(), (who, life)
        began_at |= case.skips.keys()
    assert began_at == set(range(epochs + 1))  # from the beginning, and from every checkpoint


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_every_file(training, agree, reference, tmp_path, monkeypatch, moment):
    """Just before a file gets its name, and just after: of either party."""
    count = 0
    original = folders.Folder._write
    for number in range(2 * (2 + 3)):  # each party: the run, three checkpoints, the end
        case = Case(training, tmp_path / f"{moment}-{number}", 2, 3)
        lock, left = threading.Lock(), [number]

        def write(self, *arguments, lock=lock, left=left):
            with lock:
                left[0] -= 1
                last = left[0] < 0
            if not last or moment == "after":
                original(self, *arguments)
            if last:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(folders.Folder, "_write", write)
            with pytest.raises(BaseException):  # noqa: B017, PT011
                case.play(resume=False)
        try:
            results = case.play(resume=True)
        except CheckpointError as error:
            assert "anything to resume" in str(error) or "has finished" in str(error)
            continue
        count += 1
        agree(results, reference(SEED, 2, 3, case.skips.items()))
        assert not case.used_twice()
    assert count >= 6


def test_crash_upon_crash(training, agree, reference, tmp_path):
    """Each resumed run is cut off in turn, after a little more: no number comes back, and the end is the same."""
    case, skips = Case(training, tmp_path / "run", 2, 5), {}
    for life in (60, 10, 30, 40, 35):
        with pytest.raises(BaseException):  # noqa: B017, PT011
            case.play(bool(case.drawn), lambda t, k=life: Mortal(t, k) if t.index == 1 else t)
        skips |= case.skips
    results = case.play(resume=True)
    agree(results, reference(SEED, 2, 5), ROUNDING)
    agree(results, reference(SEED, 2, 5, (skips | case.skips).items()))
    assert sum(map(len, case.drawn)) == len(set.union(*case.drawn))


def test_without_a_seed_nothing_is_the_same(training, agree, reference, tmp_path):
    case = Case(training, tmp_path / "run", 2, 3)
    with pytest.raises(BaseException):  # noqa: B017, PT011
        case.play(False, lambda t: Mortal(t, 70) if t.index == 0 else t, seed=None)
    agree(case.play(True, seed=None), reference(SEED, 2, 3), ROUNDING)
    assert not case.used_twice()


def test_with_integrity_and_a_checked_dealer(training, agree, reference, tmp_path):
    case, options = Case(training, tmp_path / "run", 3, 3), {"integrity": True, "check_dealer": 1}
    with pytest.raises(BaseException):  # noqa: B017, PT011
        case.play(False, lambda t: Mortal(t, 150) if t.index == 2 else t, **options)
    agree(case.play(True, **options), reference(SEED, 3, 3), ROUNDING)
    assert case.skips


def test_messages_are_compared_before_a_state_is_kept(tmp_path):
    """What was altered on its way to a party would otherwise be in the state of a run that cannot notice any more."""
    compared = []

    def program(party):
        folder = party._checkpoints._folder
        folder.write = lambda *arguments: compared.append(party._endpoint._transcript.empty)
        x = party.constant(3.0)
        party.checkpoint({"x": (x * x).truncate()})

    simulate_job(Job(program, parties=3, integrity=True, checkpoints=tmp_path))
    assert compared == [True] * 3


def test_numbers_are_claimed_in_blocks_before_they_are_used(training, tmp_path, monkeypatch):
    """With small blocks there are many; whatever was drawn is below what the files say."""
    monkeypatch.setattr(folders, "BLOCK", 5)
    claims = []
    original = folders.Folder.claim
    monkeypatch.setattr(folders.Folder, "claim", lambda self, number: claims.append(original(self, number)) or claims[-1])
    case = Case(training, tmp_path / "run", 2, 3)
    case.play(resume=False)
    assert len(claims) > 10
    assert max(number for _, _, number in case.drawn[0]) <= max(claims)
