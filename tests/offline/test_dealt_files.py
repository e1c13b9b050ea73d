"""Dealt files: opened by their party alone, believed from their dealer alone, and refused where anything was altered."""

import json
import stat
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mpc
from mpc.errors import DealtFileError
from mpc.offline import Expectation, file, open_dealt
from mpc.offline.file import CORRECTIONS, REQUESTS, Writer
from mpc.offline.reader import Reader
from mpc.offline.sealing import CHUNK, TAG, public_of
from mpc.randomness import new_seed

PARTY, DEALER = new_seed(), new_seed()
FACTS = {"deal": "ab" * 16, "party": "a", "index": 0, "parties": 2, "protocol": "additive", "program": "00", "cluster": ""}


def write(path, streams, dealer=DEALER, party=PARTY):
    """A file of as many runs as there are pairs of streams; its bytes."""
    writer = Writer(path, FACTS | {"runs": len(streams)}, dealer, public_of(party))
    for run, pair in enumerate(streams):
        for name, parts in zip((REQUESTS, CORRECTIONS), pair, strict=True):
            writer.begin(run, name)
            for part in parts:
                writer.write(part)
    writer.complete()
    writer.publish()
    writer.close()
    return path.read_bytes()


def read(path, party=PARTY, dealer=DEALER):
    """All streams, after checking the whole file."""
    reader = Reader(path, party, public_of(dealer))
    try:
        reader.verify()
        streams = [reader.stream(run, name) for run in range(reader.header.runs) for name in (REQUESTS, CORRECTIONS)]
        return [bytes(stream.read(stream.left)) for stream in streams]
    finally:
        reader.close()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_streams_come_back_as_they_were(tmp_path, size):
    data = np.random.default_rng(size).bytes(size)
    content = write(tmp_path / "f", [([data[:7], data[7:]], []), ([data], [b"", data])])
    assert read(tmp_path / "f") == [data, b"", data, data]
    assert size < 16 or data[:100] not in content
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_the_header_can_be_read_by_anybody(tmp_path):
    content = write(tmp_path / "f", [([b"x"], [])])
    header = json.loads(content[content.index(b"{") : content.index(b"}") + 1])
    assert header["runs"] == 1 and header["ring"] == "Z/2^64" and header["to"] == public_of(PARTY).hex()


def test_every_byte_counts(tmp_path):
    path = tmp_path / "f"
    content = write(path, [([b"requests"], [b"corrections"])])
    for place in range(len(content)):
        for bit in (1, 1 << place % 8):
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            with pytest.raises(DealtFileError):
                read(path)
    path.write_bytes(content)
    assert read(path) == [b"requests", b"corrections"]


def test_no_file_may_be_cut_or_longer(tmp_path):
    path = tmp_path / "f"
    content = write(path, [([b"requests"], [b"corrections"])])
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DealtFileError):
            read(path)
    for more in (content + b"\0", content + content, content + content[-16:]):
        path.write_bytes(more)
        with pytest.raises(DealtFileError):
            read(path)


