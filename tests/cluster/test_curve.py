"""CurveTransport: the suite of every transport, who gets in, and what a stranger or a hostile member can do."""

import json
import os
import socket
import time
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
import zmq

from mpc.errors import FrameError, HandshakeError, LinkLost, PeerFailed, PeerTimeout
from mpc.testing.transports import CHECKS, SESSION
from mpc.transport import ArraySpec, Header, Kind, as_arrays
from mpc.transport.chunks import CHUNK
from mpc.transport.curve import CurveTransport
from mpc.transport.keyed import Contact
from mpc.transport.rendezvous import NO_SESSION
from mpc.transport.sockets import SocketTransport

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.parametrize("insecure", [False, True], ids=["secure", "insecure"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_transport(machines, check, insecure):
    def make(size):
        met = machines(size, insecure=insecure)
        met.meet()
        for transport in met.transports:
            transport._session = SESSION
            # The suite is one thread, which cannot wait until all have finished.
            transport.finish = partial(SocketTransport.finish, transport)
        return met.transports

    check(make)


@pytest.fixture
def pair(machines):
    """Two endpoints that have met."""
    made = machines(2)
    made.meet()
    return made.transports


def header(kind=Kind.DATA, sender=1, sequence=0, session=SESSION, arrays=()):
    return Header(kind, session, sender, sequence, "open", tuple(arrays)).encode()


def send(transport, to, array, sequence=0, **fields):
    data = header(sender=transport.index, sequence=sequence, session=transport._session, arrays=[ArraySpec.of(array)], **fields)
    transport.send(to, data, [array])


def still_works(pair):
    """Endpoint 0 gets the genuine message of endpoint 1, whatever else has come."""
    send(pair[1], 0, np.arange(3, dtype=np.uint64), 77)
    data, payload = pair[0].receive(1, 10)
    assert Header.decode(data).sequence == 77 and bytes(payload[0]) == np.arange(3, dtype=np.uint64).tobytes()


class Stranger:
    """A client of endpoint 0: with the keys given it speaks CURVE, else it has none."""

    def __init__(self, address, server=None, keys=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if keys is not None:
            self.socket.curve_serverkey = zmq.utils.z85.encode(server)
            self.socket.curve_publickey, self.socket.curve_secretkey = keys
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.socket.connect(address)

    @property
    def gets_in(self):
        return bool(self.monitor.poll(700))

    def send(self, *frames):
        with suppress(zmq.Again):  # it is not let in
            self.socket.send_multipart(list(frames), flags=zmq.DONTWAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close()
        self.context.term()


# ---------------------------------------------------------------------------------------- who gets in


def member(machines, index):
    """The keys of a member, as ZeroMQ takes them."""
    return tuple(map(zmq.utils.z85.encode, machines.PAIRS[index]))


def test_only_listed_keys_get_in(machines):
    made = machines(2)
    made.meet()
    server, address = made.PAIRS[0][0], made.transports[0].address
    for keys, inside in [
        (member(made, 1), True),
        (zmq.curve_keypair(), False),
        (member(made, 4), False),
        (member(made, 0), False),
    ]:
        with Stranger(address, server, keys) as stranger:
            assert stranger.gets_in is inside
            stranger.send(header(session=made.transports[0]._session), b"forged")
            with pytest.raises(PeerTimeout):
                made.transports[0].receive(1, 0.1)
    still_works(made.transports)


def test_a_client_must_know_the_servers_key(machines):
    made = machines(2)
    made.meet()
    with Stranger(made.transports[0].address, made.PAIRS[2][0], member(made, 1)) as stranger:
        assert not stranger.gets_in
    still_works(made.transports)


def test_a_client_without_encryption_does_not_get_in(pair):
    with Stranger(pair[0].address) as stranger:
        assert not stranger.gets_in
        stranger.send(header(), b"x" * 8)
        stranger.send(header(Kind.ABORT), b"[]")
        with pytest.raises(PeerTimeout):
            pair[0].receive(1, 0.3)
    still_works(pair)


def test_raw_bytes_on_the_port_do_no_harm(pair):
    host, _, port = pair[0].address.removeprefix("tcp://").rpartition(":")
    for data in (b"", b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096), b"\xff" + b"\0" * 8 + b"\x7f" + b"\xff" * 64):
        with socket.create_connection((host.strip("[]"), int(port))) as raw:
            raw.sendall(data)
    still_works(pair)
    time.sleep(0.3)  # libzmq 4.3.5 aborts if it is closed amid a handshake with a peer of ZMTP 1.0


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([header(Kind.HELLO, 0, session=NO_SESSION), b"[]"], "it claims to be party 0, whose key it does not have"),
        ([header(Kind.HELLO, 9, session=NO_SESSION), b"[]"], "it claims to be party 9"),
        ([header(Kind.HELLO, 1, session=NO_SESSION), b"garbage"], "a malformed greeting"),
        ([header(Kind.HELLO, 1, session=NO_SESSION), b"[" * 60000], "a malformed greeting"),
        ([header(Kind.HELLO, 1, session=NO_SESSION), json.dumps([{}, {}, "", ""]).encode()], "other lengths"),
        ([header(Kind.HELLO, 1, session=NO_SESSION), b"x" * 70000], "at most 65536"),
        ([b"short", b"x"], "malformed"),
    ],
)
def test_a_member_that_greets_wrongly_is_named(machines, frames, why):
    """It has a listed key, so this is no stranger: the run ends."""
    made = machines(2)
    waiting = made.transports[0]
    with Stranger(waiting.address, made.PAIRS[0][0], member(made, 1)) as hostile:
        hostile.send(*frames)
        with pytest.raises(FrameError, match=r"party 1 .host-1., which is broken or hostile") as caught:
            waiting.meet({}, {}, 20)
    assert why in str(caught.value)


def test_one_too_large_a_frame_is_not_even_read(machines):
    made = machines(2)
    with Stranger(made.transports[0].address, made.PAIRS[0][0], member(made, 1)) as hostile:
        hostile.send(header(Kind.HELLO, 1, session=NO_SESSION), b"x" * (CHUNK * 4))
        assert all(meeting.session != NO_SESSION for meeting in made.meet())
    still_works(made.transports)


def test_an_insecure_transport_is_for_loopback():
    contacts = [Contact("a", "tcp://127.0.0.1:1", bytes(32)), Contact("b", "tcp://192.0.2.1:1", bytes(32))]
    for listen, known in [
        ("tcp://127.0.0.1:*", contacts),
        ("tcp://*:1", contacts[:1] * 2),
        ("tcp://0.0.0.0:1", contacts[:1] * 2),
    ]:
        with pytest.raises(HandshakeError, match="loopback"):
            CurveTransport(0, known, bytes(32), listen, 2, insecure=True)


def test_a_port_that_is_taken_is_named(machines):
    with pytest.raises(HandshakeError, match=r"cannot listen at .*: Address already in use"):
        machines(1, listen=machines(1).transports[0].address)


# ---------------------------------------------------------------------------------------- hostile members


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: header(sender=0, session=t._session), "it claims to be of endpoint 0"),
        (lambda t: header(session=b"s" * 16), "another session"),
        (lambda t: header(session=NO_SESSION), "another session"),
        (lambda t: header(Kind.END, session=b"s" * 16), "another session"),
        (lambda t: header(Kind.HELLO, session=t._session), "greets a second time"),
        (lambda t: b"short", "malformed"),
    ],
)
def test_a_member_speaks_for_itself_and_of_this_session(pair, change, why):
    pair[1].send(0, change(pair[1]))
    with pytest.raises(FrameError, match=r"party 0 .host-0. cannot read a message of party 1 .host-1.") as caught:
        pair[0].receive(1, 10)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"no json", b"[[7, 0, 0, '', '']]", b'[[1, 9, 0, "", ""]]', b"[[0,0,0]]", b"[" * 70000, b"[1]" * 50000]
)
def test_garbage_instead_of_reports_is_named(pair, data):
    pair[1]._outboxes[0].send_multipart([header(Kind.ABORT, session=pair[1]._session), data])
    with pytest.raises(FrameError, match=r"party 1 .host-1."):
        pair[0].receive(1, 10)


