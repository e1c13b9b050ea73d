"""What peers send, piece by piece: frames, greetings, reports, claims."""

import struct

import numpy as np

from mpc.checkpoints.agreement import Claim, Status, agree
from mpc.errors import FrameError
from mpc.party import Keys
from mpc.transport import ArraySpec, Header, Kind, as_arrays, chunks, reports
from mpc.transport.frames import joined, origin, split
from mpc.transport.handshake import Hello, compare, pair_seed, session_of
from mpc.transport.reports import Cause, Report, Reports
from tests.fuzz.source import pack, unpack

KEYS = Keys.generate(2, seed=7)
SESSION = KEYS[0].session
SPECS = (ArraySpec("uint64", (2, 3)), ArraySpec("uint8", (5,)), ArraySpec("bool", (3,)))
ARRAYS = [np.arange(6, dtype=np.uint64).reshape(2, 3), np.arange(5, dtype=np.uint8), np.array([True, False, True])]


def header(kind=Kind.DATA, sender=1, sequence=0, label="open", specs=SPECS, session=SESSION):
    return Header(kind, session, sender, sequence, label, specs).encode()


def message(*args, arrays=ARRAYS, **kwargs):
    return joined([header(*args, **kwargs), *arrays])


# ------------------------------------------------------------------ parsers


def frames(data):
    """One joined message, or header and payload as they are."""
    try:
        first, *payload = split(memoryview(data))
    except FrameError:
        first, *payload = unpack(data, 3)
    first = bytes(first)
    origin(first)
    found = Header.decode(first)
    assert found.encode() == first
    for whole in (payload, chunks.whole(first, payload)):
        for array, spec in zip(as_arrays(found, whole), found.arrays, strict=True):
            assert (array.dtype.name, array.shape) == spec and not array.flags.writeable


FRAMES = [
    message(),
    pack(header(), ARRAYS[0].tobytes(), ARRAYS[1].tobytes() + ARRAYS[2].tobytes()),
    message(specs=(ArraySpec("float64", (0, 1 << 40)),), arrays=[b""]),
    message(Kind.ANNOUNCE, specs=(ArraySpec("int64", (1 << 40,)),), arrays=[]),
    struct.pack("<2I", 1, 4) + b"mpc1",
]
OWN = Hello.draw({"parties": "2", "program": ""}, {"host": "a"})


def hello(data):
    other = Hello.decode(data)
    session = session_of({0: OWN, 1: other})
    assert len(pair_seed(session, OWN.nonce, other.secret)) == 32
    for text in (*other.agree.values(), *other.facts.values()):
        text.encode()
    compare(OWN, "party 0", other, "party 1")


HELLOS = [
    OWN.to(bytes(32)),
    Hello.draw({"parties": "3", "program": "x"}, {}).to(bytes(32)),
    b'[{"wire version": "\\ud800\\u001b"}, {}, "", ""]',
    b"[" * 3000,
]


def report(data):
    """Reports of others: what they come to is shown to the user."""
    known = Reports(0, 3)
    for each in reports.decode(data, 3):
        known.add(each)
    known.complete()
    reports.decode(known.encode(), 3)
    if list(known):
        found = reports.verdict(list(known), 2)
        for text in (found.text, found.operation):
            assert reports.printable(text) == text[: len(reports.printable(text))]
            text.encode()


REPORTS = [
    reports.encode([Report(0, Cause.TIMEOUT, 1, "open", "late"), Report(1, Cause.STOPPED, 2), Report(2, Cause.FAILED, 2)]),
    reports.encode([Report(0, Cause.LOST, 1, "open"), Report(2, Cause.LOST, 1), Report(0, Cause.LOST, 2)]),
    reports.encode([Report(0, Cause.TIMEOUT, 1, "open"), Report(1, Cause.TIMEOUT, 0, "open")]),
    reports.encode([Report(1, Cause.TIMEOUT, 2, "\x1b[2J\ud800", "\x1b]0;x\x07")]),
]


def claims(data):
    """What parties announce of their checkpoints. An exchange takes arrays of one size only."""
    size = len(CLAIM.encode())
    agree([Claim.decode(np.frombuffer(part.ljust(size, b"\0")[:size], np.uint8)) for part in (data[:size], data[size:])])


CLAIM = Claim(bytes(16), True, Status.CUT_OFF, 1 << 16, ((1, bytes(16)), (2, b"x" * 16)))
CLAIMS = [CLAIM.encode().tobytes() * 2, Claim(bytes(16), False, Status.EMPTY, 0, ()).encode().tobytes() * 2]
