"""What comparisons, selections and functions of the additive protocol show: nothing, to n - 1 parties and to the dealer."""

import numpy as np
import pytest

from mpc.contract import Exponential, Index, Waves
from mpc.testing import check_jointly_uniform, share_input
from protocols.additive import Additive, dealing, requests
from protocols.additive.source import Source

SEED = 20240301
SIZE = 10240  # a row of bits is 1280 bytes: enough to judge each by itself
SECRETS = (0, 1, 2**64 - 1, (1 << 60) + 12345)
SERIES = [Waves(40, (0.5, 1.0, -0.25), (0.0, 0.5, 1.5), 24)]
CURVE = Exponential(16, -(4 << 16), 17, 2, 30)


def everything(value):
    """Every comparison, selection and function on constant secrets; `last` may go on with the results."""
    x, y, b = (np.full(SIZE, v % 2**64, np.uint64) for v in (value, value // 2 + 1, value))
    t = np.stack([np.full(SIZE, v, np.uint64) for v in (0, 5)])

    def program(p, last=lambda p, results: None):
        x_, y_, b_ = share_input(p, x), share_input(p, y, p.endpoint.size - 1), share_input(p, b % 2 == 1)
        above, below, same = p.at_least(x_, t), p.less(x_, y_), p.equal(x_, p.negate(y_))
        p.open([x_, y_])
        both = [p.less(x_, y_), p.equal(x_, y_), p.equal(x_, y), p.at_least(y_, t[:1], 16)]
        (z,) = p.truncate([(p.add(x_, y_), 16)])
        chosen = p.select([(below, z), (same, x_), (b_, p.negate(y_))])
        words = [*p.floor([(p.negate(x_), 16)]), p.to_words(p.all(above)), p.one_hot(x_, 5), p.exponential(p.negate(x_), CURVE)]
        last(p, [above, below, same, *both, *chosen, *words, *p.waves(y_, SERIES)])

    return program


def revealing(value):
    return lambda p: everything(value)(p, lambda p, results: p.reveal(results, range(p.endpoint.size)))


def bytes_seen(messages):
    return [array.tobytes() for message in messages for array in message.arrays]


def openings(transcripts, n, honest):
    """(label, the honest party's message, the total) of every array that was opened."""
    peer = 1 if honest == 0 else 0
    rounds = zip(*(t.sent(to=peer if t.index == honest else honest) for t in transcripts[:n]), strict=True)
    for messages in rounds:
        if messages[0].label.endswith(".open"):
            for arrays in zip(*(message.arrays for message in messages), strict=True):
                add = np.bitwise_xor if arrays[0].dtype == np.uint8 else np.add
                yield messages[0].label, arrays[honest], add.reduce(arrays)


# ------------------------------------------------------------------ the transcript


@pytest.mark.parametrize("n", [2, 3, 5])
def test_order_labels_and_sizes_do_not_depend_on_the_secrets(contract, n):
    transcripts = [contract(revealing(v), n, full=True, record=True, seed=SEED).transcripts for v in SECRETS]
    outlines = [[t.outline() for t in run] for run in transcripts]
    assert all(outline == outlines[0] for outline in outlines)
    labels = {message.label for message in transcripts[0][0].messages}
    assert {"compare.open", "equal.open", "select.open", "floor.open", "all.open", "to_words.open", "reveal"} <= labels


@pytest.mark.parametrize("value", SECRETS)
@pytest.mark.parametrize("n", [2, 3])
def test_what_n_minus_1_parties_see_is_jointly_uniform(contract, n, value):
    transcripts = contract(everything(value), n, full=True, record=True, seed=SEED).transcripts
    for honest in range(n):
        seen = [
            (f"{part} of opening {i} ('{label}')", array)
            for i, (label, own, total) in enumerate(openings(transcripts, n, honest))
            for part, array in ((f"party {honest}'s share", own), ("the total", total))
        ]
        corrections = [array for m in transcripts[n - 1].received(sender=n) for array in m.arrays if honest != n - 1]
        check_jointly_uniform([*seen, *((f"correction {k}", array) for k, array in enumerate(corrections))])


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_dealer_sees_no_opening_and_no_share_of_data(contract, n):
    received = []
    for value in SECRETS:
        transcripts = contract(revealing(value), n, full=True, record=True, seed=SEED).transcripts
        asked = transcripts[n].received()
        assert {m.label.split(".")[0] for m in asked} == {"deal"}
        assert all(sum(a.nbytes for a in m.arrays) == (32 if m.arrays else 0) for m in asked if m.peer)  # digests
        received.append([(m.peer, m.label, *bytes_seen([m])) for m in asked])
        payload = b"".join(bytes_seen(asked))
        for label, _, total in openings(transcripts, n, 0):
            assert total.tobytes()[:24] not in payload, label
    assert all(messages == received[0] for messages in received)


# ------------------------------------------------------------------ one comparison, bit by bit


class Spy(Additive):
    """Keeps copies of the masks that a party draws, and of the correlations that it asks for."""

    def __init__(self, endpoint):
        super().__init__(endpoint)
        self.masks, self.asked = [], []
        mask, bit_mask, bit_planes, request = (getattr(self._source, k) for k in ("mask", "bit_mask", "bit_planes", "request"))
        self._source.mask = lambda shape: self.keep(mask(shape), lambda result: result._share)
        self._source.bit_mask = lambda shape: self.keep(bit_mask(shape), lambda result: result[1].packed)
        self._source.bit_planes = lambda shape: self.keep(bit_planes(shape), lambda result: result[1])
        self._source.request = lambda correlation: self.keep_request(request(correlation))

    def keep(self, result, share):
        self.masks.append(share(result).copy())
        return result

    def keep_request(self, pending):
        self.asked.append(pending)
        return pending


def comparisons(value):
    """Two comparisons with two thresholds each, and a selection by their results."""
    x = np.full(SIZE, value, np.uint64)
    t = np.stack([np.zeros(SIZE, np.uint64), np.full(SIZE, 77, np.uint64)])

    def program(p):
        first, second = share_input(p, x), share_input(p, x, p.endpoint.size - 1)
        bits = [p.at_least(first, t), p.at_least(second, t)]
        p.select([(p.view(bits[0], Index((0,))), first), (p.view(bits[1], Index((0,))), second)])
        return p.masks, [array for pending in p.asked for array in pending.shares()]

    return program


def rows_of(array):
    """The bits of each element of the secrets, as rows of +1 and -1."""
    if array.dtype != np.uint8:
        array = np.ascontiguousarray(array.reshape(-1, SIZE)[:, :, None]).view(np.uint8)
        bits = np.moveaxis(np.unpackbits(array, axis=2), 2, 1).reshape(-1, SIZE)
    else:
        bits = np.unpackbits(array.reshape(-1, SIZE // 8), axis=1)
    return 1 - 2 * bits.astype(np.float32)


def check_views(contract, n, value):
    """For each honest party, all others together: what they draw and are dealt, and what is opened. Every bit is a fair
    coin, and so is the sum of every two of them."""
    simulation = contract(comparisons(value), n, Spy, full=True, record=True, seed=SEED)
    for honest in range(n):
        corrupt = [i for i in range(n) if i != honest]
        arrays = [array for _, own, total in openings(simulation.transcripts, n, honest) for array in (own, total)]
        arrays += [array for i in corrupt for array in simulation.results[i][1]]
        for masks in zip(*(simulation.results[i][0] for i in corrupt), strict=True):
            arrays.append(np.bitwise_xor.reduce(masks) if masks[0].dtype == np.uint8 else np.add.reduce(masks))
        rows = np.concatenate([rows_of(array) for array in arrays])
        scores = np.abs(rows @ rows.T) / np.sqrt(SIZE)
        np.fill_diagonal(scores, np.abs(rows.sum(axis=1)) / np.sqrt(SIZE))
        worst = np.unravel_index(scores.argmax(), scores.shape)
        assert scores[worst] < 7.5, f"bits {worst} are not independent: {scores[worst]:.1f} standard deviations"


@pytest.mark.parametrize(("n", "value"), [*((2, value) for value in SECRETS), (3, SECRETS[-1])])
def test_the_bits_of_a_comparison_are_uniform_together_with_its_opening_and_all_that_is_held(contract, n, value):
    check_views(contract, n, value)


def reused(method):
    """Every mask of a shape is the first of that shape."""

    def patch(monkeypatch):
        fresh, first = getattr(Source, method), {}

        def again(self, shape):
            mask = fresh(self, shape)
            if method != "mask":
                return first.setdefault((id(self), shape), mask)
            mask.ref, mask._share = first.setdefault((id(self), shape), (mask.ref, mask._share.copy()))
            mask._share = mask._share.copy()
            return mask

        monkeypatch.setattr(Source, method, again)

    return patch


def one_for_both_thresholds(monkeypatch):
    fresh = Source.bit_planes

    def halved(self, shape):
        number, mask = fresh(self, shape)
        half = mask[..., : shape[-1] // 2]
        return number, np.concatenate([half, half], axis=-1)

    monkeypatch.setattr(Source, "bit_planes", halved)


def none_of_party(party, method):
    def patch(monkeypatch):
        fresh = getattr(Source, method)

        def bare(self, shape):
            result = fresh(self, shape)
            share = result[1] if method == "bit_planes" else result[1].packed if method == "bit_mask" else result._share
            if self._endpoint.index == party:
                share.flags.writeable = True
                share[...] = 0
            return result

        monkeypatch.setattr(Source, method, bare)

    return patch


def dealt_in_the_clear(monkeypatch):
    monkeypatch.setattr(dealing, "_correct", lambda value, shares: value)


BREAKS = {
    "a tensor's mask twice": reused("mask"),
    "an AND mask twice": reused("bit_planes"),
    "a selection's mask twice": reused("bit_mask"),
    "one AND mask for two thresholds": one_for_both_thresholds,
    "no mask of a party's own": none_of_party(0, "mask"),
    "no AND mask of a party's own": none_of_party(1, "bit_planes"),
    "no selection mask of a party's own": none_of_party(0, "bit_mask"),
    "correlations in the clear": dealt_in_the_clear,
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_mask_used_badly_is_seen(contract, monkeypatch, name):
    BREAKS[name](monkeypatch)
    with pytest.raises(AssertionError, match="not independent"):
        check_views(contract, 2, 5)


# ------------------------------------------------------------------ masks and their numbers


def check_numbers(transcripts, n):
    """Every bit mask that the dealer is asked about is another one, and every array of bits opened has one of its size."""
    asked = [each for m in transcripts[n].received("deal.", 0) if m.arrays for each in requests.decode(list(m.arrays))]
    sizes = {}
    for each in asked:
        for place, size in bit_masks(each.correlation):
            number = each.masks[place - 1]
            assert number not in sizes, f"bit mask {number} is asked about twice"
            sizes[number] = size
    opened = [total.size for _, _, total in openings(transcripts, n, 0) if total.dtype == np.uint8]
    assert sorted(sizes.values()) == sorted(opened)
    return len(sizes)


def bit_masks(correlation):
    """(place of its number, bytes) of the bit masks that a correlation is about."""
    kind = type(correlation).__name__
    if kind == "Conjunctions":
        return [(correlation.mask, correlation.opened * correlation.groups * correlation.nbytes)]
    if kind == "Selections":
        return [(correlation.mask, (int(np.prod(correlation.shape)) + 7) // 8)]
    return [(correlation.a, correlation.nbytes), (correlation.b, correlation.nbytes)] if kind == "And" else []


def test_each_bit_mask_is_for_one_opening(contract, monkeypatch):
    def run():
        return contract(everything(3), full=True, record=True, seed=SEED).transcripts

    assert check_numbers(run(), 2) > 15
    reused("bit_planes")(monkeypatch)
    with pytest.raises(AssertionError, match="asked about twice"):
        check_numbers(run(), 2)


def test_thresholds_share_an_opening_and_no_mask_of_a_bit(contract):
    """For each further threshold 34 more bits are masked and opened, and 103 more products dealt; thermometers are not."""

    def masked(count):
        def program(p):
            p.at_least(share_input(p, np.zeros(1024, np.uint64)), np.zeros((count, 1024), np.uint64))
            dealt = {type(q.wanted.correlation).__name__: 0 for q in p.asked}
            for pending in p.asked:
                dealt[type(pending.wanted.correlation).__name__] += sum(a.nbytes for a in pending.shares() if a.ndim > 1)
            return (
                [m.nbytes for m in p.masks if m.dtype == np.uint64],
                sum(m.nbytes for m in p.masks if m.dtype == np.uint8),
                dealt,
            )

        return contract(program, protocol=Spy)[0]

    for count in (1, 2, 5):
        words, bits, dealt = masked(count)
        assert words == [8 * 1024]
        assert bits == count * 34 * 128
        assert dealt == {"Thermometers": 240 * 128, "Conjunctions": count * 103 * 128}
