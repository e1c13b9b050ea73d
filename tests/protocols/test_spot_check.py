"""The spot check of the dealer: whoever deals wrongly is caught unless it guesses which version is real."""

import numpy as np
import pytest

import mpc
from mpc.contract import MULTIPLY, Exponential, Waves
from mpc.errors import IntegrityError, OptionError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.testing import protocol_of, share_input
from mpc.testing.recording import Recorder
from protocols.additive import Additive
from protocols.additive.correlations import Correlation
from protocols.additive.curve_correlations import Harmonics, Powers
from protocols.additive.dealer import Dealer

SEEDS = range(64)
WAVES = [Waves(24, (0.5, 1.0, 0.25, 0.125), (0.0, 0.5, 0.5, 0.5), 24)]
CURVE = Exponential(16, 0, 17, 3, 30)
WORDS = np.arange(8, dtype=np.uint64) << np.uint64(16)
TRUTH = np.array([True, False] * 4)


def wrong_dealer(label, version, by=1):
    """The protocol with a dealer that adds something to all of what it deals for one kind of correlation, in one version."""

    class Wrong(Dealer):
        def _deal(self, asked):
            arrays = super()._deal(asked)
            if asked.correlation.label == label:
                place = version * len(asked.specs)
                array = arrays[place]
                arrays[place] = array ^ 0xFF if array.dtype == np.uint8 else array + array.dtype.type(by)
            return arrays

    class Misled(Additive):
        @classmethod
        def dealer(cls):
            return lambda endpoint: Wrong(endpoint).serve()

    return Misled


def at_least(p, x, b):
    return p.at_least(x, np.zeros((1, *x.shape), np.uint64))


KINDS = {
    "products": lambda p, x, b: p.bilinear(MULTIPLY, x, x),
    "truncation": lambda p, x, b: p.truncate([(x, 16)])[0],
    "and": lambda p, x, b: p.and_(b, share_input(p, TRUTH, 1)),
    "digits": at_least,
    "conjunctions": at_least,
    "selections": lambda p, x, b: p.select([(b, x)])[0],
    "one_hot": lambda p, x, b: p.one_hot(x, 4),
    "harmonics": lambda p, x, b: p.waves(x, WAVES)[0],
    "powers": lambda p, x, b: p.exponential(x, CURVE),
    "shuffle": lambda p, x, b: p.shuffle([x])[0],
}


def play(operation, protocol=Additive, n=2, seed=0, **options):
    """(result at party 0, or the error; which version was real; what was revealed by then)."""
    real, revealed = {}, []

    def program(party):
        p = protocol_of(party)
        real[0] = p._source._versions._real
        result = operation(p, share_input(p, WORDS), share_input(p, TRUTH))
        (value,) = p.reveal([result], range(n))
        revealed.append(value)
        return value

    try:
        result = simulate_job(Job(program, parties=n, protocol=protocol, seed=seed, **options))[0][0]
    except IntegrityError as error:
        return error, real[0], revealed
    return result, real[0], revealed


def a_seed_with(real, n=2):
    """A seed of which that one of two versions is the real one."""
    return next(seed for seed in SEEDS if play(KINDS["and"], n=n, seed=seed, check_dealer=1)[1] == real)


@pytest.mark.parametrize("label", KINDS)
def test_a_wrong_correlation_of_each_kind_is_caught_where_it_is_looked_at(label):
    operation, by = KINDS[label], 1 << 20 if label in ("harmonics", "powers") else 1
    real, other = a_seed_with(0), a_seed_with(1)
    misled = wrong_dealer(label, 0, by)
    right = play(operation, seed=other, check_dealer=1)[0]
    assert np.array_equal(right, play(operation, seed=other, check_dealer=1, integrity=True)[0])

    error, _, revealed = play(operation, misled, seed=other, check_dealer=1)
    assert isinstance(error, IntegrityError) and f"'{label}'" in str(error) and "deals wrongly" in str(error)
    assert not revealed

    unnoticed = play(operation, misled, seed=real, check_dealer=1)[0]  # it has guessed which version is real
    assert not np.array_equal(unnoticed, play(operation, seed=real, check_dealer=1)[0])
    for integrity in (False, True):  # a code over the message says who sent it, not that it is right
        unchecked = play(operation, misled, seed=real, integrity=integrity)[0]
        assert not np.array_equal(unchecked, play(operation, seed=real)[0])


