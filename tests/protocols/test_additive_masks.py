"""The mask discipline of the additive protocol: one mask, one tensor, one opening."""

import gc
import weakref

import numpy as np
import pytest

from mpc.contract import MATMUL, MULTIPLY, BroadcastTo, Index, Reshape, Transpose
from mpc.errors import MaskReuseError
from mpc.testing import share_input
from protocols.additive import ahead
from protocols.additive.shares import Bits, MaskRef, Share
from protocols.additive.sharing import Opening
from protocols.additive.source import Mask, Source


def words(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, shape, np.uint64)


def test_a_mask_hides_once():
    mask = Mask(MaskRef(1, (3,)), np.arange(3, dtype=np.uint64))
    mask.hide(Share(np.zeros(3, np.uint64)))
    with pytest.raises(MaskReuseError, match="used once"):
        mask.hide(Share(np.zeros(3, np.uint64)))


def test_a_mask_does_not_broadcast_over_a_larger_tensor():
    with pytest.raises(MaskReuseError, match="cannot hide"):
        Mask(MaskRef(1, (1,)), np.zeros(1, np.uint64)).hide(Share(np.zeros(3, np.uint64)))


def opened_bytes(transcripts, party=0):
    return sum(array.nbytes for message in transcripts[party].sent(to=1) for array in message.arrays if ".open" in message.label)


def test_a_tensor_is_opened_at_most_once_whatever_is_done_with_it(contract):
    def program(p):
        x, w = share_input(p, words((8, 8))), share_input(p, words((8, 8), 1))
        shifted = p.add(x, np.full((8, 8), 5, np.uint64))  # another tensor: it would need an opening of its own
        p.square(x)
        for _ in range(3):
            p.bilinear(MULTIPLY, x, w)
            p.bilinear(MATMUL, p.view(x, Transpose((1, 0))), w)
            p.bilinear(MATMUL, w, x)
            p.truncate([(x, 16), (x, 3)], opening=[x, w])
        p.reveal([x, shifted], [0, 1])

    transcripts = contract(program, full=True, record=True).transcripts
    assert opened_bytes(transcripts) == 2 * 8 * 64  # x and w


VIEWS = [
    Transpose((1, 0)),
    Reshape((64,)),
    BroadcastTo((3, 8, 8)),
    Index((slice(None, None, -2), np.array([1, 1, 0]))),
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: type(v).__name__)
def test_a_view_has_its_bases_opening_and_opens_a_base_that_is_no_larger(contract, view):
    def program(p, first):
        x = share_input(p, words((8, 8)))
        if first:
            p.square(x)
        seen = p.view(x, view)
        assert (seen.known is None) is not first
        with p.endpoint.meter.measure() as cost:
            square = p.square(seen)
        ref = seen.known.terms[0].ref
        return cost.bytes_sent, ref, x.known, p.reveal([square], [0, 1])[0]

    expected = np.square(view(words((8, 8))))
    small = expected.size < 64
    for first in (True, False):
        for sent, ref, known, square in contract(lambda p, first=first: program(p, first)):
            assert np.array_equal(square, expected)
            assert sent == (0 if first else 8 * (expected.size if small else 64))
            assert (known is not None and known.terms[0].ref.number == ref.number) is (first or not small)


def test_a_view_that_was_there_before_its_base_was_opened_has_that_opening(contract):
    def program(p):
        x = share_input(p, words((6, 6)))
        part = p.view(p.view(x, Transpose((1, 0))), Index((slice(2),)))
        p.square(x)
        with p.endpoint.meter.measure() as cost:
            square = p.square(part)
        both = share_input(p, words((6, 6), 1))
        with p.endpoint.meter.measure() as once:
            gram = p.bilinear(MATMUL, p.view(both, Transpose((1, 0))), both)
        return cost.rounds, once.bytes_sent, p.reveal([square, gram], [0, 1])

    for rounds, sent, (square, gram) in contract(program):
        x, y = words((6, 6)), words((6, 6), 1)
        assert rounds == 0 and np.array_equal(square, np.square(x.T[:2]))
        assert sent == 8 * 36 and np.array_equal(gram, y.T @ y)


