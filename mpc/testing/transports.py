"""The suite that every transport passes. A transport may come from another package; nothing here knows how it works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from mpc.errors import DesyncError, FrameError, PeerFailed, PeerTimeout
from mpc.party import Endpoint, Keys
from mpc.transport import ArraySpec, Header, Kind, PeerFinished, Transport, as_arrays

Make = Callable[[int], Sequence[Transport]]  # `size` endpoints of one session, connected to each other

SESSION = bytes(range(16))  # `make` must use it
_LONG = 20.0  # seconds; only a broken transport needs them


def check_transport(make: Make) -> None:
    """Run every check of the suite. `make(size)` gives connected endpoints of the session SESSION."""
    for check in CHECKS:
        check(make)


@contextmanager
def _endpoints(make: Make, size: int) -> Iterator[Sequence[Transport]]:
    transports = make(size)
    try:
        yield transports
    finally:
        for transport in transports:
            transport.close()


def _header(sender: int, sequence: int = 0, label: str = "check", arrays: Sequence[Any] = ()) -> bytes:
    return Header(Kind.DATA, SESSION, sender, sequence, label, tuple(ArraySpec.of(a) for a in arrays)).encode()


def _raises(kind: type[BaseException], action: Callable[[], object]) -> BaseException:
    """The error that the action must raise. (No test tool is needed to use this suite.)"""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def _greet(transports: Sequence[Transport]) -> None:
    """Everybody has heard of everybody, so that nothing is on its way when they close."""
    for sender in transports:
        for to in sender.peers:
            sender.send(to, _header(sender.index))
            transports[to].receive(sender.index, _LONG)


def check_indices(make: Make) -> None:
    with _endpoints(make, 3) as transports:
        assert [t.index for t in transports] == [0, 1, 2]
        assert [tuple(t.peers) for t in transports] == [(1, 2), (0, 2), (0, 1)]
        _greet(transports)


def check_arrays_arrive_unchanged(make: Make) -> None:
    """Every dtype, 0 to 3 axes, empty ones, and 8 MB: bit for bit, and read-only."""
    random = np.random.default_rng(1)
    arrays = [random.integers(0, 2, shape).astype(dtype) for dtype in ("uint64", "uint8", "bool") for shape in ((), (3,), (2, 0))]
    arrays += [random.normal(size=(2, 3, 4)), np.array([-1, 2**62], np.int64), np.array([], np.uint16), np.zeros(0, np.uint32)]
    arrays += [random.integers(0, 2**64, 1 << 20, np.uint64)]
    with _endpoints(make, 2) as (a, b):
        header = _header(0, arrays=arrays)
        a.send(1, header, arrays)
        got, payload = b.receive(0, _LONG)
        assert bytes(got) == header
        received = as_arrays(Header.decode(got), payload)
        for sent, came in zip(arrays, received, strict=True):
            np.testing.assert_array_equal(sent, came)
            assert sent.dtype == came.dtype and sent.shape == came.shape
            assert not came.flags.writeable and came.flags.aligned


def check_order(make: Make) -> None:
    """Messages of one sender come in order, and do not mix with another's; waiting for one keeps the other's."""
    with _endpoints(make, 3) as (a, b, c):
        for k in range(200):
            a.send(2, _header(0, k))
            b.send(2, _header(1, k), [np.array([k], np.uint64)])
        for sender in (1, 0):
            numbers = [Header.decode(c.receive(sender, _LONG)[0]).sequence for _ in range(200)]
            assert numbers == list(range(200))


def check_send_does_not_wait(make: Make) -> None:
    """64 MB to a receiver that does not read, both ways at once: no deadlock."""
    block = np.zeros(1 << 20, np.uint64)
    with _endpoints(make, 2) as (a, b):
        for k in range(8):
            a.send(1, _header(0, k, arrays=[block]), [block])
            b.send(0, _header(1, k, arrays=[block]), [block])
        for k in range(8):
            assert Header.decode(a.receive(1, _LONG)[0]).sequence == k
            assert Header.decode(b.receive(0, _LONG)[0]).sequence == k


def check_timeout(make: Make) -> None:
    """It ends the wait, names the peer, and the link still works afterwards; another's message is no answer."""
    with _endpoints(make, 3) as (a, b, c):
        c.send(0, _header(2))
        begin = time.monotonic()
        error = _raises(PeerTimeout, lambda: a.receive(1, 0.05))
        assert isinstance(error, TimeoutError) and getattr(error, "peer", None) == 1
        assert 0.04 < time.monotonic() - begin < _LONG
        b.send(0, _header(1))
        assert Header.decode(a.receive(1, _LONG)[0]).sender == 1
        assert Header.decode(a.receive(2, _LONG)[0]).sender == 2


