"""Protocols that send secrets in plain text, each in a way of its own: the secrecy check must see every one."""

import numpy as np
import pytest

from mpc.testing import check_secrecy
from protocols.additive import Additive
from protocols.additive.dealer import serve


class Leaky(Additive):
    """Additive, with further messages for each array of words that is put in."""

    def input(self, value, owner, shape, boolean):
        if not boolean:
            self.leak(value, owner, shape)
        return super().input(value, owner, shape, boolean)

    def leak(self, value, owner, shape):
        raise NotImplementedError

    def send(self, value, owner, to, spare):
        """The owner sends an array to the parties in `to`, in the clear; `spare` has its dtype and shape."""
        me = self.endpoint.index
        if me == owner:
            self.endpoint.exchange("leak", [value], to=[i for i in to if i != owner], senders=())
        elif me in to:
            self.endpoint.exchange("leak", [spare], to=(), senders=[owner])


class ToTheLastPartyOnly(Leaky):
    name = "leaks to the last party"
    min_parties = max_parties = 3

    def leak(self, value, owner, shape):
        """Each owner tells party n - 1 alone: a check of one recipient's messages may look at another."""
        self.send(value, owner, [self.endpoint.size - 1], np.zeros(shape, np.uint64))


class SharesToTheLastParty(Leaky):
    """Shares of an input that all go to one party, which adds them up."""

    name = "opens to the last party"
    min_parties = max_parties = 3

    def input(self, value, owner, shape, boolean):
        x = super().input(value, owner, shape, boolean)
        if not boolean:
            me, last = self.endpoint.index, self.endpoint.size - 1
            to = range(last) if me == last else [last]
            self.endpoint.exchange("leak", [x.value], to=to, senders=None if me == last else [last])
        return x

    def leak(self, value, owner, shape):
        pass


class AsSignedWords(Leaky):
    def leak(self, value, owner, shape):
        if owner == 0:
            shown = None if value is None else self.other(value)
            self.send(shown, 0, range(self.endpoint.size), self.other(np.zeros(shape, np.uint64)))

    @staticmethod
    def other(value):
        return value.view(np.int64)


class AsFloats(AsSignedWords):
    @staticmethod
    def other(value):
        return value.astype(np.float64)


class AsBooleans(AsSignedWords):
    @staticmethod
    def other(value):
        return value.astype(bool)


class AFewWords(Leaky):
    def leak(self, value, owner, shape):
        if owner == 0:
            self.send(None if value is None else value.ravel()[:1279], 0, range(self.endpoint.size), np.zeros(1279, np.uint64))


class ManySmallMessages(Leaky):
    def leak(self, value, owner, shape):
        for row in range(40):
            self.send(None if value is None else value[row], owner, range(self.endpoint.size), np.zeros(shape[1], np.uint64))


class ToTheDealer(Leaky):
    def leak(self, value, owner, shape):
        if self.endpoint.index == owner == 0:
            self.endpoint.send_request("leak", [value])

    @classmethod
    def dealer(cls):
        def listen(endpoint):
            endpoint.receive_request(0)
            serve(endpoint)

        return listen


@pytest.mark.parametrize(
    ("leaky", "n", "message"),
    [
        (ToTheLastPartyOnly, 3, "'leak' .* to party 2.* not uniform"),
        (SharesToTheLastParty, 3, "total .* 'leak' .* at party 2 .* not uniform"),
        (AsSignedWords, 2, r"cannot be judged.*'leak'.*\(int64"),
        (AsSignedWords, 3, r"cannot be judged.*'leak'.*\(int64"),
        (AsFloats, 2, r"cannot be judged.*'leak'.*\(float64"),
        (AsBooleans, 2, r"cannot be judged.*'leak'.*\(bool"),
        (AFewWords, 2, "cannot be judged.*'leak'.*1279 elements"),
        (ManySmallMessages, 2, "all small arrays of 'leak' together are not uniform"),
        (ToTheDealer, 2, "'leak' .* from party 0 to the dealer.* not uniform"),
    ],
)
def test_the_secrecy_check_sees_a_leak(leaky, n, message):
    with pytest.raises(AssertionError, match=message):
        check_secrecy(leaky, [n])


def test_a_protocol_that_supports_none_of_the_sizes_does_not_pass():
    class ManyOnly(Additive):
        name = "many"
        min_parties = max_parties = 4

    with pytest.raises(AssertionError, match="many runs with 4 to 4 parties, so nothing was checked"):
        check_secrecy(ManyOnly)
    with pytest.raises(AssertionError, match="nothing was checked"):
        check_secrecy(Additive, [])
