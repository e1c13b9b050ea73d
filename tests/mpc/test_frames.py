"""The header frame: everything it can say comes back, and nothing else is accepted."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc.errors import FrameError
from mpc.transport import ArraySpec, Header, Kind, as_arrays
from mpc.transport.frames import joined, origin, split

DTYPES = ["uint64", "uint8", "uint16", "uint32", "int64", "float64", "bool"]
SPECS = st.builds(ArraySpec, st.sampled_from(DTYPES), st.lists(st.integers(0, 200), max_size=5).map(tuple))
HEADERS = st.builds(
    Header,
    st.sampled_from(list(Kind)),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**64 - 1),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.lists(SPECS, max_size=4).map(tuple),
)


@given(HEADERS)
def test_round_trip(header):
    data = header.encode()
    assert Header.decode(data) == header
    assert origin(data) == (header.kind, header.session, header.sender)


@given(HEADERS, st.data())
def test_a_header_that_was_cut_or_extended_is_refused(header, data):
    encoded = header.encode()
    with pytest.raises(FrameError):
        Header.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    with pytest.raises(FrameError):
        Header.decode(encoded + data.draw(st.binary(min_size=1, max_size=9)))


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_frame_error(data):
    for text in (data, b"mpc1" + data):
        with suppress(FrameError):
            assert Header.decode(text).encode() == text


@given(HEADERS, st.data())
def test_a_flipped_byte_decodes_to_itself_or_raises_frame_error(header, data):
    encoded = bytearray(header.encode())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FrameError):
        assert Header.decode(bytes(encoded)).encode() == encoded


def described(*arrays):
    """A header that describes arrays as given: (dtype code, shape)."""
    head = Header(Kind.DATA, bytes(16), 0, 0, "x").encode()[:-1] + bytes([len(arrays)])
    return head + b"".join(bytes([code, len(shape)]) + struct.pack(f"<{len(shape)}Q", *shape) for code, shape in arrays)


@pytest.mark.parametrize(
    "data",
    [
        described((7, (1,))),  # no such dtype
        described((0, (1,) * 65)),  # more axes than NumPy has
        described((0, (2**63,))),
        described((0, (2**40, 2**40))),
        described((0, (0, 2**63))),  # no bytes, and still more than NumPy takes
        described((0, (2**64 - 1,) * 64)),
        b"",
    ],
)
def test_impossible_arrays_are_refused(data):
    with pytest.raises(FrameError):
        Header.decode(data)


@pytest.mark.parametrize("kind", [6, 200, 255])
def test_unknown_kinds_are_refused(kind):
    data = bytearray(Header(Kind.DATA, bytes(16), 0, 0, "x").encode())
    data[4] = kind
    with pytest.raises(FrameError):
        Header.decode(bytes(data))


SMALL = st.builds(ArraySpec, st.sampled_from(DTYPES), st.lists(st.integers(0, 6), max_size=4).map(tuple))


@given(SMALL, st.integers(-20, 20))
def test_payload_must_have_the_described_size(spec, error):
    header = Header(Kind.DATA, bytes(16), 0, 0, "x", (spec,))
    size = spec.nbytes + error
    if error == 0:
        (array,) = as_arrays(header, [bytes(size)])
        assert (array.dtype.name, array.shape) == (spec.dtype, spec.shape)
    elif size >= 0:
        with pytest.raises(FrameError):
            as_arrays(header, [bytes(size)])


def test_number_of_frames_must_match():
    header = Header(Kind.DATA, bytes(16), 0, 0, "x", (ArraySpec("uint8", (1,)),))
    for payload in ([], [b"1", b"1"]):
        with pytest.raises(FrameError):
            as_arrays(header, payload)


def test_truth_values_are_0_or_1():
    header = Header(Kind.DATA, bytes(16), 0, 0, "x", (ArraySpec("bool", (2,)),))
    assert as_arrays(header, [b"\0\1"])[0].tolist() == [False, True]
    with pytest.raises(FrameError):
        as_arrays(header, [b"\0\2"])


def test_arrays_are_views_read_only_and_aligned():
    header = Header(Kind.DATA, bytes(16), 0, 0, "x", (ArraySpec("uint64", (4,)),))
    data = np.arange(4, dtype=np.uint64)
    (view,) = as_arrays(header, [data])
    assert np.shares_memory(view, data) and not view.flags.writeable
    shifted = memoryview(bytearray(33))[1:]
    (copied,) = as_arrays(header, [shifted])
    assert copied.flags.aligned and not copied.flags.writeable


@pytest.mark.parametrize("dtype", [">u8", "float32", "O", "M8[s]", "complex128"])
def test_other_dtypes_are_not_described(dtype):
    with pytest.raises(FrameError, match="cannot be sent"):
        ArraySpec.of(np.zeros(2, dtype))


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_joined_frames_come_apart_again(frames):
    data = joined([*frames, np.arange(6, dtype=np.uint16).reshape(2, 3)])
    *parts, last = split(memoryview(data))
    assert [bytes(part) for part in parts] == frames
    assert bytes(last) == np.arange(6, dtype=np.uint16).tobytes()
    for wrong in (data[:-1], data + b"x"):
        with pytest.raises(FrameError):
            split(memoryview(wrong))


def test_a_message_of_no_frames_is_refused():
    with pytest.raises(FrameError, match="without a header"):
        split(memoryview(joined([])))


@given(st.binary(max_size=60))
def test_any_bytes_come_apart_or_raise_frame_error(data):
    with suppress(FrameError):
        assert joined(split(memoryview(data))) == data
