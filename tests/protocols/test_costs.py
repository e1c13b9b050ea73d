"""The formulas of the additive protocol against the meter, and its page against the formulas."""

import re
from pathlib import Path

import numpy as np
import pytest

import mpc
import protocols.additive
from mpc.contract import Conv2d, Exponential, Waves
from mpc.testing import protocol_of, share_input
from protocols.additive.cost import FORMULAS, table

K = {"k": 11}
SIZES = (11, 504, 513, 1024)  # rows of bits: 2 bytes; the longest of whole bytes; 65 bytes, so 72; and a full one
MATMUL = {"a": 3 * 5, "b": 5 * 4, "c": 3 * 4}
F = 16


def vectors(party, kind=float):
    values = np.arange(11).astype(kind)
    return tuple(party.input(values if party.index == owner else None, owner) for owner in (0, 1))


def matrices(party):
    x = party.input(np.ones((3, 5)) if party.index == 0 else None, 0)
    return x, party.input(np.ones((5, 4)) if party.index == 1 else None, 1)


def opened(t):
    _ = t * t
    return t


def linear(party):
    x, y = vectors(party)
    return lambda: [x + y, x - y, -x, x * 3, x.sum(), x.reshape(1, 11).T, x[2:5], x + 1.5, np.concatenate([x, y])]


def chain(party):
    x, y = vectors(party)
    t = (x * opened(y)).truncate()
    return lambda: t * y


def chain_truncate(party):
    multiply = chain(party)
    return lambda: multiply().truncate()


def unary(operation):
    return lambda party: (lambda x: lambda: operation(x))(vectors(party)[0])


def binary(operation, prepare=vectors):
    def program(party):
        x, y = prepare(party)
        return lambda: operation(x, y)

    return program


def truncation(prepare):
    def program(party):
        z = prepare(vectors(party)[0] * 1.5)
        return lambda: z.truncate()

    return program


def open_raw(z):
    """Opens z itself, at its own scale, by asking the protocol for its square."""
    z.context.protocol.square(z.share)
    return z


def matmul_opened(party):
    x, y = matrices(party)
    opened(x)
    return lambda: x @ y


def conv2d(party):
    x = party.input(np.ones((2, 3, 6, 5)) if party.index == 0 else None, 0)
    w = party.input(np.ones((4, 3, 3, 2)) if party.index == 1 else None, 1)
    return lambda: x.like(x.context.protocol.bilinear(Conv2d(), x.share, w.share))


def booleans(party):
    return vectors(party, bool)


def on_shares(operation, *, opened=False, rows=(), k=11):
    """The operation of the contract on (protocol, x, y, bits) of k elements; x and y opened before, or not."""

    def program(party):
        p = protocol_of(party)
        x, y = (share_input(p, np.arange(k, dtype=np.uint64) << np.uint64(16), owner) for owner in (0, 1))
        b = share_input(p, np.ones((*rows, k), bool))
        if opened:
            p.open([x, y])
        return lambda: operation(p, x, y, b)

    return program


def truncated(operation):
    def program(party):
        p = protocol_of(party)
        (t,) = p.truncate([(share_input(p, np.full(11, 5 << 16, np.uint64)), 16)])
        b = share_input(p, np.ones(11, bool))
        return lambda: operation(p, t, b)

    return program


def thresholds(count, k):
    return np.arange(count * k, dtype=np.uint64).reshape(count, k)


def relu(k):
    """Of a fresh product, with its truncation: what it opens serves that, its sign and its selection."""

    def program(party):
        p = protocol_of(party)
        x, y = (share_input(p, np.arange(k, dtype=np.uint64) << np.uint64(16), owner) for owner in (0, 1))
        z = p.bilinear(mpc.contract.MULTIPLY, x, y)

        def operation():
            positive = p.at_least(z, np.zeros((1, k), np.uint64))
            (t,) = p.truncate([(z, 16)])
            return p.select([(p.view(positive, mpc.contract.Index((0,))), t)])

        return operation

    return program


