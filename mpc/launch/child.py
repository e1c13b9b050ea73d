"""One endpoint's process, as `run` starts it. The launcher speaks over an inherited socket pair; its closing ends us."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

from mpc.errors import OptionError, PeerFailed, UsageError, party_name
from mpc.launch.channel import Channel, Packed, pack, unpack
from mpc.launch.failures import describe
from mpc.launch.job import Job
from mpc.launch.play import play
from mpc.transport.emulated import emulated
from mpc.transport.zeromq import ZeroMQTransport


class Stop:
    """Listens to the launcher in a thread of its own. A failure elsewhere rings the alarm; the launcher's end ends us."""

    def __init__(self, channel: Channel):
        self._channel = channel
        self._reading, self._writing = os.pipe()
        self._failure = PeerFailed("the run was stopped")
        self._finished = False
        self._over = threading.Event()
        threading.Thread(target=self._listen, daemon=True, name="mpc-launcher").start()

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                peer, reason = unpack(self._channel.receive())
                self._failure = PeerFailed(reason, peer)
                os.write(self._writing, b"!")
        if not self._finished:
            os._exit(1)  # nobody is left to report to
        self._over.set()

    def wait(self) -> None:
        """Stay until the launcher has heard from everybody: what we sent to the others may still be on its way."""
        self._finished = True
        self._over.wait()

    def fileno(self) -> int:
        return self._reading

    def failure(self) -> PeerFailed:
        return self._failure


def main(link: socket.socket) -> None:
    channel = Channel(link)
    with suppress(AttributeError, ValueError):
        # Whole lines: they do not mix with another party's, and a killed party's last ones are not lost.
        sys.stdout.reconfigure(line_buffering=True, write_through=False)  # type: ignore[union-attr]
    setup = unpack(channel.receive())
    transport = ZeroMQTransport(setup["index"], setup["keys"].session, setup["token"])
    channel.send(pack(("address", transport.address)))
    addresses, sys.argv = unpack(channel.receive())
    job = channel.receive()
    stop = Stop(channel)
    transport.connect(addresses)
    transport.listen_also(stop)
    for message in _perform(job, setup, transport):
        channel.send(message)
    stop.wait()
    transport.close(linger_ms=0)  # everybody has ended


def _perform(packed: Packed, setup: dict[str, Any], transport: ZeroMQTransport) -> list[Packed]:
    """Play our part. What to tell the launcher: the result and its costs, or the error."""
    name = party_name(setup["index"], setup["parties"])
    try:
        job = _load(packed, name)
        result, stats = play(job, emulated(transport, job.links, job.parties), setup["keys"])
        return [pack(("result", stats)), _pack_result(result, name)]
    except BaseException as error:
        return [pack(("error", describe(error)))]
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()


def _load(packed: Packed, name: str) -> Job:
    try:
        return unpack(packed)  # type: ignore[no-any-return]
    except Exception as error:
        raise OptionError(
            f"{name} cannot load the program or its arguments: {type(error).__name__}: {error}. Modules that they use must "
            "be importable in a fresh interpreter with this sys.path and folder."
        ) from error


def _pack_result(result: Any, name: str) -> Packed:
    try:
        return pack(result)
    except UsageError as error:
        raise UsageError(f"{name}, the program's result: {error}") from None
    except Exception as error:
        raise UsageError(
            f"{name} returned a {type(result).__name__}, which cannot be sent to the caller: {error}. Return arrays, numbers, "
            "or anything else that pickles."
        ) from error
