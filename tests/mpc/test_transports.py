"""One suite for every transport; and what a stranger on the ZeroMQ one's port cannot do."""

import os
import random
import socket
import time
from contextlib import suppress

import numpy as np
import pytest
import zmq

from mpc.errors import FrameError, PeerFailed, PeerTimeout
from mpc.testing.transports import CHECKS, SESSION
from mpc.transport import ArraySpec, Header, Kind, MemoryHub
from mpc.transport.zeromq import ZeroMQTransport

TOKEN = b"t" * 32


def in_memory(size):
    hub = MemoryHub(size)
    return [hub.transport(i) for i in range(size)]


def over_zeromq(size, address=None):
    transports = [ZeroMQTransport(i, SESSION, TOKEN, address) for i in range(size)]
    addresses = {t.index: t.address for t in transports}
    for transport in transports:
        transport.connect(addresses)
    return transports


@pytest.mark.parametrize("make", [in_memory, over_zeromq])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_transport(make, check):
    check(make)


class Stranger:
    """Somebody who has found the port of endpoint 0."""

    def __init__(self, address, identity=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if identity is not None:
            self.socket.setsockopt(zmq.ROUTING_ID, identity)
        self.socket.connect(address)

    def send(self, *frames):
        self.socket.send_multipart(list(frames))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.context.term()


@pytest.fixture
def pair():
    transports = over_zeromq(2)
    yield transports
    for transport in transports:
        transport.close()


@pytest.fixture
def waiting():
    """Endpoint 0, which listens and has heard nothing yet; endpoint 1 connects in `still_works`."""
    transports = [ZeroMQTransport(i, SESSION, TOKEN) for i in range(2)]
    transports[0].connect({t.index: t.address for t in transports})
    yield transports
    for transport in transports:
        transport.close(linger_ms=0)


def header(kind=Kind.DATA, sender=1, sequence=0, session=SESSION, arrays=()):
    return Header(kind, session, sender, sequence, "open", tuple(arrays)).encode()


def still_works(pair):
    """Endpoint 0 gets the genuine message of endpoint 1, whatever else has come."""
    if not pair[1].peers:
        pair[1].connect({t.index: t.address for t in pair})
    pair[1].send(0, header(sequence=77), [np.arange(3, dtype=np.uint64)])
    data, payload = pair[0].receive(1, 10)
    assert Header.decode(data).sequence == 77 and bytes(payload[0]) == np.arange(3, dtype=np.uint64).tobytes()


def proof(token, sender, receiver):
    forger = ZeroMQTransport(sender, SESSION, token)
    try:
        return forger._proof(sender, receiver)
    finally:
        forger.close()


def test_a_message_before_the_proof_is_dropped(waiting):
    with Stranger(waiting[0].address) as stranger:
        stranger.send(header(), b"x" * 8)
        stranger.send(header(Kind.ABORT), b"stop!")
        stranger.send(header(Kind.END), b"")
        with pytest.raises(PeerTimeout):
            waiting[0].receive(1, 0.3)
        still_works(waiting)


@pytest.mark.parametrize(
    "frames",
    [
        (header(Kind.HELLO), proof(b"w" * 32, 1, 0)),  # another token
        (header(Kind.HELLO), proof(TOKEN, 1, 2)),  # a proof for another receiver
        (header(Kind.HELLO, sender=0), proof(TOKEN, 1, 0)),  # another sender
        (header(Kind.HELLO, sender=9), proof(TOKEN, 9, 0)),  # a sender that is no peer
        (header(Kind.HELLO, session=b"s" * 16), proof(TOKEN, 1, 0)),
        (header(Kind.DATA), proof(TOKEN, 1, 0)),
        (header(Kind.HELLO), b""),
        (header(Kind.HELLO), proof(TOKEN, 1, 0)[:-1]),
        (header(Kind.HELLO), proof(TOKEN, 1, 0), b""),
        (header(Kind.HELLO),),
    ],
)
def test_a_wrong_proof_opens_nothing(waiting, frames):
    with Stranger(waiting[0].address) as stranger:
        stranger.send(*frames)
        stranger.send(header(), b"forged")
        with pytest.raises(PeerTimeout):
            waiting[0].receive(1, 0.15)
        still_works(waiting)


def test_a_second_connection_cannot_become_a_proved_peer(pair):
    still_works(pair)
    with Stranger(pair[0].address) as stranger:
        stranger.send(header(Kind.HELLO), proof(TOKEN, 1, 0))  # even with the right proof: party 1 has its link
        stranger.send(header(), b"forged")
        with pytest.raises(PeerTimeout):
            pair[0].receive(1, 0.15)


def test_a_peers_connection_identity_cannot_be_taken(pair):
    still_works(pair)
    (identity,) = pair[0]._proved
    with Stranger(pair[0].address, identity) as stranger:
        stranger.send(header(), b"forged")
        with pytest.raises(PeerTimeout):
            pair[0].receive(1, 0.15)
        still_works(pair)


def test_garbage_from_a_stranger_neither_crashes_nor_confuses(waiting):
    rng = random.Random(5)
    good = header(Kind.HELLO, arrays=[ArraySpec("uint64", (2, 3))])
    with Stranger(waiting[0].address) as stranger:
        for _ in range(500):
            data = bytearray(good)
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            stranger.send(bytes(data[: rng.randrange(len(data) + 1)]), *(os.urandom(8) for _ in range(rng.randrange(3))))
        stranger.send(b"")
        stranger.send(b"", b"", b"")
        stranger.send(os.urandom(1 << 22), b"x")
        with pytest.raises(PeerTimeout):
            waiting[0].receive(1, 0.3)
        still_works(waiting)


def raw_connection(address):
    """A socket that is connected to ZeroMQ's address, and does not speak as ZeroMQ does."""
    kind, _, place = address.partition("://")
    if kind == "tcp":
        host, port = place.split(":")
        return socket.create_connection((host, int(port)))
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.connect(place.replace("@", "\0"))
    return raw


@pytest.mark.parametrize("address", [None, "tcp://127.0.0.1:*"])
def test_raw_bytes_do_no_harm(address):
    pair = over_zeromq(2, address)
    try:
        hears_raw_bytes(pair)
    finally:
        for transport in pair:
            transport.close()


def hears_raw_bytes(pair):
    for data in (b"", b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096), b"\xff" + b"\0" * 8 + b"\x7f" + b"\xff" * 64):
        with raw_connection(pair[0].address) as raw:
            raw.sendall(data)
    still_works(pair)
    time.sleep(0.3)  # libzmq 4.3.5 aborts if it is closed amid a handshake with a peer of ZMTP 1.0