WAVES = [Waves(24, (0.5, 1.0, 0.25, 0.125), (0.0, 0.5, 0.5, 0.5), 24)] * 2
CURVE = Exponential(16, 0, 17, 3, 30)

PROGRAMS = [
    ("linear", linear, K),
    ("reveal", unary(lambda x: x.reveal()), K),
    ("reveal_bits", lambda party: booleans(party)[0].reveal, K),
    ("truncate", truncation(lambda z: z), K),
    ("truncate_opened", truncation(open_raw), K),
    ("multiply", binary(lambda x, y: x * y), K),
    ("multiply_truncate", binary(lambda x, y: (x * y).truncate()), K),
    ("square", unary(lambda x: x * x), K),
    ("chain", chain, K),
    ("chain_truncate", chain_truncate, K),
    ("matmul", binary(lambda x, y: x @ y, matrices), MATMUL),
    ("matmul", conv2d, {"a": 180, "b": 72, "c": 2 * 4 * 4 * 4}),
    ("matmul_opened", matmul_opened, MATMUL),
    ("public", unary(lambda x: [x * 0.7, x / 3, np.ones((2, 11)) @ x]), K),
    ("xor", binary(lambda p, q: [p ^ q, ~p, p & np.ones(11, bool)], booleans), K),
    ("and", binary(lambda p, q: p & q, booleans), K),
    ("and", binary(lambda p, q: p | q, booleans), K),
    ("input", lambda party: lambda: party.input(np.ones(11) if party.index == 0 else None, owner=0), K),
    ("to_words", on_shares(lambda p, x, y, b: p.to_words(b)), K),
    ("to_words", on_shares(lambda p, x, y, b: p.select([(b, np.arange(11, dtype=np.uint64))])), K),
    ("select", on_shares(lambda p, x, y, b: p.select([(b, x)])), K),
    ("select_opened", on_shares(lambda p, x, y, b: p.select([(b, x)]), opened=True), K),
    ("select_truncated", truncated(lambda p, t, b: p.select([(b, t)])), K),
    ("one_hot", on_shares(lambda p, x, y, b: p.one_hot(x, 16)), {**K, "s": 16}),
    ("one_hot", on_shares(lambda p, x, y, b: p.one_hot(x, 5)), {**K, "s": 8}),
    ("waves", on_shares(lambda p, x, y, b: p.waves(x, WAVES)), {**K, "h": 3}),
    ("exponential", on_shares(lambda p, x, y, b: p.exponential(x, CURVE)), {**K, "d": 8}),
]
for k in SIZES:
    PROGRAMS += [
        ("all_4", on_shares(lambda p, x, y, b: p.all(b), rows=(4,), k=k), {"k": k}),
        ("all_16", on_shares(lambda p, x, y, b: p.all(b), rows=(16,), k=k), {"k": k}),
        ("less", on_shares(lambda p, x, y, b: p.less(x, y), k=k), {"k": k}),
        ("less", on_shares(lambda p, x, y, b: p.at_least(x, thresholds(1, x.shape[0])), k=k), {"k": k}),
        ("less_opened", on_shares(lambda p, x, y, b: p.less(x, y), opened=True, k=k), {"k": k}),
        ("at_least", on_shares(lambda p, x, y, b: p.at_least(x, thresholds(3, x.shape[0])), k=k), {"k": k, "t": 3}),
        *(
            (f"at_least_{bits}", on_shares(lambda p, x, y, b, c=bits: p.at_least(x, thresholds(1, x.shape[0]), c), k=k), {"k": k})
            for bits in (16, 32, 46)
        ),
        ("equal", on_shares(lambda p, x, y, b: p.equal(x, y), k=k), {"k": k}),
        ("equal_opened", on_shares(lambda p, x, y, b: p.equal(x, y), opened=True, k=k), {"k": k}),
        ("floor", on_shares(lambda p, x, y, b: p.floor([(x, 16)]), k=k), {"k": k}),
        ("relu", relu(k), {"k": k}),
    ]


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(("name", "prepare", "sizes"), PROGRAMS, ids=[f"{p[0]}-{k}" for k, p in enumerate(PROGRAMS)])
def test_an_operation_costs_what_its_formula_says(name, prepare, sizes, n):
    def program(party):
        operation = prepare(party)
        with party.measure() as cost:
            operation()
        return cost

    formula = FORMULAS[name]
    for index, cost in enumerate(mpc.simulate(program, parties=n)):
        assert cost.rounds == formula.rounds
        assert cost.bytes_sent == formula.bytes_sent(n, sizes)
        assert cost.bytes_received == formula.bytes_sent(n, sizes)
        assert cost.offline_bytes == (formula.bytes_dealt(F, sizes) if index == n - 1 else 0)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_figures_of_comparison_and_relu(n):
    """By counters alone: 12.25 and 12.375 bytes an element, in 3 and 4 rounds."""
    x, y = (np.linspace(-3, 3, 2048), np.linspace(5, -7, 2048))

    def program(party):
        a, b, c, d = (party.input(value if party.index == 0 else None, 0) for value in (x, y, x, y))
        z = c * d
        costs = []
        for operation in (lambda: a < b, lambda: a < 0, lambda: np.maximum(z, 0).truncate()):
            with party.measure() as cost:
                operation()
            costs.append((cost.rounds, cost.bytes_sent / (n - 1) / 2048))
        return costs

    assert mpc.simulate(program, parties=n) == [[(3, 12.25), (3, 12.25), (4, 12.375)]] * n