def test_more_than_a_peer_may_leave_unread(pair, monkeypatch):
    monkeypatch.setattr("mpc.transport.curve.UNREAD_BYTES", 10000)
    send(pair[1], 0, np.zeros(1000, np.uint64))
    send(pair[1], 0, np.zeros(2000, np.uint64))
    pair[0].receive(1, 10)
    with pytest.raises(FrameError, match="more than 10000 bytes of it wait"):
        pair[0].receive(1, 10)


# ---------------------------------------------------------------------------------------- meeting


def test_hosts_start_in_any_order(machines):
    for order in [(0, 1, 2), (2, 0, 1), (1, 2, 0)]:
        made = machines(3)

        def late(transport, order=order, made=made):
            time.sleep(order.index(transport.index) * 0.4)
            return transport.meet({}, {"mine": str(transport.index)}, 20)

        meetings = made.each(late)
        assert len({meeting.session for meeting in meetings}) == 1
        assert all(meeting.facts[i] == {"mine": str(i)} for meeting in meetings for i in range(3))
        assert all(meetings[i].seeds[j] == meetings[j].seeds[i] for i in range(3) for j in range(i))
        assert len({seed for meeting in meetings for seed in meeting.seeds.values()}) == 3


def test_one_starts_anew_before_the_others_came(machines):
    """Its first life is forgotten, also by who has greeted it."""
    made = machines(3)
    first = made.transports[1]

    def first_life(transport):
        if transport.index == 2:
            time.sleep(2)
        elif transport.index == 1:
            with pytest.raises(ZeroDivisionError):  # it dies without a word
                transport.meet({}, {}, 20, lambda missing: None if 0 in missing else 1 / 0)
            transport.close(0)
            made.transports[1] = CurveTransport(1, made.books[1], made.PAIRS[1][1], first.address, 3, 0.5)
            return made.transports[1].meet({}, {"life": "second"}, 20)
        return transport.meet({}, {}, 20)

    meetings = made.each(first_life)
    assert len({meeting.session for meeting in meetings}) == 1, meetings
    assert all(meeting.facts[1] == {"life": "second"} for meeting in meetings)


