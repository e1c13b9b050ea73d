"""A thread that watches the links of an endpoint, and so knows of a broken one while the endpoint computes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from types import FrameType
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from mpc.errors import LinkLost

_PATIENCE = 1.0  # seconds that an endpoint has to look, before it is interrupted: fewer than the others take to settle
_SIGNAL = getattr(signal, "SIGUSR2", None)


class Link(Enum):
    """What happened to a link."""

    UP = "up"
    DOWN = "not reachable any more"
    REFUSED = "it does not accept our key: its cluster file has another one for this host"
    FOREIGN = "who listens there does not hold the key that our cluster file gives it"


_EVENTS = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: Link.UP,
    zmq.EVENT_DISCONNECTED: Link.DOWN,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: Link.REFUSED,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: Link.FOREIGN,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: Link.FOREIGN,
}


class Guard:
    """Watches sockets' monitors. Becomes readable (`fileno`) when `events` has something new.

    Once `armed`, a link that goes down interrupts an endpoint which has not called `events` for a while: it gets LinkLost
    wherever it is, if it runs in the main thread.
    """

    def __init__(self, context: zmq.Context[Any]):
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)
        self._happened: deque[tuple[int, Link]] = deque()
        self._orders = context.socket(zmq.PAIR)
        self._orders.bind("inproc://guard")
        self._stop = context.socket(zmq.PAIR)
        self._stop.connect("inproc://guard")
        self._armed = False
        self._arming = threading.Lock()  # nobody is signalled who has just put the handler away
        self._unseen: tuple[float, int] | None = None  # when a link went down, and whose, until the endpoint looked
        self._thread: threading.Thread | None = None
        self._before: Any = None

    def fileno(self) -> int:
        return self._reading

    def start(self, sockets: Mapping[int, zmq.Socket[bytes]]) -> None:
        monitors = {peer: socket.get_monitor_socket(sum(_EVENTS)) for peer, socket in sockets.items()}
        self._thread = threading.Thread(target=self._watch, args=(monitors,), daemon=True, name="mpc-guard")
        self._thread.start()

    def arm(self) -> None:
        if _SIGNAL is not None and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(_SIGNAL, self._interrupt)
        self._armed = True

    def disarm(self) -> None:
        with self._arming:
            self._armed = False
        if self._before is not None and _SIGNAL is not None:
            signal.signal(_SIGNAL, self._before)
            self._before = None

    def events(self) -> list[tuple[int, Link]]:
        """What happened since the last call, in order."""
        with suppress(BlockingIOError):
            os.read(self._reading, 1 << 16)
        self._unseen = None
        happened = []
        while self._happened:
            happened.append(self._happened.popleft())
        return happened

    def close(self) -> None:
        self.disarm()
        self._stop.send(b"")
        if self._thread is not None:
            self._thread.join()
        for socket in (self._stop, self._orders):
            socket.close(0)
        os.close(self._reading)
        os.close(self._writing)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._armed and self._unseen is not None:
            peer = self._unseen[1]
            self._unseen = None
            self._happened.append((peer, Link.DOWN))
            raise LinkLost("a link broke while this host computed by itself", peer)

    def _watch(self, monitors: dict[int, zmq.Socket[bytes]]) -> None:
        poller = zmq.Poller()
        poller.register(self._orders, zmq.POLLIN)
        for monitor in monitors.values():
            poller.register(monitor, zmq.POLLIN)
        while self._orders not in (ready := dict(poller.poll(250))):
            for peer, monitor in monitors.items():
                if monitor in ready:
                    self._note(peer, _EVENTS[zmq.Event(parse_monitor_message(monitor.recv_multipart())["event"])])
            self._remind()
        for monitor in monitors.values():
            monitor.close(0)

    def _remind(self) -> None:
        """Interrupt the endpoint if it has not looked for long."""
        with self._arming:
            unseen = self._unseen
            late = unseen is not None and time.monotonic() - unseen[0] > _PATIENCE
            if late and self._armed and self._before is not None and _SIGNAL is not None:
                signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)

    def _note(self, peer: int, event: Link) -> None:
        self._happened.append((peer, event))
        if event is Link.DOWN and self._armed:
            self._unseen = self._unseen or (time.monotonic(), peer)
        with suppress(BlockingIOError):  # a full pipe is as readable
            os.write(self._writing, b"!")