@pytest.mark.parametrize("k", SIZES)
def test_digits_of_eight_bits_save_a_round(k):
    def program(party):
        p = protocol_of(party)
        x = share_input(p, np.zeros(k, np.uint64))
        with party.measure() as cost:
            p.at_least(x, np.zeros((1, k), np.uint64))
        return cost.rounds, cost.bytes_sent, cost.offline_bytes

    row = {11: 2, 504: 63, 513: 72, 1024: 128}[k]
    assert mpc.simulate(program, network="2ms") == [(2, 8 * k + 14 * row, 0), (2, 8 * k + 14 * row, 2408 * row)]


def costs_of(*operations):
    """(rounds, bytes) of operations on (protocol, x, y, bits) of 7 elements, one after the other."""

    def program(party):
        p = protocol_of(party)
        x, y = (share_input(p, np.arange(7, dtype=np.uint64)) for _ in "xy")
        b = share_input(p, np.ones(7, bool))
        costs = []
        for operation in operations:
            with party.measure() as cost:
                operation(p, x, y, b)
            costs.append((cost.rounds, cost.bytes_sent))
        return costs

    return mpc.simulate(program)[0]


def test_several_openings_and_selections_are_one_round():
    several = costs_of(lambda p, x, y, b: p.open([x, y, x]), lambda p, x, y, b: p.select([(b, x), (b, p.negate(y))]))
    assert several == [(1, 8 * 14), (1, 8 * 7 + 2)]


def test_several_floors_take_the_rounds_of_one():
    one, several = costs_of(lambda p, x, y, b: p.floor([(p.negate(x), 16)]), lambda p, x, y, b: p.floor([(x, 16), (y, 16)]))
    assert several == (one[0], 2 * one[1])


def test_every_formula_is_measured():
    assert {name for name, _, _ in PROGRAMS} == set(FORMULAS)


def test_the_page_shows_the_table_of_the_formulas():
    page = Path(protocols.additive.__file__).with_name("README.md").read_text()
    assert table() in page, "run `python -m protocols.additive.cost` and put its output into the page"


def test_every_section_of_the_page_that_the_code_names_exists():
    folder = Path(protocols.additive.__file__).parent
    headings = re.findall(r"^## (.*)$", (folder / "README.md").read_text(), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    named = {anchor for path in folder.glob("*.py") for anchor in re.findall(r"README\.md#([\w-]+)", path.read_text())}
    assert named
    assert named <= anchors
