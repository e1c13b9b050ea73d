"""Every target, by hypothesis: any bytes, and valid inputs that were altered."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target, TooMuch, broken, greedy

TOKENS = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b":",
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"true",
        b"[[]]",
        b'"\\ud800"',
        b"\n",
        b"\xff" * 8,
    ]
)
NUMBERS = st.sampled_from([0, 1, 64, 1 << 31, (1 << 32) - 1, 1 << 60, (1 << 64) - 1]).map(lambda n: n.to_bytes(8, "little"))


@st.composite
def altered(draw, seeds):
    """A seed with a few pieces replaced by others, also by pieces of the seeds."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        other = draw(st.sampled_from(seeds))
        begin = draw(st.integers(0, len(other)))
        splice = other[begin : begin + draw(st.integers(0, 60))]
        piece = draw(st.just(splice) | TOKENS | NUMBERS | st.binary(max_size=8))
        data = data[:start] + piece + data[start + draw(st.sampled_from([0, 1, len(piece), 20])) :]
    return data


def examine(target, examples):
    """Raises what is wrong with a target, by the smallest input for which it is."""

    @settings(max_examples=examples, report_multiple_bugs=False)
    @given(altered(target.seeds) | st.binary(max_size=300))
    def run(data):
        target(data)

    for seed in target.seeds:
        run = example(seed)(run)
    run()


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_errors_of_mpc(name):
    examine(TARGETS[name], 25)


@pytest.mark.parametrize(
    ("run", "seed", "error"), [(broken, b"y", KeyError), (greedy, b"M", TooMuch), (broken, b"x", None), (greedy, b"x", None)]
)
def test_what_is_broken_is_found(run, seed, error):
    target = Target(run, [b"x"])
    if error is None:
        target(seed)
    else:
        with pytest.raises(error):
            target(seed)


def test_the_engine_finds_what_is_broken():
    with pytest.raises(KeyError, match="a bug"):
        examine(Target(broken, [b"x"]), 1000)
