"""One suite over all protocols, transports and numbers of parties; and the suite itself finds what is wrong."""

import numpy as np
import pytest

from mpc.contract import Protocol
from mpc.errors import UsageError
from mpc.testing import check_protocol, check_secrecy
from mpc.testing.conformance import in_memory
from protocols.additive import Additive, multiply, sharing
from protocols.additive.shares import Share
from protocols.additive.source import Source
from protocols.plaintext import Plaintext
from protocols.plaintext.protocol import Plain

PROTOCOLS = [Additive, Plaintext]


@pytest.mark.parametrize(("transport", "n"), [("memory", 2), ("memory", 3), ("memory", 5), ("zeromq", 2), ("zeromq", 5)])
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)
def test_a_protocol_does_what_the_contract_says(protocol, transport, n, over_zeromq):
    check_protocol(protocol, [n], run=in_memory if transport == "memory" else over_zeromq)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_transcript_of_additive_shows_no_secret(n):
    check_secrecy(Additive, [n])


# ------------------------------------------------------------------ the suite can fail


class WrongSquare(Plaintext):
    def square(self, x):
        return self.add(super().square(x), np.asarray(np.uint64(1)))


class TruncatesDown(Plaintext):
    """Wrong by one unit, where the value is negative and divisible."""

    def truncate(self, items, opening=()):
        minus_one = np.asarray(np.uint64(2**64 - 1))
        return [self.add(t, minus_one) for t in super().truncate(items, opening)]


class TalksTooMuch(Plaintext):
    def negate(self, x):
        self.endpoint.exchange("chat", [np.zeros(1, np.uint8)])
        return super().negate(x)


class TellsEverybody(Plaintext):
    def reveal(self, shares, to):
        return super().reveal(shares, range(self.endpoint.size))


class SecretlyChecksTheRange(Plaintext):
    secure = True


def changed(operation, change):
    """Plaintext, with one operation whose result is changed."""

    def wrong(self, *args, **options):
        return change(getattr(Plaintext, operation)(self, *args, **options))

    return type(f"Wrong_{operation}", (Plaintext,), {operation: wrong})


def one_more(x):
    return Plain(np.asarray(x.value + np.uint64(1)))


def last_flipped(x):
    value = x.value.copy()
    value.reshape(-1)[-1:] ^= True
    return Plain(value)


def a_thousandth_more(x):
    return Plain(np.asarray(x.value.view(np.int64) * 1.001).astype(np.int64).view(np.uint64))


OPTIONAL = {
    "at_least": last_flipped,
    "less": last_flipped,
    "equal": last_flipped,
    "floor": lambda results: [one_more(x) for x in results],
    "all": last_flipped,
    "to_words": one_more,
    "select": lambda results: [*results[:-1], one_more(results[-1])],
    "one_hot": lambda x: Plain(x.value[..., ::-1].copy()),
    "waves": lambda results: [results[0], a_thousandth_more(results[-1])],
    "exponential": a_thousandth_more,
}


@pytest.mark.parametrize("operation", OPTIONAL)
def test_a_wrong_comparison_selection_or_function_is_named_with_its_case(operation):
    with pytest.raises(AssertionError, match=f"case '{operation}"):
        check_protocol(changed(operation, OPTIONAL[operation]), [2])


def without(*operations, base=Plaintext):
    """A protocol that leaves these operations to the base class."""
    return type("Without", (base,), {name: getattr(Protocol, name) for name in operations})


def test_what_a_protocol_does_not_provide_is_left_out_and_nothing_else():
    for missing in (tuple(OPTIONAL), ("at_least",), ("less",), ("one_hot", "waves")):
        check_protocol(without(*missing), [2])
    with pytest.raises(UsageError, match="does not provide 'floor'"):  # provided in name only
        check_protocol(type("Refuses", (Plaintext,), {"floor": lambda self, items: self._lacks("floor")}), [2])
    with pytest.raises(AssertionError, match="case 'equal"):
        check_protocol(without("at_least", "less", "floor", base=changed("equal", last_flipped)), [2])


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (WrongSquare, "case 'square'"),
        (TruncatesDown, "case 'truncate by 1'"),
        (TalksTooMuch, "no communication"),
        (TellsEverybody, "this party must get None"),
        (SecretlyChecksTheRange, "secure protocol"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_a_wrong_protocol_is_named_with_its_case(protocol, words):
    with pytest.raises(AssertionError, match=words):
        check_protocol(protocol, [2])


def test_an_error_names_the_case(monkeypatch):
    monkeypatch.setattr(Plaintext, "square", lambda self, x: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        check_protocol(Plaintext, [2])
    assert any("square" in note for note in caught.value.__notes__)


def test_a_protocol_without_the_numbers_of_parties_is_not_passed_over():
    with pytest.raises(AssertionError, match="nothing was checked"):
        check_protocol(Additive, [7])


def test_the_secrecy_check_sees_values_in_the_clear():
    with pytest.raises(AssertionError, match="not uniform"):
        check_secrecy(Plaintext, [2])


@pytest.mark.parametrize("n", [2, 3])
def test_the_secrecy_check_sees_a_mask_that_hides_two_values(monkeypatch, n):
    fresh = Source.mask
    first = {}

    def reused(self, shape):
        mask = fresh(self, shape)
        ref, share = first.setdefault((id(self), shape), (mask.ref, mask._share))
        mask.ref, mask._share = ref, share
        return mask

    monkeypatch.setattr(Source, "mask", reused)
    with pytest.raises(AssertionError, match=r"minus .* not uniform"):
        check_secrecy(Additive, [n])


@pytest.mark.parametrize("method", ["bit_mask", "bit_planes"])
def test_the_secrecy_check_sees_a_mask_of_bits_that_hides_two_values(monkeypatch, method):
    fresh = getattr(Source, method)
    first = {}

    def reused(self, shape):
        return first.setdefault((id(self), shape), fresh(self, shape))

    monkeypatch.setattr(Source, method, reused)
    with pytest.raises(AssertionError, match=r"minus .* not uniform"):
        check_secrecy(Additive, [2])


def test_the_secrecy_check_sees_an_opening_without_a_mask(monkeypatch):
    monkeypatch.setattr(sharing.Mask, "hide", lambda self, x: np.zeros(x.shape, np.uint64) + x.value[..., :1])
    with pytest.raises(AssertionError, match="not uniform"):
        check_secrecy(Additive, [2])


def test_the_suite_sees_a_product_that_forgets_a_term(monkeypatch):
    monkeypatch.setattr(multiply, "_add_correlation", lambda z, pending, pairs: (pending.shares(), z)[1])
    with pytest.raises(AssertionError, match="multiply"):
        check_protocol(Additive, [3])


def test_the_suite_sees_a_share_that_is_added_by_two(monkeypatch):
    def add(self, x, y):
        return Share(np.asarray(np.add(x.value, y.value if isinstance(y, Share) else y)))

    monkeypatch.setattr(Additive, "add", add)
    with pytest.raises(AssertionError, match="add public"):
        check_protocol(Additive, [2])
