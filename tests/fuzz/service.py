"""What a service reads: proposals of other hosts, jobs from its socket, its list of programs; and what its clients read."""

import json
import os
import socket
from collections import deque
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from mpc.errors import PeerTimeout
from mpc.serve import client
from mpc.serve.lines import Lines
from mpc.serve.options import Options
from mpc.serve.programs import Programs
from mpc.serve.proposal import Talks
from mpc.serve.queue import Queue
from mpc.transport import ArraySpec
from tests.fuzz.disk import with_file
from tests.fuzz.source import pack, unpack
from tests.fuzz.wire import SESSION, header


class Room:
    """The transport of endpoint 0, of two parties: what comes, and nothing else."""

    index, peers = 0, (1,)

    def __init__(self, messages):
        self._messages = deque(messages)

    def wait(self, descriptor, senders):
        return [1] if self._messages else []

    def send(self, to, header, payload=()):
        pass

    def receive(self, sender, timeout):
        if not self._messages:
            raise PeerTimeout("nothing came", sender)
        return self._messages.popleft()


def proposal(data):
    """Three messages before a job."""
    parts = unpack(data, 7)
    talks = Talks(
        Room(zip(parts[::2], [[part] for part in parts[1::2]], strict=False)), bytes(15) + parts[6][:1].ljust(1, b"\0"), 2, 1
    )
    found = talks.find(0, lambda: "ab" * 32)
    for why in talks.vote(found, "").values():
        why.encode()


def said(what, *content):
    data = json.dumps(content).encode()
    return header(label=what, specs=(ArraySpec("uint8", (len(data),)),), session=SESSION), data


PROPOSALS = [
    pack(*said("propose", 1, "ab" * 32, ""), *said("vote", 1, "ab" * 32, ""), b"", b"", b"\0"),
    pack(*said("proposal", 1, "cd" * 32, ""), *said("propose", 1, "", ""), *said("vote", 1, "cd" * 32, "no\x1b\ud800"), b"\1"),
]

# ------------------------------------------------------------------ sockets of one host


def heard(data, use):
    """use(link), where those bytes come and then the end."""
    ours, theirs = socket.socketpair()
    with closing(Lines(ours)) as link:
        with theirs:
            theirs.sendall(data[: 1 << 15])
        return use(link)


def lines(data):
    def use(link):
        while not link.closed:
            assert all(isinstance(message, dict) for message in link.arrived())
        assert link.gone and link.receive() is None

    heard(data, use)


def jobs(data):
    """What somebody who may open the socket asks for."""

    def ask(programs, link):
        queue = Queue(Options("", "", "", "", programs=str(programs)), is_dealer=False)
        queue._read(link)

    with_file(lambda programs: heard(data, lambda link: ask(programs, link)), LIST)


def answers(data):
    """What a client is told by whatever listens at a service's socket."""
    spoken = b"\n".join(map(_without_log, data.split(b"\n")))
    with patch.object(client, "_connect", lambda folder: heard(spoken, lambda link: _Kept(link))):
        client.submit(Path("x"), "p", [], lambda output: None, lambda text: text.encode())


class _Kept(Lines):
    """A link that has been read to its end, so that its messages outlive the socket."""

    def __init__(self, link):
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        while not link.closed:
            link._fill()
        theirs.sendall(link._waiting)
        theirs.close()


def _without_log(line):
    """No file of this machine is read because bytes happen to name it."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(message, dict) and isinstance(message.get("log"), str):
        return json.dumps(message | {"log": os.devnull}).encode()
    return line


LIST = b'[[program]]\nname = "risk"\nfile = "none"\nsha256 = "%s"\nargs = ["a"]\n' % (b"ab" * 32)
LINES = [b'{"a": 1}\n{"b": [2]}\n', b"[" * 3000 + b"\n", b'{"a": 1}', b"\xff\n"]
JOBS = [b'{"program": "risk", "args": ["1"]}\n', b'{"program": "x y", "args": []}\n', b'{"program": 1}\n']
ANSWERS = [
    b'{"event": "queued", "before": 1}\n{"event": "begins", "log": "x"}\n{"event": "done", "status": 0, "text": ""}\n',
    b'{"event": "done"}\n',
    b'{"event": "done", "status": "x", "text": ""}\n',
    b'{"event": "begins"}\n',
    b'{"event": "queued"}\n{"event": "waiting", "text": "\\ud800"}\n',
]


def programs(data):
    """The list of programs, and the files that it names."""
    found = with_file(Programs.load, data)
    for entry in found.entries:
        assert found.named(entry.name) == found.with_digest(entry.digest) == entry
        assert entry.read().digest == entry.digest


PROGRAMS = [LIST, LIST.replace(b'"none"', b'"a\\u0000b"'), LIST + LIST, b"a" + b".a" * 4000 + b" = 1"]
