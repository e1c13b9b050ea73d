"""Transport between the threads of one process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from mpc.errors import PeerFailed, PeerTimeout
from mpc.transport.base import Message, Transport


class MemoryHub:
    """The links between `size` endpoints of one process; `transport(i)` is endpoint i's side."""

    def __init__(self, size: int):
        self.size = size
        self.changed = threading.Condition()
        self.queues: dict[tuple[int, int], deque[Message]] = defaultdict(deque)
        self.failure: tuple[int, str] | None = None

    def transport(self, index: int) -> MemoryTransport:
        return MemoryTransport(self, index)


class MemoryTransport(Transport):
    def __init__(self, hub: MemoryHub, index: int):
        self.hub = hub
        self.index = index
        self.peers = tuple(i for i in range(hub.size) if i != index)

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        with self.hub.changed:
            self.hub.queues[self.index, to].append((header, [_read_only(part) for part in payload]))
            self.hub.changed.notify_all()

    def receive(self, sender: int, timeout: float | None) -> Message:
        queue = self.hub.queues[sender, self.index]
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.hub.changed:
            while not queue:
                if self.hub.failure is not None:
                    peer, reason = self.hub.failure
                    raise PeerFailed(reason, peer)
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
                self.hub.changed.wait(left)
            return queue.popleft()

    def abort(self, reason: str) -> None:
        with self.hub.changed:
            if self.hub.failure is None:
                self.hub.failure = (self.index, reason)
            self.hub.changed.notify_all()

    def close(self) -> None:
        pass


def _read_only(part: Any) -> memoryview:
    return memoryview(part).toreadonly()
