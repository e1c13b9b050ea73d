"""The stream of masks against AES computed block by block, and the separation of its names."""

import ast
import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from mpc.randomness import SEED_BYTES, Stream, derive_seed, new_seed

SEED = bytes(range(32))
ROOT = Path(__file__).parents[2]
NUMBERS = st.integers(0, 2**64 - 1)


def blocks(seed, purpose, number, count):
    """AES-128 of the blocks number || 0, number || 1, ..., one by one, under the purpose's key."""
    key = hashlib.blake2b(purpose.encode(), key=seed, digest_size=16, person=b"mpc stream").digest()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return b"".join(encryptor.update(((number << 64) + k).to_bytes(16, "big")) for k in range(count))


@pytest.mark.parametrize("number", [0, 1, 255, 2**32, 2**63, 2**64 - 1])
@pytest.mark.parametrize("purpose", ["mask", "input", ""])
def test_the_keystream_is_aes_in_counter_mode(purpose, number):
    drawn = Stream(SEED).draw(purpose, number, (100,))
    assert drawn.tobytes() == blocks(SEED, purpose, number, 50)


def test_known_answer():
    # Computed once by the definition above; a change here changes what two releases derive from one seed.
    expected = hashlib.sha256(blocks(SEED, "mask", 7, 64)).hexdigest()
    assert expected == "cfec926c5c0ad5c1ba8c1279602c28fb01df48b2725583bab3a4031e3d49e694"
    assert hashlib.sha256(Stream(SEED).draw("mask", 7, (128,)).tobytes()).hexdigest() == expected


@pytest.mark.parametrize("size", [1 << 15, (1 << 15) + 1, (1 << 16) - 1, 3 * (1 << 15) + 5])
def test_long_arrays_go_on_where_a_chunk_ends(size):
    drawn = Stream(SEED).draw("mask", 3, (size,))
    assert drawn.tobytes() == blocks(SEED, "mask", 3, -(-size // 2))[: 8 * size]


@given(NUMBERS, st.lists(st.integers(0, 5), max_size=4), st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]))
def test_every_shape_and_type(number, shape, dtype):
    drawn = Stream(SEED).draw("mask", number, tuple(shape), dtype)
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    assert drawn.shape == tuple(shape)
    assert drawn.dtype == dtype
    assert drawn.flags.writeable
    assert drawn.tobytes() == blocks(SEED, "mask", number, -(-nbytes // 16))[:nbytes]


@given(NUMBERS, st.integers(0, 100), st.integers(0, 100))
def test_the_same_name_is_the_same_array_and_a_longer_one_begins_with_it(number, n, more):
    stream = Stream(SEED)
    first = stream.draw("mask", number, (n,))
    stream.draw("other", number, (5,))
    stream.draw("mask", number ^ 1, (5,))
    again = stream.draw("mask", number, (n + more,))
    assert np.array_equal(again[:n], first)
    assert np.array_equal(Stream(SEED).draw("mask", number, (n,)), first)


def test_no_two_names_share_a_block():
    # 16-byte blocks: of 4000 honest ones none repeats but with probability 4000^2 / 2^129.
    seeds = [SEED, derive_seed(SEED, "a"), derive_seed(SEED, "b"), new_seed()]
    seen = [
        block.tobytes()
        for seed in seeds
        for purpose in ("mask", "input", "zero", "mask 1", "")
        for number in (0, 1, 2, 255, 256, 2**32, 2**63, 2**64 - 2, 2**64 - 1)
        for block in Stream(seed).draw(purpose, number, (20, 2))
    ]
    assert len(set(seen)) == len(seen)


def test_derived_seeds():
    names = ["session", "dealer 0", "dealer 1", "pair 0 1", ""]
    seeds = [derive_seed(SEED, name) for name in names]
    assert {len(s) for s in seeds} == {SEED_BYTES}
    assert len({*seeds, SEED}) == len(names) + 1
    assert derive_seed(SEED, "session") == seeds[0]
    assert derive_seed(bytes(32), "session") != seeds[0]
    assert new_seed() != new_seed()


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_outside_the_counter_block(number):
    with pytest.raises(OverflowError):
        Stream(SEED).draw("mask", number, (1,))


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_seeds_of_another_length(seed):
    with pytest.raises(ValueError, match="32 bytes"):
        Stream(seed)


def test_a_stream_shows_and_pickles_nothing():
    import pickle

    assert "secret" in repr(Stream(SEED))
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Stream(SEED))


def test_the_words_look_uniform():
    # 64 bit positions of 2^16 words: each count is binomial with deviation 128; 7 of them in 64 trials: 10^-10.
    words = Stream(SEED).draw("mask", 0, (1 << 16,))
    counts = np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little").sum(axis=0, dtype=int)
    assert np.all(np.abs(counts - (1 << 15)) < 7 * 128)


def weak_randomness(source):
    """Names of other random generators that a module imports or uses."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "random" or alias.name == "numpy.random"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [n for n in names if n.startswith(("random.", "numpy.random"))]
        elif isinstance(node, ast.Attribute) and node.attr == "random" and getattr(node.value, "id", "") in ("np", "numpy"):
            found.append("np.random")
    return found


def test_the_check_below_finds_what_it_looks_for():
    for source in ("import random", "from random import choice", "np.random.default_rng()", "import numpy.random as r"):
        assert weak_randomness(source), source
    for source in ("from numpy import random", "import numpy as np\nx = np.random.normal()"):
        assert weak_randomness(source), source
    assert not weak_randomness("from mpc import randomness\nrandomness.new_seed()")


def test_nothing_else_feeds_a_mask():
    # made-up inputs, and public numbers from a seed that the parties draw jointly
    allowed = {ROOT / "mpc" / name for name in ("cli/doctor.py", "cli/onnx.py", "learn/base.py")}
    files = [p for folder in ("mpc", "protocols") for p in (ROOT / folder).rglob("*.py")]
    files = [p for p in files if p not in allowed and p.relative_to(ROOT).parts[1] not in ("testing", "bench")]
    assert len(files) > 40
    assert {str(p): weak_randomness(p.read_text()) for p in files if weak_randomness(p.read_text())} == {}
