"""What the endpoints of the additive protocol see of the secrets: nothing."""

import pickle

import numpy as np
import pytest

from mpc.contract import MATMUL, MULTIPLY, Index, Reshape, Transpose
from mpc.party import Keys
from mpc.randomness import Stream
from mpc.testing import check_jointly_uniform, check_uniform, protocol_of, share_input, simulate
from protocols.additive.sharing import zero_share
from protocols.additive.source import Source

SEED = 20240229
SHAPE = (48, 48)
SECRETS = (0, 1, 2**64 - 1, (1 << 61) + 12345)


def words(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def everything(x, y, b):
    """A program on the contract that uses every kind of message."""

    def program(p):
        last = p.endpoint.size - 1
        x_, y_, b_ = share_input(p, x), share_input(p, y, last), share_input(p, b)
        product = p.bilinear(MULTIPLY, x_, y_)
        matrix = p.bilinear(MATMUL, p.view(p.negate(x_), Transpose((1, 0))), y_)
        (t,) = p.truncate([(matrix, 16)], opening=[y_])
        further = p.bilinear(MULTIPLY, t, p.square(y_))
        unopened_view = p.bilinear(MULTIPLY, p.view(p.add(x_, y_), Index((slice(None, None, -1),))), product)
        bits = p.or_(p.and_(b_, p.not_(b_)), p.and_(b_, b_))
        return p.reveal([further, unopened_view, bits], [0])

    return program


def transcripts_of(contract, n, value, seed=SEED):
    x, y = np.full(SHAPE, value, np.uint64), np.full(SHAPE, 3 * value % 2**64, np.uint64)
    b = np.full(8 * SHAPE[0] * SHAPE[1], value % 2 == 1)
    return contract(everything(x, y, b), n, full=True, record=True, seed=seed).transcripts


# ------------------------------------------------------------------ the transcript


@pytest.mark.parametrize("n", [2, 3, 5])
def test_order_labels_and_sizes_do_not_depend_on_the_secrets(contract, n):
    outlines = [[t.outline() for t in transcripts_of(contract, n, value)] for value in SECRETS]
    assert all(outline == outlines[0] for outline in outlines)
    labels = {message.label for transcript in transcripts_of(contract, n, 0) for message in transcript.messages}
    assert {"multiply.open", "matmul.open", "truncate.open", "and.open", "reveal", "deal.products", "deal.and"} <= labels


@pytest.mark.parametrize("value", SECRETS)
@pytest.mark.parametrize("n", [2, 3])
def test_what_n_minus_1_parties_see_is_jointly_uniform(contract, n, value):
    transcripts = transcripts_of(contract, n, value)
    for honest in range(n):
        opened = [
            (f"{part} of opening {i} ('{label}')", array)
            for i, (label, own, total) in enumerate(openings(transcripts, n, honest))
            for part, array in ((f"party {honest}'s share", own), ("the total", total))
        ]
        dealt = [
            (f"correction {i}.{k} ('{message.label}')", array)
            for i, message in enumerate(transcripts[n - 1].received(sender=n))
            for k, array in enumerate(message.arrays)
            if honest != n - 1
        ]
        check_jointly_uniform([*opened, *dealt], false_alarm=1e-6)


def openings(transcripts, n, honest):
    """(label, the honest party's message, the total) of every array that was opened."""
    peer = 1 if honest == 0 else 0
    rounds = zip(*(t.sent(to=peer if t.index == honest else honest) for t in transcripts[:n]), strict=False)
    for messages in rounds:
        if messages[0].label.endswith(".open"):
            for arrays in zip(*(message.arrays for message in messages), strict=True):
                add = np.bitwise_xor if arrays[0].dtype == np.uint8 else np.add
                yield messages[0].label, arrays[honest], add.reduce(arrays)


def two_products(p):
    x, y = share_input(p, np.full(SHAPE, 7, np.uint64)), share_input(p, np.full(SHAPE, 5, np.uint64))
    p.square(x)
    p.square(y)


def test_openings_of_two_tensors_differ_uniformly_and_with_a_reused_mask_do_not(contract, monkeypatch):
    def check():
        transcripts = contract(two_products, full=True, record=True, seed=SEED).transcripts
        found = [(label, total) for label, _, total in openings(transcripts, 2, 0)]
        assert len(found) == 2
        check_jointly_uniform(found)

    check()
    fresh, first = Source.mask, {}

    def reused(self, shape):
        mask = fresh(self, shape)
        mask.ref, mask._share = first.setdefault((id(self), shape), (mask.ref, mask._share))
        return mask

    monkeypatch.setattr(Source, "mask", reused)
    with pytest.raises(AssertionError, match="minus"):
        check()


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_dealer_sees_no_opening_and_no_share_of_data(contract, n):
    received = []
    for value in SECRETS:
        dealer = transcripts_of(contract, n, value)[n]
        received.append([(m.peer, m.label, [a.tobytes() for a in m.arrays]) for m in dealer.received()])
        assert {label.split(".")[0] for _, label, _ in received[-1]} == {"deal"}
    assert all(messages == received[0] for messages in received)


# ------------------------------------------------------------------ reveals


def revealed(to):
    """What three parties send and receive as a reveal of an untruncated product to `to`."""

    def program(party):
        x = party.input(np.array([1.5, -2.25, 0.0]) if party.index == 0 else None, owner=0)
        return (x * x).reveal(to=to)

    simulation = simulate(program, parties=3, record=True, seed=SEED)
    return simulation.results, simulation.transcripts


@pytest.mark.parametrize("target", [0, 1, 2])
def test_a_reveal_to_one_reaches_nobody_else(target):
    results, transcripts = revealed(target)
    for t in transcripts:
        others = [i for i in range(3) if i != target]
        assert sorted(m.peer for m in t.received("reveal")) == (others if t.index == target else [])
        assert [m.peer for m in t.sent("reveal")] == ([target] if t.index in others else [])
    assert [result is None for result in results] == [i != target for i in range(3)]


def test_a_revealed_product_has_been_truncated_before():
    """The words that travel are at scale f: the bits below would tell more of the operands than the result does."""
    results, transcripts = revealed(None)
    sent = [transcripts[i].sent("reveal", to=0 if i else 1)[0].arrays[0] for i in range(3)]
    words = np.add.reduce(sent).view(np.int64)
    exact = np.array([2.25, 5.0625, 0.0]) * 2**16
    assert np.all((words == exact) | (words == exact + 1))
    assert np.array_equal(results[0], words / 2**16)


# ------------------------------------------------------------------ shares


@pytest.mark.parametrize("n", [3, 5])
def test_a_reveal_shows_no_share_that_is_held(contract, n):
    def program(p):
        x, b = share_input(p, np.full(4096, 9, np.uint64)), share_input(p, np.ones(8 * 4096, bool))
        p.reveal([x, b], [0])
        p.reveal([x, b], [0])
        return x.value, b.packed

    simulation = contract(program, n, full=True, record=True, seed=SEED)
    for sender in range(1, n):
        first, second = (m.arrays for m in simulation.transcripts[0].received("reveal", sender))
        named = [(f"array {k}", a) for k, a in enumerate((*first, *second, *simulation.results[sender]))]
        check_jointly_uniform(named)  # the share held, and what is seen of it each time, have nothing in common


@pytest.mark.parametrize("n", [2, 3, 5])
def test_zero_shares_add_up_to_zero(contract, n):
    def program(p):
        number = p.endpoint.next_number()
        return zero_share(p.endpoint, (5,), np.uint64, number), zero_share(p.endpoint, (5,), np.uint8, number)

    zeros, bits = zip(*contract(program, n), strict=True)
    assert not np.add.reduce(zeros).any()
    assert not np.bitwise_xor.reduce(bits).any()


@pytest.mark.parametrize("n", [2, 3, 5])
def test_any_n_minus_1_shares_of_an_input_are_uniform(contract, n):
    def program(p):
        x, b = share_input(p, np.full(4096, 9, np.uint64), n - 1), share_input(p, np.ones(8 * 4096, bool))
        return x.value, b.packed

    results = contract(program, n, seed=SEED)
    for missing in range(n):
        others = [r for i, r in enumerate(results) if i != missing]
        check_jointly_uniform([(f"share {i}", a) for i, (x, b) in enumerate(others) for a in (x, b)])
        check_uniform(np.add.reduce([x for x, _ in others]), "the sum of n - 1 shares")


def test_arrays_of_shares_are_read_only(contract):
    def program(p):
        x, b = share_input(p, words((3,))), share_input(p, np.ones(3, bool))
        results = [x, p.square(x), p.add(x, x), p.view(x, Reshape((3, 1))), p.constant(words((2,))), *p.truncate([(x, 4)])]
        bits = [b, p.and_(b, b), p.not_(b), p.constant(np.ones(3, bool))]
        arrays = [r.value for r in results] + [r.packed for r in bits] + [r.known.public for r in results if r.known]
        return [array.flags.writeable for array in arrays]

    assert not np.any(contract(program))


def test_unseeded_runs_differ_and_seeded_ones_agree(contract):
    def payloads(seed):
        transcripts = transcripts_of(contract, 2, 1, seed)
        return [a.tobytes() for m in transcripts[0].messages for a in m.arrays if "open" in m.label]

    assert payloads(5) == payloads(5)
    assert payloads(5) != payloads(6)
    assert not set(payloads(None)) & set(payloads(None))


def test_secrets_are_not_pickled_and_not_printed(contract):
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Stream(bytes(32)))
    secret = 123456789

    def program(party):
        t = party.input(np.full(3, secret) if party.index == 0 else None, owner=0)
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(t)
        b = party.input(np.ones(3, bool) if party.index == 0 else None, owner=0)
        own = protocol_of(party).view(t.share, Reshape((3, 1))).value
        shown = [repr(v) for v in (t, b, t.share, b.share, party, Stream(bytes(32)), Keys.generate(2)[0])]
        return all(str(secret) not in text and not any(str(w) in text for w in own.ravel()) for text in shown)

    for protocol in ("additive", "plaintext"):
        assert all(simulate(program, protocol=protocol).results)