@pytest.mark.parametrize(("k", "n", "caught"), [(1, 2, 35), (3, 2, 52), (1, 3, 36), (3, 3, 46)])
def test_who_guesses_is_caught_k_times_of_1_plus_k(k, n, caught):
    """The dealer spoils version 0; over these seeds, and so with these coins, it is caught exactly where that is not real."""
    outcomes = [play(KINDS["products"], wrong_dealer("products", 0), n, seed, check_dealer=k) for seed in SEEDS]
    for result, real, revealed in outcomes:
        assert isinstance(result, IntegrityError) is (real != 0)
        assert bool(revealed) is (real == 0)
    assert {real for _, real, _ in outcomes} == set(range(1 + k))
    assert sum(isinstance(result, IntegrityError) for result, *_ in outcomes) == caught


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_wrong_version_is_found_whichever_it_is(version):
    for seed in range(6):
        result, real, _ = play(KINDS["truncation"], wrong_dealer("truncation", version), 3, seed, check_dealer=2)
        assert isinstance(result, IntegrityError) is (real != version)


def program(party):
    x = party.input(np.arange(5) - 2 if party.index == 0 else None, owner=0)
    y = party.input(np.arange(5)[::-1] if party.index == 1 else None, owner=1)
    largest = np.maximum(x * y, y)
    return largest.reveal(), (x < y).reveal(to=0)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_an_honest_dealer_passes_and_the_costs_of_the_check_stand_apart(n, k):
    plain = simulate_job(Job(program, parties=n, seed=5))
    checked = simulate_job(Job(program, parties=n, seed=5, check_dealer=k))
    for index, ((a, before), (b, after)) in enumerate(zip(plain[:n], checked[:n], strict=True)):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        for name in ("rounds", "bytes_sent", "bytes_received", "offline_bytes"):
            assert getattr(before.total, name) == getattr(after.total, name)
        coin, last = n > 2, index == n - 1
        assert after.total.check_rounds == 1 + coin
        assert after.total.check_bytes == 8 * (n - 1) * coin + 32 * k * (not last)
        assert after.total.check_offline_bytes == k * before.total.offline_bytes * last
    dealer_before, dealer_after = plain[-1][1].total, checked[-1][1].total
    assert dealer_after.bytes_sent == (1 + k) * dealer_before.bytes_sent


def test_every_array_of_every_kind_passes_in_all_versions():
    for label, operation in KINDS.items():
        expected = play(operation, seed=1)[0]
        got = play(operation, n=3, seed=1, check_dealer=3)[0]
        if label not in ("harmonics", "powers", "truncation", "shuffle"):  # of these the masks are seen in the last place
            assert np.array_equal(got, expected), label
        assert not isinstance(got, IntegrityError)


def test_the_dealer_sees_nothing_of_the_coin():
    """What reaches it is the same whichever version is real."""
    seen = {}
    for seed in range(6):
        recorders = {}

        def wrap(transport, recorders=recorders):
            recorders[transport.index] = Recorder(transport)
            return recorders[transport.index]

        def told(party):
            p = protocol_of(party)
            KINDS["selections"](p, share_input(p, WORDS), share_input(p, TRUTH))
            return p._source._versions._real

        real = simulate_job(Job(told, parties=3, seed=seed, check_dealer=1), wrap=wrap)[0][0]
        messages = recorders[3].transcript.received()
        seen.setdefault(real, [(m.peer, m.label, [a.tobytes() for a in m.arrays]) for m in messages])
    assert seen[0] == seen[1]