def test_who_is_missing_is_named_and_why(machines):
    made = machines(3)
    made.transports[1].close(0)
    told = []
    with pytest.raises(HandshakeError) as caught:
        made.transports[0].meet({}, {}, 0.9, told.append)
    text = str(caught.value)
    assert "party 0 (host-0) waited 0.9 s" in text and f"party 1 (host-1) at {made.books[0][1].address}: not reached" in text
    assert f"party 2 (host-2) at {made.books[0][2].address}: reached" in text
    assert told and set(told[-1]) == {1, 2}


def test_keys_that_do_not_fit_end_the_wait_at_all(machines):
    """Host 2 expects another key of host 1, and so it is told to host 0, with whom all is well."""
    made = machines(3)
    made.books[2][1] = made.books[2][1]._replace(public=made.PAIRS[4][0])
    errors = made.meet(wait=20)
    assert all(isinstance(error, HandshakeError | PeerFailed) for error in errors), errors
    assert all("key" in str(error) and "host-1" in str(error) and "host-2" in str(error) for error in errors), errors


def test_what_differs_is_named_alike_on_both_sides(machines):
    agree = {0: {"a": "1", "b": "2"}, 1: {"a": "1", "b": "3"}}
    errors = machines(2).meet(agree=agree)
    assert all(isinstance(error, HandshakeError | PeerFailed) for error in errors)
    assert all("b: party 0 (host-0) has 2, party 1 (host-1) has 3" in str(error) and "a:" not in str(error) for error in errors)


def test_ipv6(machines):
    made = machines(2, listen="tcp://[::1]:*")
    made.meet()
    assert made.transports[0].address.startswith("tcp://[::1]:")
    still_works(made.transports)


# ---------------------------------------------------------------------------------------- large and secret


SIZES = [0, 1, CHUNK - 8, CHUNK, CHUNK + 8, 2 * CHUNK - 8, 2 * CHUNK, 2 * CHUNK + 8, 3 * CHUNK]


@pytest.mark.parametrize("sizes", [[size] for size in SIZES] + [SIZES, [0, CHUNK, 0, CHUNK, 0], [2 * CHUNK, 0], [0, 0]])
def test_arrays_in_chunks(pair, sizes):
    arrays = [np.frombuffer(os.urandom(size), np.uint8) for size in sizes]
    data = header(sender=0, session=pair[0]._session, arrays=map(ArraySpec.of, arrays))
    for _ in range(2):
        pair[0].send(1, data, arrays)
    for _ in range(2):
        got, payload = pair[1].receive(0, 20)
        received = as_arrays(Header.decode(got), payload)
        assert bytes(got) == data and len(received) == len(arrays)
        assert all(np.array_equal(a, b) for a, b in zip(arrays, received, strict=True))
    assert not pair[1]._unread[0]


@pytest.mark.parametrize("insecure", [False, True], ids=["secure", "insecure"])
@pytest.mark.parametrize("words", [4, 20000])
def test_only_an_insecure_link_shows_what_it_carries(machines, faults, insecure, words):
    made = machines(2, insecure=insecure)
    wire = faults.Wire(made.transports[1].address)
    made.route(0, 1, wire.address)
    made.meet()
    secret = np.frombuffer(os.urandom(8 * words), np.uint64)
    send(made.transports[0], 1, secret)
    assert bytes(made.transports[1].receive(0, 20)[1][0]) == secret.tobytes()
    made.close()
    wire.close()
    sent = bytes(wire.seen)
    assert (secret.tobytes()[:32] in sent) is insecure
    assert (b"open" in sent) is insecure
    assert len(sent) > secret.nbytes


def test_a_link_that_breaks_is_not_made_again(machines):
    """Somebody who takes over a dead peer's port gets nothing of what is sent to it."""
    made = machines(2)
    made.meet()
    still_works(made.transports)
    made.transports[1].close()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as thief:
        thief.linger = 0
        thief.bind(made.transports[1].address)
        with pytest.raises(LinkLost, match=r"party 1 .host-1."):
            for _ in range(50):
                send(made.transports[0], 1, np.zeros(4, np.uint64))
                time.sleep(0.05)
        assert not thief.poll(500)


def test_a_break_is_noticed_without_heartbeats_to_come(machines):
    made = machines(2)
    made.meet()
    made.transports[1].close(0)
    with pytest.raises(LinkLost, match="party 1"):
        made.transports[0].receive(1, 20)