def test_batches_of_a_data_set_are_opened_one_by_one_for_an_epoch_at_most(contract):
    """Then the whole is, so that further epochs are free."""

    def program(p):
        x, sent = share_input(p, words((12,))), []
        for epoch in range(3):
            for start in range(0, 12, 4):
                with p.endpoint.meter.measure() as cost:
                    p.square(p.view(x, Index((np.roll(np.arange(12), epoch)[start : start + 4],))))
                sent.append(cost.bytes_sent)
        return sent

    assert all(sent == [32, 32, 32, 96, 0, 0, 0, 0, 0] for sent in contract(program))


def test_a_view_does_not_change_with_the_index_array_it_was_made_from(contract):
    def program(p):
        x, w = share_input(p, words((6, 2))), share_input(p, words((2, 2), 1))
        p.bilinear(MATMUL, x, w)
        rows = np.array([0, 1, 2])
        part = p.view(x, Index((rows,)))
        rows[:] = [5, 4, 3]
        return p.reveal([p.bilinear(MATMUL, part, w)], [0, 1])[0]

    expected = words((6, 2))[:3] @ words((2, 2), 1)
    assert all(np.array_equal(result, expected) for result in contract(program))


def test_every_and_input_has_a_fresh_mask(contract, monkeypatch):
    drawn, fresh = [], Source.bit_mask

    def noted(self, shape):
        number, mask = fresh(self, shape)
        drawn.append((id(self), number))
        return number, mask

    monkeypatch.setattr(Source, "bit_mask", noted)

    def program(p):
        b = share_input(p, np.ones(9, bool))
        c = p.and_(b, b)
        p.or_(b, c)
        p.and_(b, p.not_(c))

    contract(program)
    assert len(drawn) == len(set(drawn)) == 2 * 2 * 3  # parties, inputs, gates


def test_openings_die_with_the_last_tensor_that_holds_them(contract):
    def program(p):
        x, w = share_input(p, words((8, 8))), share_input(p, words((8, 8), 1))
        product = p.bilinear(MATMUL, x, w)
        part = p.view(x, Index((slice(0, 2),)))
        opening = weakref.ref(x.known.public)
        buffer = weakref.ref(x.known.public if x.known.public.base is None else x.known.public.base)
        del x
        held = buffer() is not None  # by its view
        del part, product
        gc.collect()
        return held, opening() is None, buffer() is None

    assert contract(program) == [(True, True, True)] * 2


def test_memory_does_not_grow_with_the_number_of_operations(contract):
    def program(p):
        x = share_input(p, words((64,)))
        for k in range(300):
            y = p.square(p.add(x, np.asarray(np.uint64(k))))
            if k == 100:
                gc.collect()
                before = len(gc.get_objects())
        del y
        gc.collect()
        on_their_way = sum(len(portion) for _, portion in p._source._sent)
        assert on_their_way <= 2 * ahead.MOST and not p._source._unsent  # products and truncations that are expected
        return len(gc.get_objects()) - before

    assert max(contract(program, n=2)) < 3000  # two hundred further products; other threads' objects are counted too


def test_the_masks_of_an_opening_are_drawn_for_each_tensor_once(contract):
    def program(p):
        x = share_input(p, words((4,)))
        opening = Opening(p.endpoint, p._source, [x, x, p.view(x, Reshape((2, 2)))])
        drawn = len(opening._masks)
        opening.run("twice")
        return drawn

    assert contract(program) == [1, 1]


def test_bits_beyond_the_last_are_hidden_too(contract):
    """The padding of a packed array travels under the mask of its byte, and never comes out."""

    def program(p):
        b = share_input(p, np.ones(3, bool))
        assert isinstance(b, Bits)
        return p.reveal([p.and_(b, b)], [0, 1])[0]

    assert all(result.tolist() == [True] * 3 for result in contract(program))
