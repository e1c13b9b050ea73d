"""A valid cluster file to change; endpoints as threads over loopback; a network that does what a test wants."""

import contextlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zmq
from zmq.utils import z85

import mpc
from benchmarks.waiting import until
from mpc.cluster import Cluster, Identity, public_text
from mpc.errors import party_name
from mpc.launch.cluster import keys_of
from mpc.launch.job import Job
from mpc.launch.play import play
from mpc.transport.curve import CurveTransport
from mpc.transport.keyed import Contact

KEYS = [public_text(Identity(f"p{k}", bytes([k + 1] * 32)).public) for k in range(4)]
VALID = f"""\
protocol = "additive"
fraction_bits = 12
network = "wan"

[timeouts]
start = 60
message = 1.5
heartbeat = 2

[[party]]
name = "hospital-a"
address = "mpc.Hospital-a.example:7000"
listen = "0.0.0.0:7001"
key = "{KEYS[0]}"

[[party]]
name = "hospital-b"
address = "198.51.100.7:7000"
key = "{KEYS[1]}"

[dealer]
name = "ministry"
address = "[2001:db8:0::7]:7000"
key = "{KEYS[2]}"
"""


@pytest.fixture
def load(tmp_path):
    """load(text or bytes): the cluster of a file cluster.toml with that content."""

    def loaded(content):
        path = tmp_path / "cluster.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Cluster.load(path)

    return loaded


@pytest.fixture(scope="session")
def valid():
    return VALID


@pytest.fixture(scope="session")
def keys():
    return KEYS


# ---------------------------------------------------------------------------------------- endpoints as threads


PAIRS = [tuple(map(z85.decode, zmq.curve_keypair())) for _ in range(5)]  # (public, secret)
BOUND = 30.0  # seconds in which every endpoint ends, whatever happens, on a busy machine
ANY = "tcp://127.0.0.1:*"


class Machines:
    """Endpoints with real sockets on loopback, who know each other's addresses."""

    PAIRS = PAIRS

    def __init__(self, size, parties=None, insecure=False, heartbeat=0.5, patience=None, listen=ANY):
        self.parties = size if parties is None else parties
        self.books = [[Contact(f"host-{i}", "tcp://127.0.0.1:1", PAIRS[i][0]) for i in range(size)] for _ in range(size)]
        self.transports = [
            CurveTransport(i, self.books[i], PAIRS[i][1], listen, self.parties, heartbeat, insecure, patience)
            for i in range(size)
        ]
        for book in self.books:
            book[:] = [contact._replace(address=t.address) for contact, t in zip(book, self.transports, strict=True)]

    def route(self, sender, receiver, address):
        """The sender finds the receiver at another address: that of a Wire."""
        self.books[sender][receiver] = self.books[sender][receiver]._replace(address=address)

    def each(self, action, but_one=lambda: None):
        """action(transport) of every endpoint, in threads: its result, or its error. `but_one()` once only one still runs."""
        outcomes = [None] * len(self.transports)

        def endpoint(index):
            try:
                outcomes[index] = action(self.transports[index])
            except BaseException as error:
                outcomes[index] = error

        threads = [threading.Thread(target=endpoint, args=(i,), name=f"endpoint {i}") for i in range(len(outcomes))]
        for thread in threads:
            thread.start()
        until(lambda: sum(thread.is_alive() for thread in threads) < 2, BOUND)
        but_one()
        for thread in threads:
            thread.join(BOUND)
        assert not [thread.name for thread in threads if thread.is_alive()], f"they hang; {outcomes}"
        return outcomes

    def meet(self, *, wait=BOUND, agree=(), facts=()):
        """All meet; what each got. `agree` and `facts` are by index."""
        return self.each(lambda t: t.meet(dict(agree).get(t.index, {}), dict(facts).get(t.index, {}), wait))

    def play(self, job, wrap=lambda transport: transport, but_one=lambda: None):
        """All play the job, each by its transport as wrapped, and close."""

        def run(transport):
            try:
                keys = keys_of(transport.meet({}, {}, BOUND), transport.index, job.parties)
                return play(job, wrap(transport), keys)[0]
            finally:
                transport.close()

        return self.each(run, but_one)

    def close(self):
        for transport in self.transports:
            transport.close(0)


