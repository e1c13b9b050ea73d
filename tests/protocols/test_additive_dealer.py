"""What the dealer of the additive protocol answers, and what it refuses."""

import itertools
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mpc
from mpc.contract import MATMUL, MULTIPLY, BroadcastTo, Exponential, Index, Reshape, Transpose, codec
from mpc.errors import DesyncError, FrameError, PeerFailed
from mpc.party import Endpoint, Keys
from mpc.transport import MemoryHub
from protocols.additive import Additive, checks
from protocols.additive.correlations import And, Products, Truncation
from protocols.additive.curve_correlations import Harmonics, OneHot, Powers
from protocols.additive.dealer import Dealer
from protocols.additive.order_correlations import Conjunctions, Selections, Thermometers
from protocols.additive.requests import decode, describe, digest, encode
from protocols.additive.shares import MaskRef
from protocols.additive.shuffle import Shuffled

SEED = 20240229


class Wire:
    """A dealer and what the parties send it."""

    def __init__(self, n=2):
        hub, keys = MemoryHub(n + 1), Keys.generate(n, SEED)
        self.parties = [Endpoint(hub.transport(i), n, keys[i], 5) for i in range(n)]
        self.dealer = Dealer(Endpoint(hub.transport(n), n, keys[-1], 5))

    def ask(self, *requests, label="deal.x"):
        """One request for each party, as a list of arrays; then the end."""
        for party, parts in zip(self.parties, requests, strict=True):
            party.send_request(label, parts)

    def serve(self):
        for party in self.parties:
            party.send_request("deal.end", [])
        self.dealer.serve()


def request(number, correlation=None):
    return encode(number, [describe([correlation or Truncation(MaskRef(1, (3,)), 16, (3,))])])


@pytest.mark.parametrize("again", [9, 8, 7, 1])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_dealer_answers_a_number_once_and_none_below_it(n, again):
    wire = Wire(n)
    for number in (7, 9, again):
        wire.ask(request(number), *[[digest(request(number))]] * (n - 1))
    with pytest.raises(DesyncError, match=f"refuses correlation {again}: it has answered up to 9"):
        wire.serve()


NO_NUMBERS = [
    np.array([0, 1], np.uint64),  # a correlation of no number
    np.array([1, 0], np.uint64),  # a mask of none
    np.array([1], np.uint64),  # fewer than masks
    np.array([1, 1, 1], np.uint64),  # more than masks
    np.array([], np.uint64),
    np.array([1, 1], np.int64),
    np.array([1.0, 1.0]),
    np.array([1, 1], np.uint8),
]