def sealed(content, data):
    """Where the chunks of the file's first stream are; it has the data."""
    begin = content.index(b"}") + 1
    return [slice(begin + k * (CHUNK + TAG), begin + (k + 1) * (CHUNK + TAG)) for k in range(len(data) // CHUNK)]


def test_chunks_keep_their_places(tmp_path):
    path, data = tmp_path / "f", bytes(3 * CHUNK)  # all chunks of one length
    content = write(path, [([data], []), ([data], [])])
    first, second, third = sealed(content, data)
    other_run = slice(third.stop + TAG, third.stop + TAG + CHUNK + TAG)  # an empty stream lies between
    for a, b in [(first, second), (second, third), (first, third), (first, other_run)]:
        swapped = bytearray(content)
        swapped[a], swapped[b] = content[b], content[a]
        path.write_bytes(swapped)
        with pytest.raises(DealtFileError, match=r"damaged, was cut off, or was altered"):
            read(path)


def test_chunks_of_another_file_for_the_same_party_are_refused(tmp_path):
    data = bytes(CHUNK)
    a, b = (write(tmp_path / name, [([data], [])]) for name in "ab")
    (place,) = sealed(a, data)
    mixed = bytearray(a)
    mixed[place] = b[place]
    (tmp_path / "a").write_bytes(mixed)
    with pytest.raises(DealtFileError, match="altered"):
        read(tmp_path / "a")


def test_who_says_that_it_is_the_dealer_is_not_believed(tmp_path, monkeypatch):
    """Not even where it knows all public keys, and writes the file from the beginning."""
    posing, honest = new_seed(), public_of
    monkeypatch.setattr(file, "public_of", lambda secret: honest(DEALER if secret == posing else secret))
    write(tmp_path / "f", [([b"requests"], [])], dealer=posing)
    with pytest.raises(DealtFileError, match="altered"):
        read(tmp_path / "f")
    write(tmp_path / "g", [([b"requests"], [])])
    assert read(tmp_path / "g") == [b"requests", b""]


def test_other_keys_are_refused(tmp_path):
    path = tmp_path / "f"
    content = write(path, [([b"requests"], [])])
    with pytest.raises(DealtFileError, match="another key than the one given, that of 'a'"):
        read(path, party=new_seed())
    with pytest.raises(DealtFileError, match="another dealer"):
        read(path, dealer=new_seed())
    zero = content.replace(json.loads(content[content.index(b"{") : content.index(b"}") + 1])["ephemeral"].encode(), b"00" * 32)
    path.write_bytes(zero)
    with pytest.raises(DealtFileError, match="X25519"):
        read(path)


def test_what_is_no_dealt_file(tmp_path):
    for name, content in {"empty": b"", "text": b"hello" * 100, "long": b"mpc dealt file\n" + b"\xff" * 100}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DealtFileError, match="no dealt file"):
            read(tmp_path / name)
    for missing in (tmp_path / "missing", tmp_path):
        with pytest.raises(DealtFileError, match="cannot be read"):
            read(missing)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_altered_anyhow(tmp_path, data):
    """Whatever is done to a file: it is refused by an error of ours, or it is the same."""
    path = tmp_path / "f"
    path.unlink(missing_ok=True)
    content = bytearray(write(path, [([b"requests" * 9], [b"corrections"]), ([b"r"], [])]))
    before = bytes(content)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 40)))
        content[start:end] = data.draw(st.binary(max_size=40))
    path.write_bytes(content)
    if content == before:
        assert len(read(path)) == 4
    else:
        with pytest.raises(mpc.Error):
            read(path)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from([*FACTS, "version", "runs", "to", "dealer", "ephemeral", "ring", "more"]), JSON))
def test_hostile_headers(tmp_path, fields):
    path = tmp_path / "f"
    path.unlink(missing_ok=True)
    content = write(path, [([b"r"], [])])
    begin, end = content.index(b"{"), content.index(b"}") + 1
    header = json.loads(content[begin:end]) | fields
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    path.write_bytes(content[: begin - 4] + len(text).to_bytes(4, "little") + text + content[end:])
    if text == content[begin:end]:
        read(path)
    else:
        with pytest.raises(mpc.Error):
            read(path)


def test_reading_takes_little_memory(tmp_path):
    """Of a file of 48 MiB, what is asked for and a few chunks are in memory at once."""
    part = bytes(3 * CHUNK // 2)
    write(tmp_path / "f", [([], [part] * 16), ([b"last"], [part] * 16)])
    tracemalloc.start()
    tracemalloc.clear_traces()  # of other tests' threads
    reader = Reader(tmp_path / "f", PARTY, public_of(DEALER))
    assert reader.stream(1, REQUESTS).read(4) == b"last"
    stream = reader.stream(1, CORRECTIONS)
    for _ in range(16):
        assert len(stream.read(len(part))) == len(part)
    reader.verify()
    reader.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(part) < peak < 8 * CHUNK


def test_writing_takes_little_memory(tmp_path):
    part = bytes(3 * CHUNK // 2)
    tracemalloc.start()
    write(tmp_path / "f", [([], [part] * 16)])
    peak = tracemalloc.get_traced_memory()[1] - (tmp_path / "f").stat().st_size  # which `write` returns
    tracemalloc.stop()
    assert peak < 8 * CHUNK


def test_a_file_for_something_else_is_refused(tmp_path):
    path = tmp_path / "f"
    write(path, [([bytes(64)], [])])
    expected = {"index": 0, "parties": 2, "protocol": "additive", "party": "a", "program": "00", "cluster": ""}

    def opened(**changes):
        return open_dealt(path, PARTY, public_of(DEALER), Expectation(**(expected | changes)))

    opened().close()
    for field, value in {"index": 1, "parties": 3, "protocol": "other", "party": "b", "program": "11", "cluster": "22"}.items():
        with pytest.raises(DealtFileError, match="was dealt for another"):
            opened(**{field: value})
    opened(party=None, program=None, cluster=None).close()


def test_nothing_secret_is_shown_or_pickled(dealt, programs):
    import pickle

    deal = dealt(programs.product)
    assert deal.keys[0].hex() not in repr(deal.dealt_job) and repr(deal.keys[0]) not in repr(deal.dealt_job)
    opened = deal.open()
    record = opened.claim(0)
    assert repr(record) == "Record(run=0)"
    for secret in (record, opened._reader.keys):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(secret)
    opened.close()
