"""Messages between a launcher and its children: pickles over an inherited socket pair. Both ends run as the same user."""

from __future__ import annotations

import pickle
import socket
import struct
from contextlib import suppress
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

Packed = list[Any]  # a pickle, and the buffers of its arrays


def pack(thing: Any) -> Packed:
    """Pickle, with the data of arrays beside the pickle and not copied into it."""
    buffers: list[pickle.PickleBuffer] = []
    data = cloudpickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    return [data, *(buffer.raw() for buffer in buffers)]


def unpack(packed: Packed) -> Any:
    return pickle.loads(packed[0], buffers=packed[1:])  # noqa: S301 - our own child or parent


class Channel:
    """One end. A message is: its number of parts, their lengths, the parts."""

    def __init__(self, link: socket.socket):
        self._link = link

    def fileno(self) -> int:
        return self._link.fileno()

    def send(self, packed: Packed) -> None:
        lengths = [memoryview(part).nbytes for part in packed]
        self._link.sendall(struct.pack(f"<{len(lengths) + 1}Q", len(lengths), *lengths))
        for part in packed:
            self._link.sendall(part)

    def receive(self) -> Packed:
        """The next message; EOFError once the other end is closed."""
        (count,) = struct.unpack("<Q", self._read(8))
        lengths = struct.unpack(f"<{count}Q", self._read(8 * count))
        return [self._read(length) for length in lengths]

    def _read(self, length: int) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            got = self._link.recv_into(view)
            if not got:
                raise EOFError
            view = view[got:]
        return data

    def end_sending(self) -> None:
        """Let the other end see the end of file, once it has read everything."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        """End both ways: a thread that waits in `send` or `receive` wakes up."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._link.close()
