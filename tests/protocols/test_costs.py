"""The formulas of the additive protocol against the meter, and its page against the formulas."""

import re
from pathlib import Path

import numpy as np
import pytest

import mpc
import protocols.additive
from mpc.contract import Conv2d
from protocols.additive.cost import FORMULAS, table

K = {"k": 11}
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
