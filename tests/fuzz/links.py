"""Whole messages of a peer: on a link, and where an endpoint waits for them."""

from mpc.errors import FrameError, PeerTimeout
from mpc.party import Endpoint
from mpc.transport import ArraySpec, Header, Kind, Transport
from mpc.transport.curve import CurveTransport
from mpc.transport.keyed import Contact
from mpc.transport.rendezvous import Rendezvous
from mpc.transport.reports import Reports
from tests.fuzz.source import pack, unpack
from tests.fuzz.wire import ARRAYS, KEYS, OWN, REPORTS, SESSION, SPECS, header, message


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
    with end.revealing() if integrity and what == b"x" else end.scope("fuzz"):  # a reveal is sealed
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
