"""mpc.testing itself: its names, its strategies, its masks, its recordings and its statistics."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import mpc.testing
from mpc.contract import MULTIPLY
from mpc.errors import RangeError
from mpc.testing import (
    RING_EDGES,
    Recorder,
    broadcastable_shapes,
    check_jointly_uniform,
    check_uniform,
    matmul_shapes,
    programs,
    protocol_of,
    ring_arrays,
    shapes,
    share_input,
    shares,
    signed_arrays,
    simulate,
    uniform_p_value,
)
from mpc.transport import MemoryHub


def test_importing_mpc_loads_no_test_tools():
    code = "import mpc, sys; print([m for m in ('mpc.testing', 'hypothesis', 'scipy', 'pytest') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_simulations_need_neither_hypothesis_nor_scipy():
    code = (
        "from mpc.testing import simulate, check_protocol; import sys; print('hypothesis' in sys.modules, 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False False"


def test_every_public_name_exists():
    for name in mpc.testing.__all__:
        assert getattr(mpc.testing, name).__class__.__name__ != "module", name
    assert set(mpc.testing.__all__) <= set(dir(mpc.testing))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mpc.testing.nothing  # noqa: B018


def test_tools_that_undo_security_say_so_in_their_names():
    assert "insecure_masks" in mpc.testing.__all__
    with pytest.raises(TypeError):
        simulate(lambda party: None, masks=0)


# ------------------------------------------------------------------ strategies


@given(shares(3, shapes()))
def test_shares_add_up(drawn):
    secret, parts = drawn
    assert len(parts) == 3
    assert np.array_equal(np.add(np.add(parts[0], parts[1]), parts[2]), secret)


@given(signed_arrays(shapes(), 30))
def test_signed_arrays_keep_their_bound(array):
    assert array.dtype == np.uint64
    assert np.all(np.abs(array.view(np.int64)) < 1 << 30)


@given(broadcastable_shapes(3), matmul_shapes())
def test_shapes_fit(three, two):
    np.broadcast_shapes(*three)
    np.matmul(*(np.zeros(shape) for shape in two))


QUICK = settings(max_examples=5000, deadline=None, phases=[Phase.generate])


@pytest.mark.parametrize("edge", [0, 1, 1 << 62, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, 3 << 62])
def test_edges_are_drawn(edge):
    assert edge in RING_EDGES
    find(ring_arrays((4,)), lambda array: edge in array, settings=QUICK)


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (shapes(), lambda s: s == ()),
        (shapes(), lambda s: 0 in s and len(s) > 1),
        (broadcastable_shapes(), lambda s: len(s[0]) != len(s[1]) and 0 not in s[0] + s[1] and s[0] and s[1]),
        (matmul_shapes(), lambda s: len(s[0]) == 1 and len(s[1]) == 3),
        (matmul_shapes(), lambda s: s[0][-1] == 0 and len(s[1]) > 1 and s[1][-1] > 0),
        (signed_arrays((2,), 62), lambda a: (1 << 62) - 1 in a),
        (programs(), lambda p: any("@" in step.text for step in p.steps)),
        (programs(), lambda p: len(p.steps) > 3),
    ],
)
def test_special_cases_are_drawn(strategy, wanted):
    find(strategy, wanted, settings=QUICK)


def test_a_random_program_finds_a_wrong_result():
    program = find(programs(), lambda p: any(v.size and np.abs(v).max() > 1 for v in p.expected()), settings=QUICK)
    results = tuple(np.asarray(v) for v in program.expected())
    program.check(results)
    with pytest.raises(AssertionError, match="beyond the bound"):
        program.check(tuple(v * 1.01 + 2**-8 for v in results))


# ------------------------------------------------------------------ masks


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        (1 << 63, np.full(6, 1 << 63, np.uint64)),
        (np.array([5, 2**64 - 1], np.uint64), np.array([5, 2**64 - 1] * 3, np.uint64)),
        (lambda number, shape: np.full(shape, number, np.uint64), np.ones(6, np.uint64)),
    ],
    ids=["word", "array", "function"],
)
def test_openings_are_the_value_plus_the_chosen_masks(n, masks, expected):
    x = np.arange(6, dtype=np.uint64)

    def program(party):
        p = protocol_of(party)
        secret = share_input(p, x)
        (square,) = p.reveal([p.square(secret)], [0])
        return secret.known.public, square

    results = simulate(program, parties=n, insecure_masks=masks).results
    assert all(np.array_equal(opened, x + expected) for opened, _ in results)
    assert np.array_equal(results[0][1], x * x)


# ------------------------------------------------------------------ recordings


def test_a_recording_has_each_message_on_both_sides():
    def program(party):
        x = party.input(np.arange(5.0) if party.index == 0 else None, owner=0)
        return (x * x).reveal(to=1)

    simulation = simulate(program, parties=3, record=True)
    assert [t.index for t in simulation.transcripts] == [0, 1, 2, 3]
    for sender in simulation.transcripts:
        for receiver in simulation.transcripts:
            sent = [(m.label, m.specs, [a.tobytes() for a in m.arrays]) for m in sender.sent(to=receiver.index)]
            got = [(m.label, m.specs, [a.tobytes() for a in m.arrays]) for m in receiver.received(sender=sender.index)]
            assert got == sent[: len(got)]
            assert {label for label, _, _ in sent[len(got) :]} <= {"deal.end"}
    assert [m.label for m in simulation.transcripts[1].received("reveal")] == ["reveal"] * 2
    assert simulation.transcripts[0].received("reveal") == []
    assert "arrays=" not in repr(simulation.transcripts[0].sent()[0])


def test_a_recorder_does_not_hide_an_error():
    def program(party):
        return party.input(np.array([2.0**40]) if party.index == 0 else None, owner=0)

    with pytest.raises(RangeError):
        simulate(program, record=True, timeout=10)


def test_a_recorder_leaves_broken_headers_to_the_reader():
    hub = MemoryHub(2)
    recorder = Recorder(hub.transport(0))
    hub.transport(1).send(0, b"no header", [b"x"])
    assert recorder.receive(1, 1.0)[0] == b"no header"
    assert recorder.transcript.messages == []


# ------------------------------------------------------------------ statistics


def uniform(size, seed, dtype=np.uint64):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, size, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_uniform_words_pass_at_the_rate_promised(dtype):
    values = [uniform_p_value(uniform(5000, seed, dtype)) for seed in range(200)]
    assert all(0 < p <= 1 for p in values)
    assert sum(p < 0.1 for p in values) < 45  # 20 expected
    assert min(values) > 1e-6


@pytest.mark.parametrize("byte", range(8))
def test_one_uneven_byte_of_eight_fails(byte):
    words = uniform(20000, 1)
    columns = words.view(np.uint8).reshape(-1, 8)
    columns[: len(columns) // 4, byte] &= 0xFE
    with pytest.raises(AssertionError, match="the words are not uniform"):
        check_uniform(words)


def test_too_few_words_are_an_error_not_a_pass():
    with pytest.raises(ValueError, match="too few"):
        uniform_p_value(uniform(100, 1))
    with pytest.raises(AssertionError, match="cannot be judged"):
        check_jointly_uniform([("few", uniform(100, 1))])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_a_constant_difference_fails_jointly_only(dtype):
    x = uniform(5000, 1, dtype)
    y = x ^ np.uint8(9) if dtype == np.uint8 else x - np.uint64(9)
    check_uniform(x)
    check_uniform(y)
    with pytest.raises(AssertionError, match="a minus b"):
        check_jointly_uniform([("a", x), ("b", y.reshape(50, 100)), ("c", uniform(5000, 2, dtype))])
    check_jointly_uniform([("a", x), ("c", uniform(5000, 2, dtype))])


@settings(max_examples=20, deadline=None)
@given(masks=st.sampled_from(RING_EDGES))
def test_chosen_masks_leave_other_randomness_alone(masks):
    def program(party):
        p = protocol_of(party)
        x = share_input(p, np.zeros(4, np.uint64))
        return p.bilinear(MULTIPLY, x, x).value.tolist()

    first, second = (simulate(program, insecure_masks=masks).results for _ in range(2))
    assert first != second
