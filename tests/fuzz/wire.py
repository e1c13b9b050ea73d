"""What peers send: frames, greetings, reports, whole messages on a link, and what endpoints make of them."""

import struct

import numpy as np

from mpc.checkpoints.agreement import Claim, Status, agree
from mpc.errors import FrameError, PeerTimeout
from mpc.party import Endpoint, Keys
from mpc.transport import ArraySpec, Header, Kind, Transport, as_arrays, curve, reports
from mpc.transport.curve import Contact, CurveTransport
from mpc.transport.frames import joined, origin, split
from mpc.transport.handshake import Hello, compare, pair_seed, session_of
from mpc.transport.rendezvous import Rendezvous
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
    for whole in (payload, curve._whole(first, payload)):
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

# ------------------------------------------------------------------ links


class Frame:
    """As pyzmq has it."""

    def __init__(self, content, more):
        self.bytes, self.buffer, self.more = content, memoryview(content), more

    def get(self, name):
        return "1"  # the key that ZAP has found: that of endpoint 1


class Inbox(list):
    """A ROUTER socket with messages, frame by frame."""

    def recv(self, copy=True):
        frame = self.pop(0)
        return frame.bytes if copy else frame


class Deaf(CurveTransport):
    """The link layer of endpoint 0, without sockets."""

    def __init__(self, begun):
        self.index, self.peers, self._parties, self._insecure = 0, (1, 2), 2, False
        self._contacts = [Contact(name, f"tcp://{name}:1", bytes(32)) for name in "abc"]
        self._names, self._indices = ["party 0 (a)", "party 1 (b)", "the dealer (c)"], {"1": 1}
        self._rendezvous = Rendezvous(0, self._names, ["a", "b", "c"], {"parties": "2"}, {})
        self._reports, self._queues, self._unread = Reports(0, 3), {1: [], 2: []}, dict.fromkeys((1, 2), 0)
        self._joined, self._session = begun, SESSION
        self._failure, self._finished, self._greeted = None, set(), set()
        self._proved, self._outboxes, self._inbox = ({b"known": 1} if begun else {}), {}, Inbox()


def link(data):
    """Messages of a peer that has the right key, before and after the run has begun."""
    begun, *messages = unpack(data, 5)
    end = Deaf(begun[:1] == b"1")
    for each in filter(None, messages):
        first, *more = unpack(each[1:], 1 + each[0] % 3)
        parts = [first, *more]
        end._inbox.extend([Frame(b"known", True), *(Frame(part, part is not parts[-1]) for part in parts)])
        end._inbox[-1].more = False
        end._take()
    if end._failure is not None:
        str(end._failure).encode()


def one(content):
    return b"\0" + content


def two(*frames):
    return b"\1" + pack(*frames)


GREETING = two(header(Kind.HELLO, specs=(), session=bytes(16)), OWN.to(bytes(32)))
END_HEADER = header(Kind.END, specs=(ArraySpec("uint8", (0,)),))
ABORT = header(Kind.ABORT, specs=(ArraySpec("uint8", (len(REPORTS[0]),)),))
LINKS = [
    pack(b"0", GREETING, one(message(Kind.READY, specs=(), arrays=[])), b"", b""),
    pack(b"1", one(message()), two(header(), ARRAYS[0].tobytes()), two(ABORT, REPORTS[0]), two(END_HEADER, b"")),
    pack(b"1", two(ABORT, REPORTS[1]), one(message(Kind.READY, specs=(), arrays=[])), GREETING, b""),
]

# ------------------------------------------------------------------ endpoints


class Script(Transport):
    """Gives one message, to whoever waits, and takes all."""

    def __init__(self, index, given):
        self.index, self.peers, self._given = index, (1 - index % 2,), given

    def send(self, to, header, payload=()):
        pass

    def receive(self, sender, timeout):
        if not self._given:
            raise PeerTimeout("nothing came", sender)
        return self._given.pop(0)

    def abort(self, reason):
        pass

    def close(self):
        pass


def endpoint(data):
    """One message of a peer that knows all keys it has to: what each kind of wait makes of it."""
    options, head, *payload = unpack(data, 5)
    what, integrity = options[:1], options[1:2] == b"1"
    at_dealer = what == b"r"
    given = []
    end = Endpoint(Script(2 if at_dealer else 0, given), 2, KEYS[2 if at_dealer else 0], integrity=integrity)
    peer = 2 if what == b"c" else 1
    given.append((head, [*payload[: options[2] % 4]] if len(options) > 2 else payload))
    if integrity:
        given[0] = sealed(end, peer, *given[0])
    waits = {
        b"x": lambda: end.exchange("open", ARRAYS),
        b"b": lambda: end.broadcast("open", 1, None),
        b"a": lambda: end.announce("open", 1),
        b"c": lambda: end.receive_correction("open", SPECS),
        b"r": lambda: end.receive_request(1),
    }
    with end.scope("fuzz"):
        waits.get(what, waits[b"x"])()
    end.confirm()


def sealed(end, peer, head, payload):
    """As the peer itself would seal it."""
    try:
        found = Header.decode(head)
    except FrameError:
        return head, payload
    head = found._replace(arrays=(*found.arrays, ArraySpec("uint8", (16,)))).encode()
    return head, [*payload, end._links._seal(peer, end.index, found.sequence, head, [*payload])]


RAW = [array.tobytes() for array in ARRAYS]
ENDPOINTS = [pack(what + flag + b"\3", header(), *RAW) for what in (b"x", b"r") for flag in (b"0", b"1")]
ENDPOINTS += [pack(b"b" + flag + b"\1", header(specs=SPECS[:1]), RAW[0], b"", b"") for flag in (b"0", b"1")]
ENDPOINTS += [pack(b"a0\0", header(Kind.ANNOUNCE), b"", b"", b""), pack(b"c1\3", header(sender=2), *RAW)]
