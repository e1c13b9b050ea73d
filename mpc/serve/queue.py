"""Jobs that wait for their turn, and the one that runs: as `mpc submit` asked for them, over the service's socket."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from mpc.cluster import check_name
from mpc.errors import ClusterError, JobRefused, ServiceError
from mpc.serve.lines import Lines, Message
from mpc.serve.options import Options

REFUSED, FAILED = 3, 1  # exit codes of `mpc submit`: it never began; it began, and failed
_PATIENCE = 2.0  # seconds that a submitter on this host gets to say what it wants, or to read what it is told


class Submission:
    """A program that somebody on this host asks for, and the link on which they wait for its end."""

    def __init__(self, link: Lines, name: str, digest: str, args: list[str]):
        self.link, self.name, self.digest, self.args = link, name, digest, args

    def tell(self, event: str, text: str = "", **facts: object) -> None:
        self.link.send({"event": event, "text": text, **facts})

    def end(self, status: int, text: str) -> None:
        self.tell("done", text, status=status)
        self.link.close()


class Queue:
    """First in, first out; no longer than the options say."""

    def __init__(self, options: Options, is_dealer: bool):
        self._options, self._is_dealer = options, is_dealer
        self._waiting: deque[Submission] = deque()

    def __iter__(self) -> Iterator[Submission]:
        return iter(self._waiting)

    @property
    def first(self) -> Submission | None:
        """The next one whose submitter still waits."""
        while self._waiting and self._waiting[0].link.gone:
            self._waiting.popleft().link.close()
        return self._waiting[0] if self._waiting else None

    def remove(self, submission: Submission) -> None:
        """It begins, or was refused."""
        with suppress(ValueError):  # its submitter left
            self._waiting.remove(submission)

    def accept(self, link: socket.socket) -> None:
        """Read what a submitter wants, and let it wait, or tell it why not."""
        link.settimeout(_PATIENCE)
        lines = Lines(link)
        try:
            self._waiting.append(self._read(lines))
        except (ServiceError, ClusterError) as error:
            lines.send({"event": "done", "status": REFUSED, "text": str(error)})
            lines.close()
        else:
            self._waiting[-1].tell("queued", before=len(self._waiting) - 1)

    def _read(self, link: Lines) -> Submission:
        message: Message = link.receive(_PATIENCE) or {}
        name, args = message.get("program"), message.get("args", [])
        if not isinstance(name, str) or not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
            raise ServiceError("the service did not understand what was submitted; both must be of one version of mpc")
        if self._is_dealer:
            raise JobRefused("a dealer's service takes no jobs; submit them at a party's")
        listed = self._options.admitted().named(check_name(name))
        digest = listed.read().digest
        if len(self._waiting) >= self._options.queue:
            raise JobRefused(f"{len(self._waiting)} jobs wait already, as many as this service keeps (--queue); submit it later")
        return Submission(link, name, digest, args)

    def end(self, text: str) -> None:
        """Tell all that their job will not begin."""
        while self._waiting:
            with suppress(OSError):
                self._waiting.popleft().end(REFUSED, text)
