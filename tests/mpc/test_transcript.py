"""Integrity below malicious security: altered messages, and parties that tell others different things, are noticed."""

import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mpc.errors import DesyncError, Error, IntegrityError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.nn.data import shuffled
from mpc.party import Endpoint, Keys, mac
from mpc.party.links import SEAL
from mpc.party.mac import Mac
from mpc.party.transcript import EVERYBODY, PROOF_BYTES, Transcript
from mpc.testing.recording import Recorder
from mpc.transport import ArraySpec, Header, Kind, MemoryHub
from mpc.transport.wrapper import Wrapper

SEED = 11
X, Y = np.array([1.0, -2.0, 3.5]), np.array([2.0, 0.5, -1.0])
SEAL_BYTES = 16


class Between(Wrapper):
    """A link that somebody else has in hand: `alter(sender, receiver, count, label, payload)` may give another payload."""

    def __init__(self, inner, alter):
        super().__init__(inner)
        self._alter, self._count = alter, Counter()

    def send(self, to, header, payload=()):
        count, self._count[to] = self._count[to], self._count[to] + 1
        altered = self._alter(self.index, to, count, Header.decode(header).label, payload)
        super().send(to, header, payload if altered is None else altered)


def flipped(payload, frame, bit):
    """The payload with one bit of one frame changed."""
    frames = [bytearray(memoryview(part).cast("B") if memoryview(part).nbytes else b"") for part in payload]
    frames[frame][bit // 8 % len(frames[frame])] ^= 1 << bit % 8
    return frames


class Seen:
    """What came out of a program at each party, as it came."""

    def __init__(self):
        self.values, self._lock = {}, threading.Lock()

    def add(self, party, value):
        with self._lock:
            self.values.setdefault(party.index, []).append(None if value is None else np.asarray(value).tolist())


def program(party, seen):
    """Every kind of message: inputs, openings, a shuffle, joint randomness, an announcement, reveals to one and to all."""
    x = party.input(X if party.index == 0 else None, owner=0)
    y = party.input(Y if party.index == 1 else None, owner=1)
    seen.add(party, (x * y).reveal())
    order = party.random.permutation(3)
    seen.add(party, (x[order] > y).reveal(to=1))
    seen.add(party, (shuffled([x])[0] ** 2).sum().reveal(to=0))
    size = party.announce(np.arange(4.0) if party.index == 0 else None, owner=0)
    return ((x * y[::-1]).sum() * float(size.sum())).reveal()


def play(n, integrity=True, alter=None, record=False, seed=SEED, **options):
    """(results or the error, what was seen, recorders)."""
    seen, recorders = Seen(), {}

    def wrap(transport):
        if alter is not None:
            transport = Between(transport, alter)
        if record:
            transport = recorders[transport.index] = Recorder(transport)
        return transport

    job = Job(program, (seen,), parties=n, seed=seed, integrity=integrity, timeout=20, **options)
    try:
        outcomes = simulate_job(job, wrap=wrap)
    except Error as error:
        return error, seen.values, recorders
    return outcomes, seen.values, recorders


def messages(n):
    """(sender, receiver, count, frame) of all arrays that are sent in the program, with their label."""
    found, lock = [], threading.Lock()

    def note(sender, receiver, count, label, payload):
        with lock:
            found.extend((sender, receiver, count, k, label) for k, part in enumerate(payload) if memoryview(part).nbytes)

    play(n, alter=note)
    return sorted(found)


@pytest.mark.parametrize("n", [2, 3])
def test_a_flipped_bit_anywhere_is_noticed_before_a_result_comes_out(n):
    _, right, _ = play(n)
    kinds = Counter()
    places = messages(n)
    if n > 2:  # one array of each message
        places = list({place[:3]: place for place in places}.values())
    for number, (sender, receiver, count, frame, label) in enumerate(places):

        def flip(s, r, c, _, payload, number=number, place=(sender, receiver, count), frame=frame):
            return flipped(payload, frame, 5 + 11 * number) if (s, r, c) == place else None

        outcome, seen, _ = play(n, alter=flip)
        assert isinstance(outcome, Error), (label, sender, receiver, count, frame)
        kinds[type(outcome)] += 1
        assert isinstance(outcome, IntegrityError) or (isinstance(outcome, DesyncError) and label == "joint randomness"), label
        for party, values in seen.items():
            assert values == right[party][: len(values)], (label, sender, receiver)
    assert kinds[IntegrityError] > 50 and kinds[DesyncError] <= (n - 1) * n  # as parties go on in different orders


@pytest.mark.parametrize(("label", "bit"), [("multiply.open", 21), ("reveal", 40), ("deal.products", 21)])
def test_without_integrity_a_flipped_bit_gives_a_wrong_result(label, bit):
    def product(party):
        x = party.input(X if party.index == 0 else None, owner=0)
        return (x * x[::-1]).reveal()

    def flip(sender, receiver, count, found, payload):
        return flipped(payload, 0, bit) if (receiver, found) == (1, label) else None

    job = Job(product, seed=SEED)
    right, wrong = (simulate_job(job, wrap=wrap)[1][0] for wrap in (lambda t: t, lambda t: Between(t, flip)))
    assert not np.array_equal(right, wrong)
    with pytest.raises(IntegrityError):
        simulate_job(replace(job, integrity=True), wrap=lambda transport: Between(transport, flip))


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_a_party_that_tells_two_others_different_things_is_noticed_by_both(liar):
    one, other = (i for i in range(3) if i != liar)
    errors = {}

    def lie(sender, receiver, count, label, payload):
        return flipped(payload, 0, 3) if (sender, receiver, label) == (liar, other, "multiply.open") else None

    def watched(party):
        try:
            x = party.input(X if party.index == 0 else None, owner=0)
            return (x * x[::-1]).reveal(to=liar)
        except IntegrityError as error:
            errors[party.index] = str(error)
            raise

    recorders = {}

    def wrap(transport):
        recorders[transport.index] = Recorder(Between(transport, lie))
        return recorders[transport.index]

    with pytest.raises(IntegrityError):
        simulate_job(Job(watched, parties=3, seed=SEED, integrity=True), wrap=wrap)
    assert f"party {one} and " in errors[one] and f"party {other}" in errors[one]
    assert f"party {other} and " in errors[other] and f"party {one}" in errors[other]
    assert not any(recorder.transcript.sent("reveal") for recorder in recorders.values())


def test_a_proof_sent_back_to_its_maker_proves_nothing():
    proofs, first = {}, threading.Event()

    def reflect(sender, receiver, count, label, payload):
        if label != "confirm":
            return None
        if sender == 0:
            proofs[0] = payload
            first.set()
            return None
        assert first.wait(20)
        return proofs[0]

    outcome, seen, _ = play(2, alter=reflect)
    assert isinstance(outcome, IntegrityError) and not seen


@pytest.mark.parametrize("n", [2, 3, 5])
def test_costs_of_the_check_stand_apart_and_all_others_stay(n):
    plain, seen, _ = play(n, integrity=False)
    checked, also, recorders = play(n, record=True)
    assert seen == also
    for index, ((a, before), (b, after)) in enumerate(zip(plain, checked, strict=True)):
        assert np.array_equal(a, b)
        for name in ("rounds", "bytes_sent", "bytes_received", "offline_bytes"):
            assert getattr(before.total, name) == getattr(after.total, name), name
            for operation, cost in before.operations.items():
                assert getattr(cost, name) == getattr(after.operations[operation], name), (operation, name)
        assert before.total.check_rounds == before.total.check_bytes == 0
        sent = recorders[index].transcript.sent()
        sealed = sum(message.specs[-1:] == (SEAL,) for message in sent)
        # before each of the four reveals; at the end too where several were told the last one
        rounds = 0 if index == n else 4 + (n > 2)
        total = after.total
        assert sum(message.label == "confirm" for message in sent) == total.check_rounds * (n - 1)
        assert total.check_rounds == rounds, (total.check_rounds, rounds)
        assert total.check_bytes == PROOF_BYTES * (n - 1) * rounds + SEAL_BYTES * sealed
        assert total.check_offline_bytes == 0


def products(party, reveals):
    x = party.input(X if party.index == 0 else None, owner=0)
    for _ in range(reveals):
        x = x * 1.0 + x * x
        x.reveal()
    for _ in range(3):
        x.reveal()


@pytest.mark.parametrize(("n", "reveals", "rounds"), [(2, 0, 1), (2, 2, 2), (3, 0, 4), (3, 2, 6), (5, 2, 6)])
def test_a_round_before_a_reveal_only_if_something_came_since(n, reveals, rounds):
    """Two parties have nothing to compare after a reveal, as its seal says all; several compare what each of them was told."""
    outcomes = simulate_job(Job(products, (reveals,), parties=n, seed=SEED, integrity=True))
    assert [stats.total.check_rounds for _, stats in outcomes] == [rounds] * n + [0]


def lying(party, label, to):
    """From now on this party tells `to` another value than everybody else, in messages that it seals itself."""
    links = party._endpoint._links
    send = links.send

    def lie(peer, name, specs, arrays, *args, **options):
        arrays = [array + array.dtype.type(1) for array in arrays] if (peer, name) == (to, label) else arrays
        return send(peer, name, specs, arrays, *args, **options)

    links.send = lie


def announced(party):
    return party.announce(np.arange(3.0) if party.index == 2 else None, owner=2)


def revealed(party):
    return party.input(X if party.index == 2 else None, owner=2).reveal()


@pytest.mark.parametrize(("told", "label"), [(announced, "announce"), (revealed, "reveal")])
def test_what_comes_out_differently_is_noticed_at_the_end(told, label):
    """Its seals are right, and only the two who were told different things can notice it: no result leaves the run."""

    def program(party, lies):
        if party.index == 2 and lies:
            lying(party, label, to=0)
        return told(party)

    job = Job(program, (False,), parties=3, seed=SEED, integrity=True)
    honest = simulate_job(job)
    assert honest[0][1].total.check_rounds == 1 + (label == "reveal")
    with pytest.raises(IntegrityError, match="not received the same"):
        simulate_job(replace(job, args=(True,)))
    results = [result for result, _ in simulate_job(replace(job, args=(True,), integrity=False))]
    assert not np.array_equal(results[0], results[1])


def test_an_announcement_is_sealed():
    """The program goes on with it at once."""
    used = []

    def program(party):
        used.append(party.announce(np.arange(3.0) if party.index == 0 else None, owner=0))

    def flip(sender, receiver, count, label, payload):
        return flipped(payload, 0, 1) if label == "announce" else None

    job = Job(program, seed=SEED, protocol="plaintext", integrity=True)
    with pytest.raises(IntegrityError, match="party 1 got a message of party 0 in operation 'announce'"):
        simulate_job(job, wrap=lambda transport: Between(transport, flip))
    assert len(used) <= 1  # the owner's own
    costs = [stats.total for _, stats in simulate_job(job)]
    assert [(cost.check_rounds, cost.check_bytes) for cost in costs] == [(0, SEAL_BYTES), (0, 0)]


def test_announced_shapes_are_compared():
    """An announcement has no payload: who announces different shapes to two parties is noticed all the same."""
    hub, keys = MemoryHub(3), Keys.generate(3, SEED)
    ends = [Endpoint(hub.transport(i), 3, keys[i], 5, integrity=True) for i in range(3)]
    links = ends[0]._links
    for peer, shape in ((1, (2,)), (2, (3,))):
        links.send(peer, "input", (ArraySpec("float64", shape),), (), Kind.ANNOUNCE)
    for end in ends[1:]:
        end.announce("input", 0)
    errors = []

    def confirm(end):
        try:
            end.confirm()
        except IntegrityError as error:
            errors.append(str(error))

    ends[0]._note(Kind.ANNOUNCE, 0, "input", (ArraySpec("float64", (2,)),), ())
    threads = [threading.Thread(target=confirm, args=(end,)) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begins = sorted(error.split(" have not ")[0] for error in errors)
    assert begins == ["party 0 and party 2", "party 1 and party 2", "party 2 and party 0 and party 1"]


def test_integrity_at_one_party_alone_is_no_agreement():
    hub, keys = MemoryHub(2), Keys.generate(2, SEED)
    with_it, without = (Endpoint(hub.transport(i), 2, keys[i], 5, integrity=not i) for i in range(2))
    without.exchange("x", [np.zeros(2, np.uint64)], senders=())
    with pytest.raises(DesyncError, match=r"uint8\[16\]"):
        with_it.exchange("x", [np.zeros(2, np.uint64)], to=())


# ------------------------------------------------------------------ transcripts and codes by themselves


def transcripts(n=3, session=b"s" * 16):
    keys = Keys.generate(n, SEED)
    return [Transcript(session, i, n, keys[i].pairwise) for i in range(n)]


def told(transcript, label="open", arrays=(b"abcdefgh",), specs=(ArraySpec("uint64", (1,)),), sender=EVERYBODY, kind=Kind.DATA):
    transcript.add(kind, sender, label, tuple(specs), arrays)


def agree(a, b, i=0, j=1):
    mine, _ = a.close()
    _, expected = b.close()
    return mine[j] == expected[i]


DIFFERENT = [
    {"label": "opem"},
    {"arrays": (b"abcdefgX",)},
    {"arrays": (b"Xbcdefgh",)},
    {"specs": (ArraySpec("uint8", (8,)),)},
    {"specs": (ArraySpec("uint64", (1, 1)),)},
    {"sender": 0},
    {"kind": Kind.ANNOUNCE},
]


@pytest.mark.parametrize("different", DIFFERENT, ids=str)
def test_transcripts_tell_messages_apart(different):
    a, b, _ = transcripts()
    for _ in range(2):  # also in a later segment
        told(a)
        told(b)
        assert agree(a, b)
    told(a)
    told(b, **different)
    assert not agree(a, b)


def test_transcripts_tell_order_number_and_segments_apart():
    a, b, _ = transcripts()
    for first, second in (("x", "y"), ("x", "x")):
        told(a, first)
        told(a, second)
        told(b, second)
        told(b, first) if first != second else None
        assert not agree(a, b)
    a, b, _ = transcripts()
    told(a)
    told(b)
    proof = a.close()[0][1]
    b.close()
    a._messages = 0
    told(a)
    assert a.close()[0][1] != proof  # the same message as the first of another segment
    c, _, _ = transcripts(session=b"t" * 16)
    told(c)
    assert c.close()[0][1] != proof


def test_a_liar_that_knows_two_keys_cannot_make_the_third_agree():
    """Party 2 tells 0 and 1 different things, and proves to each of them what it told it."""
    zero, one, two = transcripts()
    as_told = {0: b"aaaaaaaa", 1: b"bbbbbbbb"}
    told(zero, arrays=(as_told[0],))
    told(one, arrays=(as_told[1],))
    proofs = {}
    for party, data in as_told.items():
        _, _, two = transcripts()
        told(two, arrays=(data,))
        proofs[party] = two.close()[0][party]
    (of_zero, by_zero), (of_one, by_one) = zero.close(), one.close()
    assert proofs == {0: by_zero[2], 1: by_one[2]}
    with pytest.raises(IntegrityError, match="party 0 and party 1 have"):
        zero.compare(by_zero, {1: of_one[0], 2: proofs[0]})
    with pytest.raises(IntegrityError, match="party 1 and party 0 have"):
        one.compare(by_one, {0: of_zero[1], 2: proofs[1]})
    with pytest.raises(IntegrityError):  # its own proofs, sent back
        zero.compare(by_zero, of_zero)


@pytest.mark.parametrize("small", [0, 1 << 14])
def test_a_code_is_gmac_however_the_data_is_cut(small, monkeypatch):
    data = bytes(range(256)) * 3
    monkeypatch.setattr(mac, "_SMALL", small)
    whole = AESGCM(b"k" * 32).encrypt((7).to_bytes(12, "big"), b"", data)
    monkeypatch.setattr(mac, "_MOST", 100)
    for parts in ([data], [data[:5], b"", data[5:]], [np.frombuffer(data, np.uint16).reshape(3, -1), np.zeros((3, 0))]):
        code = Mac(b"k" * 32, 7)
        code.feed(parts)
        assert code.tag() == whole == mac.Seals(b"k" * 32).tag(7, parts)
    code = Mac(b"k" * 32, 7)
    code.feed([np.array([True, False]), np.array(3, np.uint64)])
    assert len(code.tag()) == SEAL_BYTES


@pytest.mark.parametrize("parties", [2, 3])
def test_a_program_that_catches_the_error_gets_it_again(parties):
    """Nothing that depends on what was altered comes out later either."""

    def stubborn(party):
        x = party.input(X if party.index == 0 else None, owner=0)
        y = party.input(Y if party.index == 1 else None, owner=1)
        z, found = x * y, []
        for _ in range(3):
            try:
                found.append(z.reveal())
            except IntegrityError as error:
                found.append(error)
        return found

    def alter(sender, receiver, count, label, payload):
        return flipped(payload, 0, 3) if sender == 0 and receiver == 1 and label == "multiply.open" else None

    got = []

    def noting(party):
        got.append(stubborn(party))
        return got[-1]

    with pytest.raises(Error):
        simulate_job(Job(noting, parties=parties, integrity=True, timeout=5.0), wrap=lambda inner: Between(inner, alter))
    assert got and all(isinstance(each, IntegrityError) for found in got for each in found)