@pytest.mark.parametrize("numbers", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_the_dealer_refuses_what_are_no_numbers(numbers):
    wire, parts = Wire(), [request(1)[0], numbers]
    wire.ask(parts, [digest(parts)])
    with pytest.raises((FrameError, DesyncError), match=r"number|no list of requests"):
        wire.serve()


def test_numbers_do_not_go_on_after_the_last_one():
    wire, parts = Wire(), encode((1 << 64) - 1, [describe([Truncation(MaskRef(1, (3,)), 16, (3,))])] * 2)
    wire.ask(parts, [digest(parts)])
    with pytest.raises(FrameError, match="the number of truncation must be"):
        wire.serve()


def test_places_of_masks_that_have_no_number_are_refused():
    wire = Wire()
    text = request(1)[0].tobytes().replace(b'"MaskRef":[1,', b'"MaskRef":[2,')
    parts = [np.frombuffer(text, np.uint8), np.array([1, 5], np.uint64)]
    wire.ask(parts, [digest(parts)])
    with pytest.raises(FrameError, match="a request for truncation that cannot be dealt"):
        wire.serve()


def test_a_message_has_many_batches():
    view = MaskRef(7, (2, 3)).view(Index((np.array([1, 0]),)))
    seen = [[Truncation(view, bits, (2, 3))] for bits in (16, 8)]
    batches = [[Truncation(MaskRef(9, (3,)), 16, (3,)), And(4, 5, 2)], *seen]
    asked = list(decode(encode(20, [describe(batch) for batch in batches])))
    assert [each.number for each in asked] == [20, 21, 22, 23]
    assert [list(each.masks) for each in asked] == [[9, 4, 5], [9, 4, 5], [7], [7]]
    wanted = [correlation for batch in batches for correlation in batch]
    assert [type(each.correlation) for each in asked] == [type(correlation) for correlation in wanted]
    assert [each.specs for each in asked] == [correlation.specs() for correlation in wanted]
    assert [repr(each.named(each.correlation.ref)) for each in asked if isinstance(each.correlation, Truncation)] == [
        repr(correlation.ref) for correlation in wanted if isinstance(correlation, Truncation)
    ]


def test_arrays_are_taken_once_each_and_in_order():
    def message(*places):
        view = b'{"Index":[[{"array":%d}]]}'
        lines = [b'[{"Truncation":[{"MaskRef":[1,[2],"r",0,[%s]]},16,[2]]}]' % (view % place) for place in places]
        arrays = [np.array([0, 1])] * len(places)
        return [np.frombuffer(b"\n".join(lines), np.uint8), np.arange(1, 2 + len(places), dtype=np.uint64), *arrays]

    assert len(list(decode(message(0, 0, 0)))) == 3  # each line counts its own
    for places in [(1, 0), (0, 1), (0, 0, 5)]:
        with pytest.raises(FrameError, match="malformed"):
            list(decode(message(*places)))
    with pytest.raises(FrameError, match="more numbers or arrays"):
        list(decode([*message(0), np.zeros(1, np.int64)]))


def test_the_text_of_a_request_has_no_numbers_of_masks():
    first, second = (describe([Truncation(MaskRef(k, (3,)), 16, (3,)), And(k + 1, k + 2, 1)]) for k in (5, 500))
    assert first.text == second.text and first.numbers == (5, 6, 7) and second.numbers == (500, 501, 502)


DIFFERENT = [
    request(8),
    request(7, Truncation(MaskRef(1, (3,)), 17, (3,))),
    request(7, Truncation(MaskRef(2, (3,)), 16, (3,))),
    request(7, Truncation(MaskRef(1, (3,), views=(Index((np.array([0, 1, 2]),)),)), 16, (3,))),
    request(7, And(1, 2, 3)),
]


@pytest.mark.parametrize("other", DIFFERENT)
@pytest.mark.parametrize("party", [1, 2])
def test_the_dealer_refuses_a_request_on_which_the_digests_differ(other, party):
    wire, parts = Wire(3), request(7)
    digests = [[digest(parts)], [digest(parts)]]
    digests[party - 1] = [digest(other)]
    wire.ask(parts, *digests)
    with pytest.raises(DesyncError, match=f"party {party}"):
        wire.serve()


def test_the_dealer_refuses_different_labels():
    wire, parts = Wire(), request(7)
    wire.parties[0].send_request("deal.truncation", parts)
    wire.parties[1].send_request("deal.and", [digest(parts)])
    with pytest.raises(DesyncError, match=r"deal\.truncation.*deal\.and"):
        wire.serve()


def test_digests_tell_dtypes_shapes_and_boundaries_apart():
    a = np.arange(16, dtype=np.uint8)
    lists = [
        [a],
        [a.view(np.int64)],
        [a.view(np.uint64)],
        [a.reshape(4, 4)],
        [a[:8], a[8:]],
        [a[:4], a[4:]],
        [a, np.zeros(0, np.uint8)],
        [a, np.zeros((0, 2), np.uint8)],
        [a.astype(bool)],
        [],
    ]
    # what the header of a second array looks like, inside a first one
    inner = np.frombuffer(b"AB" + f"{a[:2].dtype.str}{a[:2].shape}".encode() + b"CD", np.uint8)
    lists += [[inner], [inner[:2], inner[-2:]]]
    assert len({digest(parts).tobytes() for parts in lists}) == len(lists)


HOSTILE = [
    b"[]",
    b"{}",
    b"[1, 2]",
    b"[[1, 2]]",
    b'[{"Stream": [1]}]',
    b'[{"__import__": ["os"]}]',
    b'[{"Truncation": []}]',
    b'[{"Truncation": [1, 2, 3]}]',
    b'[{"Truncation": [{"MaskRef": [1, [3], "r", 0, []]}, 16, [4]]}]',
    b'[{"Truncation": [{"MaskRef": ["x", [3], "r", 0, []]}, 16, [3]]}]',
    b'[{"Truncation": [{"MaskRef": [0, [3], "r", 0, []]}, 16, [3]]}]',
    b'[{"Truncation": [{"MaskRef": [true, [3], "r", 0, []]}, 16, [3]]}]',
    b'[{"Truncation": [{"MaskRef": [1, [-3], "r", 0, []]}, 16, [3]]}]',
    b'[{"Truncation": [{"MaskRef": [1, [3], "r", 0, [7]]}, 16, [3]]}]',
    b'[{"And": [1, 2, "x"]}]',
    b'[{"array": 5}]',
    b'[{"Truncation": [{"MaskRef": [1, [3], "r", 0, []]}, 16, [3]]}]\n',
    b"[" * 100_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_malformed_request_is_refused(text):
    wire, parts = Wire(), [np.frombuffer(text, np.uint8), np.array([1, 1], np.uint64)]
    wire.ask(parts, [digest(parts)])
    with pytest.raises(FrameError):
        wire.serve()


REF = MaskRef(1, (4,))
HUGE = MaskRef(1, (1 << 40,))
IMPOSSIBLE = [
    Truncation(REF, 0, (4,)),
    Truncation(REF, 64, (4,)),
    Truncation(REF, 16, (-1,)),
    Truncation(REF, 16, (4.0,)),
    Truncation(REF, 16, "ab"),
    Truncation(REF, 16, (3,)),
    Truncation(HUGE, 16, (1 << 40,)),
    Truncation(None, 16, (4,)),
    Truncation(MaskRef(0, (4,)), 16, (4,)),
    Truncation(MaskRef(1, (4,), "zzz"), 16, (4,)),
    Truncation(MaskRef(1, (4,), "u", 64), 16, (4,)),
    Truncation(MaskRef(1, (4,), views=("abc",)), 16, (4,)),
    Products(None, ((REF, REF),), (4,)),
    Products(MATMUL, ((REF, MaskRef(1, (5,))),), ()),
    And(1, 2, -4),
    And(1, 2, 1 << 40),
    Thermometers(REF, None, 62, 64, 4, 1),
    Thermometers(REF, None, 62, 2, 4, 1),
    Thermometers(REF, None, 62, 2, 30, 1),
    Thermometers(REF, None, 62, 16, 4, -1),
    Thermometers(REF, None, 62, 16, 4, 2),
    Thermometers(REF, None, -1, 16, 4, 1),
    Conjunctions(5, 1, 40, True, True, 1),
    Conjunctions(5, 1, 0, True, True, 1),
    Conjunctions(5, -1, 4, True, True, 1),
    Conjunctions(5, 1, 4, 7, True, 1),
    Conjunctions(5, 1, 4, True, True, 1 << 40),
    Selections(5, (-1,), (-1,), ()),
    Selections(5, (4,), (4,), (MaskRef(1, (5,)),)),
    Selections(5, (1 << 40,), (4,), ()),
    Selections(5, (4,), (4,), None),
    OneHot(REF, 40, (4,)),
    OneHot(REF, -1, (4,)),
    Harmonics(REF, 65, 1, 2, 24, (4,)),
    Harmonics(REF, 0, 1, 2, 24, (4,)),
    Harmonics(REF, 63.7, 1, 2, 24, (4,)),
    Harmonics(REF, 64, 1.5, 2, 24, (4,)),
    Harmonics(REF, 64, 1, 1 << 40, 24, (4,)),
    Harmonics(REF, 64, 1, 2, 100, (4,)),
    Powers(REF, None, 20, (4,)),
    Powers(REF, Exponential(16, 0, 17, 40, 30), 20, (4,)),
    Powers(REF, Exponential(16, 0, 64, 2, 30), 20, (4,)),
    Powers(REF, Exponential(16, 0, 17, 2, 30), 100, (4,)),
    Powers(REF, Exponential(16, 0, 17, 2, 30, 0.0), 20, (4,)),
]


@pytest.mark.parametrize("correlation", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_what_cannot_be_dealt_is_refused_by_name(correlation):
    wire, parts = Wire(), request(7, correlation)
    wire.ask(parts, [digest(parts)])
    with pytest.raises(FrameError, match=f"a request for {correlation.label}|malformed|the number of a mask"):
        wire.serve()


ONE, SQUARE = MaskRef(1, (1,)), MaskRef(1, (1 << 12, 1))
LARGER_THAN_ASKED = [
    Truncation(ONE.view(BroadcastTo((1 << 24,))), 16, (1,)),
    Truncation(MaskRef(1, (1, 256)).view(Index((np.zeros(1 << 16, np.int64),))), 16, (1,)),
    Products(MULTIPLY, ((SQUARE, SQUARE.view(Transpose((1, 0)))),), (1,)),
    Products(MATMUL, ((SQUARE, SQUARE.view(Transpose((1, 0)))),), (1,)),
    Thermometers(ONE.view(BroadcastTo((1 << 24,))), None, 62, 16, 4, 1),
    Selections(5, (1,), (1,), (ONE.view(BroadcastTo((1 << 24,))),)),
    OneHot(ONE.view(BroadcastTo((1 << 24,))), 2, (1,)),
    Harmonics(ONE.view(BroadcastTo((1 << 24,))), 64, 1, 2, 24, (1,)),
    Powers(ONE.view(BroadcastTo((1 << 24,))), Exponential(16, 0, 17, 2, 30), 20, (1,)),
    Shuffled(ONE, (ONE.view(BroadcastTo((1 << 24,))),), ((3,),)),
    Truncation(ONE.view(BroadcastTo((1 << 40,))), 16, (1 << 40,)),
    Truncation(MaskRef(1, (4,), views=(BroadcastTo((1 << 40, 4)), Index((0,)))), 16, (4,)),
]


@pytest.mark.parametrize("correlation", LARGER_THAN_ASKED, ids=range(len(LARGER_THAN_ASKED)))
def test_what_is_larger_than_asked_for_is_refused_before_it_is_made(correlation):
    wire, parts = Wire(), request(7, correlation)
    wire.ask(parts, [digest(parts)])
    tracemalloc.start()
    try:
        with pytest.raises(FrameError, match=r"whose operands give|a view of a mask"):
            wire.serve()
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@given(SHAPES, st.data())
def test_the_shape_of_what_is_gathered_is_numpys(shape, data):
    array, key = np.zeros(shape, np.uint8), []
    spread = data.draw(st.lists(st.integers(0, 2), max_size=2).map(tuple))
    for n in shape:
        kinds = [slice(None), slice(1, None), None, ...] + [0] * (n > 0)
        kinds += [np.zeros(spread, np.int64), np.zeros(spread[-1:], np.int64), np.arange(n) % 2 == 0]
        key.append(data.draw(st.sampled_from(kinds)))
    key += data.draw(st.sampled_from([[], [], [np.array(True)], [np.array(False)]]))
    try:
        expected = array[tuple(key)].shape
    except IndexError:
        return
    assert checks.seen(shape, Index(tuple(key))) == expected


def test_codec_brings_back_what_went_in():
    view = Index((1, None, ..., slice(None, 3, -1), np.array([[0, -1]]), np.array([True, False])))
    ref = MaskRef(3, (2, 5), "u", 16, (Transpose((1, 0)), Reshape((10,)), BroadcastTo((2, 10)), view))
    for correlation in (Products(MATMUL, ((ref, ref),), (4,)), Truncation(ref, 16, ()), And(1, 2, 3)):
        text, numbers, arrays = codec.encode((5, correlation))
        rest = iter([*arrays, np.zeros(1)])
        value, masks = codec.decode(text, rest)
        places = itertools.count(1)
        shown = re.sub(r"(number|[ab])=\d+", lambda found: f"{found[1]}={next(places)}", repr((5, correlation)))
        assert repr(value) == shown and masks == len(numbers) and len([*rest]) == 1


def test_a_branch_on_a_private_value_is_found_out():
    def program(party):
        x = party.input(np.ones(3) if party.index == 0 else None, owner=0)
        return (x * x if party.index == 0 else x @ x).reveal()

    with pytest.raises((DesyncError, PeerFailed)):
        mpc.simulate(program, protocol=Additive, timeout=10)
