"""Transport between the threads of one process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from mpc.errors import PeerFailed, PeerTimeout
from mpc.transport.base import Message, PeerFinished, Transport


class MemoryHub:
    """The links between `size` endpoints of one process; `transport(i)` is endpoint i's side."""

    def __init__(self, size: int):
        self.size = size
        self.lock = threading.Lock()
        self.arrived = [threading.Condition(self.lock) for _ in range(size)]  # one each: a message wakes its receiver alone
        self.queues: dict[tuple[int, int], deque[Message]] = defaultdict(deque)
        self.finished: set[int] = set()
        self.failure: tuple[int, str] | None = None

    def transport(self, index: int) -> MemoryTransport:
        return MemoryTransport(self, index)

    def wake_all(self) -> None:
        for arrived in self.arrived:
            arrived.notify_all()


class MemoryTransport(Transport):
    def __init__(self, hub: MemoryHub, index: int):
        self.hub = hub
        self.index = index
        self.peers = tuple(i for i in range(hub.size) if i != index)

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        message = header, [memoryview(part).toreadonly() for part in payload]
        with self.hub.arrived[to]:
            self.hub.queues[self.index, to].append(message)
            self.hub.arrived[to].notify()

    def receive(self, sender: int, timeout: float | None) -> Message:
        arrived = self.hub.arrived[self.index]
        deadline = None if timeout is None else time.monotonic() + timeout
        with arrived:
            queue = self.hub.queues[sender, self.index]
            while not queue:
                if self.hub.failure is not None:
                    peer, reason = self.hub.failure
                    raise PeerFailed(reason, peer)
                if sender in self.hub.finished:
                    raise PeerFinished("it has finished its program", sender)
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise PeerTimeout(f"nothing came within {timeout:g} s", sender)
                arrived.wait(left)
            return queue.popleft()

    def finish(self) -> None:
        with self.hub.lock:
            self.hub.finished.add(self.index)
            self.hub.wake_all()

    def abort(self, reason: str) -> None:
        with self.hub.lock:
            if self.hub.failure is None:
                self.hub.failure = (self.index, reason)
            self.hub.wake_all()

    def close(self) -> None:
        pass