def test_no_seed_of_the_real_version_is_told():
    """The parties tell the last one the seeds of the other versions, and nobody else any."""
    for seed in range(4):
        recorders = {}

        def wrap(transport, recorders=recorders):
            recorders[transport.index] = Recorder(transport)
            return recorders[transport.index]

        def seeds(party):
            versions = protocol_of(party)._source._versions
            return versions._real, versions.stream._seed

        job = Job(seeds, parties=3, seed=seed, check_dealer=2)
        outcomes = simulate_job(job, wrap=wrap)
        for index in range(4):
            sent = recorders[index].transcript.sent()
            told = b"".join(array.tobytes() for message in sent for array in message.arrays)
            assert not any(outcomes[party][0][1] in told for party in range(3))
            assert all(m.peer == 2 for m in sent if m.label == "spot check" and m.specs[0].shape != (8,))


def test_sessions_have_versions_of_their_own():
    """The same seeds in another session give other streams: nothing that was told in one is of use in the other."""
    from mpc.party import Endpoint, Keys
    from mpc.transport import MemoryHub
    from protocols.additive.spot_check import version_seeds

    keys = Keys.generate(2, 1)[0]
    found = set()
    for session in (b"a" * 16, b"b" * 16):
        endpoint = Endpoint(MemoryHub(3).transport(0), 2, Keys(session, keys.dealer, keys.pairwise), check_dealer=2)
        found |= {row.tobytes() for row in version_seeds(endpoint, 0)}
    assert len(found) == 6 and keys.dealer[0] not in found


def kinds_of(cls):
    return {cls, *(found for sub in cls.__subclasses__() for found in kinds_of(sub))}


def test_no_kind_of_correlation_is_left_out():
    assert {cls.label for cls in kinds_of(Correlation) - {Correlation} if cls.__module__.startswith("protocols.")} == set(KINDS)


@pytest.mark.parametrize("label", ["harmonics", "powers"])
@pytest.mark.parametrize(("by", "noticed"), [(1, False), (-1, False), (2, True), (-2, True)])
def test_machines_may_differ_by_the_last_place_of_floats_and_no_more(label, by, noticed):
    result, real, _ = play(KINDS[label], wrong_dealer(label, 0, by % (1 << 64)), seed=a_seed_with(1), check_dealer=1)
    assert real == 1 and isinstance(result, IntegrityError) is noticed


def test_only_what_is_rounded_from_floats_may_differ():
    loose = {cls for cls in kinds_of(Correlation) if cls.slack is not Correlation.slack}
    assert loose == {Harmonics, Powers}


@pytest.mark.parametrize("k", [-1, 16, 1.5, True, "2", None])
def test_how_many_versions_can_be_looked_at(k):
    with pytest.raises(OptionError, match="check_dealer"):
        mpc.simulate(program, check_dealer=k)


def test_a_protocol_without_such_a_check_says_so():
    with pytest.raises(OptionError, match="protocol 'plaintext' has no dealer that it can check"):
        mpc.simulate(program, protocol="plaintext", check_dealer=1)
    with pytest.raises(OptionError, match="integrity=1"):
        mpc.simulate(program, integrity=1)


def test_real_processes():
    results = mpc.run(program, parties=3, integrity=True, check_dealer=2)
    assert np.array_equal(results[0][0], mpc.simulate(program, parties=3)[0][0])
    assert results[1][1] is None


def test_the_command_shows_the_checks_apart(tmp_path):
    from click.testing import CliRunner

    from mpc.cli.main import main

    path = tmp_path / "two.py"
    path.write_text(
        "import numpy as np\ndef main(party):\n    x = party.input(np.arange(3) if party.index == 0 else None, owner=0)\n"
    )
    path.write_text(path.read_text() + "    return (x * x).reveal()\n")
    shown = CliRunner().invoke(main, ["run", str(path), "-n", "2", "--integrity", "--check-dealer", "1"])
    assert shown.exit_code == 0, shown.output
    assert "2 + 2 rounds" in shown.output or "3 + 2 rounds" in shown.output, shown.output
    assert "checks" in shown.output
    plain = CliRunner().invoke(main, ["run", str(path), "-n", "2"])
    assert "checks" not in plain.output
