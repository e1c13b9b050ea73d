"""Messages between processes of one host: JSON objects, a line each, over a Unix socket. Never a pickle."""

from __future__ import annotations

import json
import math
import select
import socket
import time
from typing import Any

Message = dict[str, Any]
LONGEST = 1 << 20  # bytes of a line


class Lines:
    """One end. Whoever sends what is no message is treated as gone."""

    def __init__(self, link: socket.socket):
        self._link = link
        self._waiting = b""
        self.closed = False  # at the other end

    def fileno(self) -> int:
        return self._link.fileno()

    def send(self, message: Message) -> bool:
        """Whether the other end could still take it."""
        try:
            self._link.sendall(json.dumps(message).encode() + b"\n")
            return True
        except OSError:
            self.closed = True
            return False

    def receive(self, seconds: float = math.inf) -> Message | None:
        """Wait for the next message; None at the end, and where it has not come whole in so many seconds."""
        deadline = time.monotonic() + seconds
        while not self.closed and (left := deadline - time.monotonic()) > 0:
            line, found, rest = self._waiting.partition(b"\n")
            if found:
                self._waiting = rest
                return self._parsed(line)
            if select.select([self._link], [], [], None if left == math.inf else left)[0]:
                self._fill()
        return None

    def arrived(self) -> list[Message]:
        """What has come by now, after the socket became readable."""
        self._fill()
        *lines, self._waiting = self._waiting.split(b"\n")
        return [message for message in map(self._parsed, lines) if message is not None]

    @property
    def gone(self) -> bool:
        """Whether the other end was closed, as far as can be known without reading."""
        if not self.closed and self.ready:
            try:
                self.closed = not self._link.recv(1, socket.MSG_PEEK)
            except OSError:
                self.closed = True
        return self.closed

    @property
    def ready(self) -> bool:
        """Whether something can be read now, be it the end."""
        return bool(select.select([self._link], [], [], 0)[0])

    def _fill(self) -> None:
        try:
            data = self._link.recv(1 << 16)
        except OSError:
            data = b""
        self._waiting += data
        self.closed = self.closed or not data or len(self._waiting) > LONGEST

    def _parsed(self, line: bytes) -> Message | None:
        try:
            message = json.loads(line)
            if isinstance(message, dict):
                return message
        except (ValueError, RecursionError):
            pass
        self.closed = True
        return None

    def close(self) -> None:
        self._link.close()