def check_abort(make: Make) -> None:
    """It ends every wait, of whomever, now and later, with the reason; what was sent before it still arrives."""
    with _endpoints(make, 3) as (a, b, c):
        a.send(1, _header(0))
        a.abort("reason ☂")
        a.abort("a second time")
        assert Header.decode(b.receive(0, _LONG)[0]).sender == 0
        for waiting, peer in ((b, 0), (b, 2), (c, 1), (c, 1)):
            error = _raises(PeerFailed, lambda w=waiting, p=peer: w.receive(p, _LONG))  # type: ignore[misc]
            assert str(error) == "reason ☂" and getattr(error, "peer", None) == 0


def check_abort_wakes_a_waiting_thread(make: Make) -> None:
    with _endpoints(make, 2) as (a, b):
        errors: list[BaseException] = []
        thread = threading.Thread(target=lambda: errors.append(_raises(PeerFailed, lambda: b.receive(0, None))))
        thread.start()
        a.abort("stop")
        thread.join(_LONG)
        assert not thread.is_alive() and str(errors[0]) == "stop"


def check_finish(make: Make) -> None:
    """Who waits for one that has finished is told at once, after all that it sent; others are not disturbed."""
    with _endpoints(make, 3) as (a, b, c):
        a.send(1, _header(0))
        a.finish()
        c.send(1, _header(2))
        assert Header.decode(b.receive(0, _LONG)[0]).sender == 0
        assert getattr(_raises(PeerFinished, lambda: b.receive(0, _LONG)), "peer", None) == 0
        assert Header.decode(b.receive(2, _LONG)[0]).sender == 2


def check_mismatch_names_both(make: Make) -> None:
    """Label, shape and sequence are compared: an endpoint says where it is and where its peer is."""

    def ends(size: int = 2) -> list[Endpoint]:
        keys = Keys(SESSION, {}, {})
        return [Endpoint(transport, size, keys, timeout=_LONG) for transport in transports]

    one, two = np.zeros(1, np.uint64), np.zeros(2, np.uint64)
    with _endpoints(make, 2) as transports:
        a, b = ends()
        a.exchange("multiply", [one], senders=())
        text = str(_raises(DesyncError, lambda: b.exchange("reveal", [one])))
        assert "party 1 is at operation 'reveal'" in text and "party 0 is at 'multiply'" in text
    with _endpoints(make, 2) as transports:
        a, b = ends()
        a.exchange("multiply", [two], senders=())
        text = str(_raises(DesyncError, lambda: b.exchange("multiply", [one])))
        assert "uint64[1]" in text and "uint64[2]" in text
    with _endpoints(make, 2) as transports:
        _, b = ends()
        transports[0].send(1, _header(0, 1, "multiply", [one]), [one])
        text = str(_raises(DesyncError, lambda: b.exchange("multiply", [one])))
        assert "message 0" in text and "message 1" in text
    with _endpoints(make, 2) as transports:
        _, b = ends()
        transports[0].finish()
        text = str(_raises(DesyncError, lambda: b.exchange("multiply", [one])))
        assert "party 1 waits at operation 'multiply'" in text and "party 0, which has finished" in text


def check_payload_must_fit_its_header(make: Make) -> None:
    """A header that lies about its payload is an error at the receiver, which names the sender."""
    one = np.zeros(1, np.uint64)
    for payload in ([], [b""], [b"1234567"], [b"123456789"], [one, one]):
        with _endpoints(make, 2) as transports:
            endpoint = Endpoint(transports[1], 2, Keys(SESSION, {}, {}), timeout=_LONG)
            transports[0].send(1, _header(0, 0, "multiply", [one]), payload)
            assert "party 0" in str(_raises(FrameError, lambda e=endpoint: e.exchange("multiply", [one])))  # type: ignore[misc]


def check_close_after_abort(make: Make) -> None:
    """Aborting a closed endpoint is no error."""
    transports = make(2)
    _greet(transports)
    transports[0].abort("over")
    for transport in transports:
        transport.close()
    transports[0].abort("over")


CHECKS: tuple[Callable[[Make], None], ...] = (
    check_indices,
    check_arrays_arrive_unchanged,
    check_order,
    check_send_does_not_wait,
    check_timeout,
    check_abort,
    check_abort_wakes_a_waiting_thread,
    check_finish,
    check_mismatch_names_both,
    check_payload_must_fit_its_header,
    check_close_after_abort,
)
