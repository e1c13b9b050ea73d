"""The first code of a party's interpreter, before mpc or anything else of weight is imported.

    python start.py DESCRIPTOR PARENT PATH...

DESCRIPTOR is the inherited end of a socket pair to the launcher, PARENT the launcher's process, PATH its sys.path.
"""

import os
import signal
import socket
import sys

_PR_SET_PDEATHSIG = 1


def start(descriptor: int, parent: int) -> None:
    # SIGINT was blocked when this process began. Ctrl-C reaches the launcher, which ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    die_with(parent)
    link = socket.socket(fileno=descriptor)
    link.set_inheritable(False)
    try:
        from mpc.launch.child import main
    except BaseException as error:
        _report(link, error)
        sys.exit(1)
    main(link)


def die_with(parent: int) -> None:
    """The kernel kills us with the launcher, even when we are stopped or busy. Elsewhere than on Linux the pipe does."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def _report(link: socket.socket, error: BaseException) -> None:
    """Say why mpc cannot be imported, in the form of mpc.launch.channel."""
    import pickle
    import struct
    import traceback

    data = pickle.dumps(("unready", f"{type(error).__name__}: {error}", traceback.format_exc()))
    link.sendall(struct.pack("<QQ", 1, len(data)) + data)


if __name__ == "__main__":
    sys.path[:] = sys.argv[3:]
    start(int(sys.argv[1]), int(sys.argv[2]))
