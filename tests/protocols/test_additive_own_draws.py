"""What n - 1 parties receive, beside all that they can derive from their own seeds: the two must have nothing in common."""

from itertools import cycle

import numpy as np
import pytest

from mpc.contract import MATMUL, MULTIPLY, Index
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.party import Endpoint, Keys
from mpc.randomness import Stream
from mpc.testing import Recorder, check_uniform, protocol_of, share_input

SEED = 20240229
SHAPE = (40, 40)


class Draws:
    """Streams that keep what they give, by their seeds: `stream` is a StreamFactory."""

    def __init__(self, size):
        self.size = size
        self.by_seed = {}

    def stream(self, seed):
        drawn = self.by_seed.setdefault(seed, {})

        class Noted(Stream):
            def draw(self, purpose, number, shape, dtype=np.uint64):
                array = super().draw(purpose, number, shape, dtype)
                drawn[purpose, number, tuple(shape), np.dtype(dtype).name] = array.copy()  # masks are overwritten later
                return array

        return Noted(seed)

    def known_to(self, parties):
        """[(name, array)]: all that these parties drew, or could have drawn, by themselves, with a dealer or with others."""
        found = {}
        for i in parties:
            keys = Keys.generate(self.size, SEED)[i]
            for name, seed in [
                (f"dealer {i}", keys.dealer[i]),
                *((f"pair {sorted((i, j))}", s) for j, s in keys.pairwise.items()),
            ]:
                found |= {f"{name}: {draw}": array for draw, array in self.by_seed.get(seed, {}).items()}
        return list(found.items())


def everything(party):
    """Every kind of opening and correction, on constant secrets."""
    p, last = protocol_of(party), party.size - 1
    x, y = share_input(p, np.full(SHAPE, 7, np.uint64)), share_input(p, np.full(SHAPE, 5, np.uint64), last)
    b = share_input(p, np.ones(8 * SHAPE[0] * SHAPE[1], bool))
    product = p.bilinear(MULTIPLY, x, y)
    (t,) = p.truncate([(p.bilinear(MATMUL, x, y), 16)], opening=[y])
    p.bilinear(MULTIPLY, t, p.square(y))
    p.bilinear(MULTIPLY, p.view(p.add(x, y), Index((slice(None, None, -1),))), product)
    p.and_(b, p.not_(p.and_(b, b)))


def run(n):
    """The endpoints' transcripts and draws."""
    recorders, draws = {}, Draws(n)

    def wrap(transport):
        recorders[transport.index] = Recorder(transport)
        return recorders[transport.index]

    simulate_job(Job(everything, (), n, timeout=60, seed=SEED), draws.stream, wrap)
    return [recorders[i].transcript for i in range(n + 1)], draws


def received(transcripts, n, honest):
    """[(name, array)] of what the others get: the honest party's parts of openings, the openings, and corrections."""
    reader = 1 if honest == 0 else 0
    rounds = zip(*(t.sent(to=0 if t.index == 1 else 1) if t.index == reader else t.sent(to=reader) for t in transcripts[:n]))
    found = []
    for i, messages in enumerate(rounds):
        for k, arrays in enumerate(zip(*(message.arrays for message in messages), strict=True)):
            add = np.bitwise_xor if arrays[0].dtype == np.uint8 else np.add
            name = f"array {k} of opening {i} ('{messages[0].label}')"
            found += [(f"party {honest}'s {name}", arrays[honest]), (f"the total of {name}", add.reduce(arrays))]
    if honest != n - 1:
        for i, message in enumerate(transcripts[n - 1].received(sender=n)):
            found += [(f"correction {i}.{k} ('{message.label}')", array) for k, array in enumerate(message.arrays)]
    return found


def check_against_own_draws(n):
    transcripts, draws = run(n)
    for honest in range(n):
        got, own = received(transcripts, n, honest), draws.known_to([i for i in range(n) if i != honest])
        pairs = [(a, b) for a in got for b in own if comparable(a[1], b[1])]
        matched = {a for (a, _), _ in pairs}
        assert matched == {name for name, _ in got}  # each has been compared with something
        assert any("mask" in b for _, (b, _) in pairs)
        assert any("'share" in b for _, (b, _) in pairs) is (n > 2 or honest == 1)  # the last party's are corrections
        for (a, x), (b, y) in pairs:
            difference = np.bitwise_xor(x, y) if x.dtype == np.uint8 else np.subtract(x, y.astype(x.dtype))
            check_uniform(difference, f"{a} minus {b}", 1e-6 / len(pairs))


def comparable(x, y):
    """Words of fewer bits are compared with the low bits of wider ones, packed bits with their like."""
    return x.size == y.size and (x.dtype == np.uint8) == (y.dtype == np.uint8) and x.itemsize <= y.itemsize


@pytest.mark.parametrize("n", [2, 3])
def test_what_is_received_differs_uniformly_from_all_that_is_drawn(n):
    check_against_own_draws(n)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("purpose", ["mask", "bits"])
def test_a_correction_that_is_one_of_the_last_partys_draws_fails(monkeypatch, n, purpose):
    """Such corrections are uniform, and jointly so: beside the receiver's own masks alone they show what they are."""
    send, turn = Endpoint.send_correction, cycle(range(1, 6))

    def own_draw(self, party, label, arrays):
        wanted = np.uint8 if purpose == "bits" else np.uint64
        number = next(turn)
        own = [self.dealer_streams[party].draw(purpose, number, a.shape, a.dtype) if a.dtype == wanted else a for a in arrays]
        send(self, party, label, own)

    monkeypatch.setattr(Endpoint, "send_correction", own_draw)
    with pytest.raises(AssertionError, match=r"correction .* minus dealer .* not uniform"):
        check_against_own_draws(n)
