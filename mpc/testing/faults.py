"""Faults on purpose: one message of an endpoint goes wrong, as networks, hosts and hostile peers make it go wrong."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mpc.transport import Header, Transport
from mpc.transport.reports import Report
from mpc.transport.wrapper import Wrapper

Messages = list[tuple[bytes, list[bytes]]]
Fault = Callable[[bytes, list[bytes]], Messages]  # header and payload -> the messages that go out in their place

_SENDER = struct.Struct("<H")
_SENDER_AT = 21  # after magic, kind and session: see `mpc.transport.frames`


class Killed(BaseException):
    """What a fault "die" raises at the endpoint that dies; no peer hears of it."""


def flip(header: bytes, payload: list[bytes]) -> Messages:
    """One bit of the payload, in its middle."""
    whole = b"".join(payload)
    return [(header, _cut(_flipped(whole, len(whole) // 2), payload))]


def flip_header(header: bytes, payload: list[bytes]) -> Messages:
    """One bit of the header: of the label, or of the message's number."""
    return [(_flipped(header, min(34, len(header) - 1)), payload)]


def truncate(header: bytes, payload: list[bytes]) -> Messages:
    """The last byte of the payload is missing."""
    return [(header, [*payload[:-1], payload[-1][:-1]])]


def truncate_header(header: bytes, payload: list[bytes]) -> Messages:
    return [(header[:-1], payload)]


def drop(header: bytes, payload: list[bytes]) -> Messages:
    return []


def duplicate(header: bytes, payload: list[bytes]) -> Messages:
    return [(header, payload)] * 2


def sender(header: bytes, payload: list[bytes]) -> Messages:
    """The message claims to be of another endpoint."""
    claimed = _SENDER.unpack_from(header, _SENDER_AT)[0] ^ 1
    return [(header[:_SENDER_AT] + _SENDER.pack(claimed) + header[_SENDER_AT + _SENDER.size :], payload)]


def session(header: bytes, payload: list[bytes]) -> Messages:
    """The message claims to be of another session."""
    return [(_flipped(header, _SENDER_AT - 1), payload)]


_OF_PAYLOAD: dict[str, Fault] = {"flip": flip, "truncate": truncate}
_OF_MESSAGE: dict[str, Fault] = {
    "flip header": flip_header,
    "truncate header": truncate_header,
    "drop": drop,
    "duplicate": duplicate,
    "sender": sender,
    "session": session,
}
FAULTS = (*_OF_PAYLOAD, *_OF_MESSAGE, "swap", "hang", "die", "raise")


class Faulty(Wrapper):
    """Message number `at` that this endpoint sends, counted from 0 over all its peers, suffers `fault`.

    A fault is one of FAULTS, or a function (header, payload) -> [(header, payload), ...] of your own. "swap": it goes after
    the next one to the same peer. "hang": the endpoint stands still until `release` is set. "die": it is gone without a word;
    "raise": its program raises. `struck` is (to, label) of the message, once that has happened; a fault of the payload does
    nothing to a message without one.
    """

    def __init__(self, inner: Transport, at: int, fault: str | Fault):
        super().__init__(inner)
        if isinstance(fault, str) and fault not in FAULTS:
            raise ValueError(f"fault={fault!r}: must be a function or one of {', '.join(FAULTS)}")
        self.at, self.fault = at, fault
        self.sent = 0
        self.struck: tuple[int, str] | None = None
        self.release = threading.Event()
        self._held: tuple[int, bytes, Sequence[Any]] | None = None
        self._dead = False

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        self.sent += 1
        if self.sent - 1 == self.at and (any(map(_size, payload)) or self.fault not in _OF_PAYLOAD):
            self.struck = to, Header.decode(header).label
            self._strike(to, header, payload)
            return
        self.inner.send(to, header, payload)
        if self._held is not None and self._held[0] == to:
            held, self._held = self._held, None
            self.inner.send(*held)

    def _strike(self, to: int, header: bytes, payload: Sequence[Any]) -> None:
        if self.fault == "swap":
            self._held = to, header, payload
        elif self.fault == "hang":
            self.release.wait()
            self.inner.send(to, header, payload)
        elif self.fault == "die":
            self._dead = True
            self.inner.close()
            raise Killed
        elif self.fault == "raise":
            raise RuntimeError("an error on purpose")
        else:
            fault = self.fault if callable(self.fault) else {**_OF_PAYLOAD, **_OF_MESSAGE}[self.fault]
            for one in fault(bytes(header), [memoryview(part).tobytes() for part in payload]):
                self.inner.send(to, *one)

    def finish(self) -> None:
        if not self._dead:
            super().finish()

    def abort(self, reason: str) -> None:
        if not self._dead:
            super().abort(reason)

    def settle(self, report: Report) -> Report:
        return report if self._dead else super().settle(report)

    def close(self) -> None:
        if not self._dead:
            super().close()


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _cut(whole: bytes, like: Sequence[bytes]) -> list[bytes]:
    """The same bytes in parts as long as those."""
    parts, start = [], 0
    for part in like:
        parts.append(whole[start : start + len(part)])
        start += len(part)
    return parts


def _size(part: Any) -> int:
    return memoryview(part).nbytes
