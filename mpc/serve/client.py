"""Handing a job to the service of this host, and following it to its end."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO, TypeVar

from mpc.errors import ServiceError
from mpc.serve.lines import Lines, Message
from mpc.serve.workplace import SOCKET, check_length
from mpc.transport.reports import printable

T = TypeVar("T")

_LOOK = 0.1  # seconds between two looks at the job's log


def submit(
    folder: Path, program: str, args: Sequence[str], output: Callable[[bytes], None], tell: Callable[[str], None]
) -> tuple[int, str]:
    """Ask for a job, with this party's arguments, and wait for its end: (exit code, why it is not 0).

    `output` hears what this party's program prints, `tell` what happens before. ServiceError where no service is there.
    """
    log: BinaryIO | None = None
    with closing(_connect(folder)) as link, ExitStack() as files:
        link.send({"program": program, "args": list(args)})
        while True:
            ready = select.select([link], [], [], _LOOK)[0]
            messages = link.arrived() if ready else []
            _follow(log, output)
            for message in messages:
                if message.get("event") == "done":
                    return _told(message, "status", int), printable(_told(message, "text", str))
                if message.get("event") == "begins":
                    log = files.enter_context(_opened(_told(message, "log", str)))
                    _follow(log, output)
                elif text := _words(message):
                    tell(text)
            if link.closed:
                raise ServiceError("the service ended before the job did; its folder has what the job printed until then")


def _follow(log: BinaryIO | None, output: Callable[[bytes], None]) -> None:
    while log is not None and (data := log.read(1 << 16)):
        output(data)


def _words(message: Message) -> str:
    if message.get("event") == "queued":
        before = _told(message, "before", int)
        return f"waiting for {before} jobs before it" if before else ""
    return printable(str(message.get("text", "")))


def _told(message: Message, name: str, kind: type[T]) -> T:
    value = message.get(name)
    if not isinstance(value, kind):
        raise ServiceError("this client does not understand what the service says; both must be of one version of mpc")
    return value


def _opened(log: str) -> BinaryIO:
    try:
        return Path(log).open("rb")
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"the job's log {log!r} cannot be read: {error}; the job goes on, and its service knows how it ends"
        ) from None


def _connect(folder: Path) -> Lines:
    path = folder / SOCKET
    check_length(path)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(str(path))
    except PermissionError:
        link.close()
        raise ServiceError(f"the service in {folder} belongs to another user: submit as that user") from None
    except OSError:
        link.close()
        raise ServiceError(f"no service is there in {folder}: start it (mpc serve), or name its folder (--folder)") from None
    return Lines(link)