def test_a_flood_holds_up_neither_messages_nor_timeouts(pair):
    import threading

    done = threading.Event()

    def flood():
        with Stranger(pair[0].address) as stranger:
            stranger.socket.setsockopt(zmq.SNDTIMEO, 100)  # once nobody reads any more, it would wait for ever
            while not done.is_set():
                with suppress(zmq.Again):
                    stranger.send(b"x" * 100, b"y")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        begin = time.monotonic()
        with pytest.raises(PeerTimeout):
            pair[0].receive(1, 0.5)
        assert time.monotonic() - begin < 40
        still_works(pair)
    finally:
        done.set()
        thread.join()


def test_a_proved_peer_speaks_only_for_itself(pair):
    pair[1].send(0, header(sender=0))
    with pytest.raises(FrameError, match="party 1"):
        pair[0].receive(1, 10)
    pair[1].send(0, header(session=b"s" * 16))
    with pytest.raises(FrameError, match="party 1"):
        pair[0].receive(1, 10)
    pair[1].send(0, b"short")
    with pytest.raises(FrameError):
        pair[0].receive(1, 10)
    still_works(pair)


def test_a_lost_connection_is_not_made_again(pair):
    """Somebody else who takes over a dead peer's port gets nothing of what is sent to it."""
    still_works(pair)
    pair[0].send(1, header(sender=0))
    pair[1].receive(0, 10)
    pair[1].close()
    context = zmq.Context()
    with context, context.socket(zmq.ROUTER) as thief:
        thief.bind(pair[1].address)
        pair[0].send(1, header(sender=0), [b"a share of something"])
        assert not thief.poll(500)
    pair[0].close(linger_ms=0)


def test_alarm_ends_a_wait(pair):
    reading, writing = os.pipe()

    class Alarm:
        def fileno(self):
            return reading

        def failure(self):
            return PeerFailed("the launcher says so", 1)

    pair[0].listen_also(Alarm())
    still_works(pair)
    os.write(writing, b"!")
    for _ in range(2):
        with pytest.raises(PeerFailed, match="the launcher says so"):
            pair[0].receive(1, 10)
    os.close(reading)
    os.close(writing)
