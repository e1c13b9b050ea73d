"""One endpoint's process, as `run` starts it. The parent speaks over an inherited pipe: setup, addresses, then perhaps stop."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import PeerFailed
from mpc.launch.job import play
from mpc.transport.zeromq import ZeroMQTransport

_PR_SET_PDEATHSIG = 1


class Stop:
    """Listens to the parent in a thread of its own. A failure elsewhere rings the alarm; the parent's death ends us."""

    def __init__(self, parent: Connection):
        self._parent = parent
        self._reading, self._writing = os.pipe()
        self._failure = PeerFailed("the run was stopped")
        threading.Thread(target=self._listen, daemon=True, name="mpc-parent").start()

    def _listen(self) -> None:
        try:
            peer, reason = cloudpickle.loads(self._parent.recv_bytes())
        except (EOFError, OSError):
            os._exit(1)  # nobody is left to report to
        self._failure = PeerFailed(reason, peer)
        os.write(self._writing, b"!")

    def fileno(self) -> int:
        return self._reading

    def failure(self) -> PeerFailed:
        return self._failure


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    _die_with_parent()
    parent = Connection(descriptor)
    setup = cloudpickle.loads(parent.recv_bytes())
    job, index, keys = setup["job"], setup["index"], setup["keys"]
    sys.argv = setup["argv"]
    transport = ZeroMQTransport(index, keys.session, setup["token"])
    parent.send_bytes(cloudpickle.dumps(("address", transport.address)))
    transport.connect(cloudpickle.loads(parent.recv_bytes()))
    transport.listen_also(Stop(parent))
    try:
        message = ("result", *play(job, transport, keys))
        data = cloudpickle.dumps(message)
    except BaseException as error:
        data = cloudpickle.dumps(("error", describe(error)))
    sys.stdout.flush()
    parent.send_bytes(data)
    transport.close()


def _die_with_parent() -> None:
    """Also when stopped by a signal, or busy: the kernel ends us with the parent (Linux only; elsewhere the pipe does)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def describe(error: BaseException) -> dict[str, Any]:
    """An error as plain data, and as itself where it can be pickled."""
    try:
        pickled = cloudpickle.dumps(error)
        cloudpickle.loads(pickled)
    except Exception:
        pickled = None
    own = error.__traceback__
    while own is not None and own.tb_next is not None and own.tb_frame.f_globals.get("__name__", "").startswith("mpc.launch"):
        own = own.tb_next  # the launcher's own frames tell a user nothing
    return {
        "type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(type(error), error, own)),
        "pickled": pickled,
    }