@pytest.fixture
def machines():
    """machines(size, ...): Machines that are closed afterwards."""
    made = []

    def make(*args, **options):
        made.append(Machines(*args, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def nothing_left():
    """No thread and no open file or socket is left."""

    def look():
        return {t for t in threading.enumerate() if t.is_alive()}, len(os.listdir("/proc/self/fd"))

    threads, files = look()
    yield

    def clean():
        more, (now, opened) = 0, look()
        if any(type(thread).__name__ == "GarbageCollectorThread" for thread in now - threads):
            more = 10  # of pyzmq, which starts it once for all contexts
        return len(now - threads) <= (more > 0) and opened <= files + more

    assert until(clean, 5), look()


# ---------------------------------------------------------------------------------------- faults


MESSAGES = {2: (12, 12, 3), 3: (22, 22, 20, 3)}  # that each endpoint sends in `small`, by parties; the dealer last
RIGHT = 5.0


def small(party):
    x = party.input(np.array([1.5, -2.0, 3.0]) if party.index == 0 else None, owner=0)
    w = party.input(np.array([2.0, 4.0, 0.5]) if party.index == 1 else None, owner=1)
    return np.maximum(x * w, 0.5).sum().reveal()


class Case:
    """One fault: at message `at` of `endpoint`, among so many parties and a dealer."""

    def __init__(self, fault, parties, endpoint, at):
        self.fault, self.parties, self.endpoint, self.at = fault, parties, endpoint, at
        self.label, self.to, self.outcomes = "", -1, []

    def __repr__(self):
        return f"{self.fault}, {self.parties} parties, {self.name()}, message {self.at} ({self.label} to {self.name(self.to)})"

    def name(self, index=None):
        return party_name(self.endpoint if index is None else index, self.parties)

    def job(self, timeout):
        return Job(small, parties=self.parties, timeout=timeout, integrity=True)

    def struck(self, faulty):
        assert faulty.struck is not None, f"{self!r} did not happen"
        self.to, self.label = faulty.struck

    @property
    def harmless(self):
        """Whether all ended well, with the right result."""
        return self.outcomes == [RIGHT] * self.parties + [None]

    def text(self, but=()):
        """What every endpoint says: all fail, with an error of mpc, in the same words."""
        others = [outcome for index, outcome in enumerate(self.outcomes) if index not in but]
        assert all(isinstance(error, mpc.Error) for error in others), self.report()
        assert len({str(error) for error in others}) == 1, self.report()
        return str(others[0])

    def names(self, *ends, but=(), saying="operation"):
        """The text names these endpoints, and says where it was."""
        text = self.text(but)
        assert all(self.name(end) in text for end in ends) and saying in text, self.report()

    def names_one(self, *ends):
        """The text names one of these."""
        assert any(self.name(end) in self.text() for end in ends), self.report()

    def report(self):
        return "\n".join([repr(self), *(f"  {i}: {type(o).__name__} {o}" for i, o in enumerate(self.outcomes))])


def cases(fault, parties, endpoints=None):
    """A case for every message of every endpoint."""
    chosen = range(parties + 1) if endpoints is None else endpoints
    return [Case(fault, parties, endpoint, at) for endpoint in chosen for at in range(MESSAGES[parties][endpoint])]


def all_of(found, inject, check, at_once=1):
    """Inject every case, so many at once, and tell all that fail; also when tried again by themselves, as on a busy machine
    those that run at once may not hear of each other in time."""

    def attempt(case):
        try:
            inject(case)
            check(case)
        except AssertionError as error:
            return f"{case!r}: {error}"
        return None

    with ThreadPoolExecutor(at_once) as pool:
        doubtful = [case for case, text in zip(found, pool.map(attempt, found), strict=True) if text]
    assert len(doubtful) <= len(found) // 4, f"{len(doubtful)} of {len(found)} failed"
    failed = [text for text in map(attempt, doubtful) if text]
    assert not failed, f"{len(failed)} of {len(found)}:\n" + "\n".join(failed[:5])


@pytest.fixture(scope="session")
def faults():
    """The tools of tests that inject faults."""
    return type("faults", (), {"cases": staticmethod(cases), "all_of": staticmethod(all_of), "Machines": Machines, "Wire": Wire})


class Wire:
    """A relay before an endpoint. From `arm(fault)` on, the next message that its client sends suffers that fault.

    It knows where ZeroMQ's frames begin, and nothing of what is in them. Frames below `SMALL` bytes are heartbeats.
    """

    SMALL = 70
    FAULTS = ("reset", "flip", "truncate", "drop", "duplicate", "swap", "stall")

    def __init__(self, target):
        host, _, port = target.removeprefix("tcp://").rpartition(":")
        self._target = host.strip("[]"), int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.seen = bytearray()  # all that the client sent
        self._fault, self._held = None, b""
        self._sockets, self._threads = [self._listener], []
        self._start(self._accept)

    def arm(self, fault):
        self._fault = fault

    def _start(self, target, *args):
        self._threads.append(threading.Thread(target=self._quietly, args=(target, *args), name="wire"))
        self._threads[-1].start()

    def _quietly(self, target, *args):
        with contextlib.suppress(OSError):
            target(*args)

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            self._sockets.append(client)
            try:
                server = socket.create_connection(self._target)
            except OSError:  # nobody is there any more
                self._shut(client)
                continue
            self._sockets.append(server)
            self._start(self._relay, server, client)
            self._start(self._relay_frames, client, server)

    def _relay(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        finally:
            self._shut(source, sink)

    def _relay_frames(self, client, server):
        stream = client.makefile("rb")
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(64):  # ZMTP's greeting, whose parts wait for each other
                self._pass(server, self._exactly(stream, 1))
            while True:
                start = self._exactly(stream, 1)
                start += self._exactly(stream, 8 if start[0] & 2 else 1)
                frame = start + self._exactly(stream, int.from_bytes(start[1:], "big"))
                if self._fault is not None and len(frame) >= self.SMALL:
                    fault, self._fault = self._fault, None
                    getattr(self, f"_{fault}")(client, server, frame)
                else:
                    self._pass(server, frame + self._held)
                    self._held = b""
        finally:
            stream.close()
            self._shut(client, server)

    def _exactly(self, stream, count):
        data = stream.read(count)
        if len(data) < count:
            raise OSError("the connection has ended")
        return data

    def _pass(self, server, data):
        self.seen += data
        server.sendall(data)

    def _reset(self, client, server, frame):
        for each in (client, server):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
        raise OSError

    def _flip(self, client, server, frame):
        at = len(frame) // 2
        self._pass(server, frame[:at] + bytes([frame[at] ^ 16]) + frame[at + 1 :])

    def _truncate(self, client, server, frame):
        self._pass(server, frame[:-1])

    def _drop(self, client, server, frame):
        pass

    def _duplicate(self, client, server, frame):
        self._pass(server, frame * 2)

    def _swap(self, client, server, frame):
        self._held = frame

    def _stall(self, client, server, frame):
        """Nothing goes through any more, and nobody is told."""
        while client.recv(1 << 16):
            pass

    def _shut(self, *sockets):
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self):
        self._shut(*self._sockets)
        for thread in self._threads:
            thread.join(BOUND)
            assert not thread.is_alive()
        self._shut(*self._sockets)  # those that came meanwhile
