"""The parts of a service, each by itself: messages, the queue, the folder, the log, and how endpoints come to a job."""

import hashlib
import json
import os
import socket
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress

import pytest

from mpc.errors import DesyncError, FrameError, OptionError, ServiceError
from mpc.serve import process
from mpc.serve.client import submit
from mpc.serve.lines import LONGEST, Lines
from mpc.serve.options import Options
from mpc.serve.proposal import Proposal, Talks
from mpc.serve.queue import Queue
from mpc.serve.workplace import Workplace

DIGEST = "ab" * 32


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Lines(ours), theirs


# ---------------------------------------------------------------------------------------- lines


def test_lines_arrive_whole_however_they_are_cut(pair):
    ours, theirs = pair
    theirs.sendall(b'{"a": 1}\n{"b"')
    assert ours.receive() == {"a": 1}
    theirs.sendall(b": 2}\n")
    assert ours.arrived() == [{"b": 2}]
    assert not ours.gone
    theirs.close()
    assert ours.gone and ours.receive() is None and not ours.send({})


@pytest.mark.parametrize("data", [b"no json\n", b"[1]\n", b"[" * 100_000 + b"\n", b"\xff\n", b"x" * (LONGEST + 1)])
def test_who_sends_no_message_is_taken_as_gone(pair, data):
    ours, theirs = pair
    theirs.setblocking(False)
    for start in range(0, len(data), 1 << 15):
        theirs.sendall(data[start : start + (1 << 15)])
        assert not ours.arrived()
    assert ours.closed


# ---------------------------------------------------------------------------------------- the queue


@pytest.fixture
def queue(tmp_path):
    """A queue of at most two jobs, and a function that asks it for one: (the submitter's end, its first answer)."""
    source = b"def main(party): pass\n"
    (tmp_path / "p.py").write_bytes(source)
    digest = hashlib.sha256(source).hexdigest()
    (tmp_path / "l.toml").write_text(f'[[program]]\nname = "p"\nfile = "p.py"\nsha256 = "{digest}"\n')
    links = []

    def ask(queue, request):
        ours, theirs = socket.socketpair()
        links.append(ours)
        ours.sendall(request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n")
        queue.accept(theirs)
        return ours, Lines(ours).receive()

    made = Queue(Options("c", "a", "k", "f", str(tmp_path / "l.toml"), queue=2), is_dealer=False)
    yield made, ask
    made.end("the test ends")
    for link in links:
        link.close()


def test_a_queue_has_a_bound(queue):
    queue, ask = queue
    answers = [ask(queue, {"program": "p"})[1] for _ in range(3)]
    assert [answer["event"] for answer in answers] == ["queued", "queued", "done"]
    assert answers[1]["before"] == 1
    assert answers[2]["status"] == 3 and "2 jobs wait already" in answers[2]["text"]


def test_who_left_does_not_hold_up_the_queue(queue):
    queue, ask = queue
    ask(queue, {"program": "p"})[0].close()
    ask(queue, {"program": "p", "args": ["x"]})
    assert queue.first.args == ["x"]


@pytest.mark.parametrize("request_", [b"junk\n", {}, {"program": 1}, {"program": "p", "args": "x"}, {"program": "../p"}])
def test_what_cannot_be_understood_is_refused(queue, request_):
    queue, ask = queue
    assert ask(queue, request_)[1]["status"] == 3
    assert queue.first is None


def test_who_speaks_slowly_holds_up_nobody(queue, monkeypatch):
    monkeypatch.setattr("mpc.serve.queue._PATIENCE", 0.2)
    queue, _ = queue
    ours, theirs = socket.socketpair()

    def dribble():
        for byte in json.dumps({"program": "p"}).encode() + b"\n":
            time.sleep(0.05)
            with suppress(OSError):
                ours.send(bytes([byte]))

    slow = threading.Thread(target=dribble)
    with ours:
        slow.start()
        queue.accept(theirs)
        slow.join()
        assert queue.first is None and Lines(ours).receive()["status"] == 3


# ---------------------------------------------------------------------------------------- the folder


def test_only_the_last_jobs_are_kept(tmp_path):
    place = Workplace(tmp_path / "a.serve", keep=2)
    for number in range(12):
        job = place.begin(place.prepare())
        assert job.name == f"{number + 1:06d}"
        place.end(job, {"error": ""})
    assert sorted(path.name for path in job.parent.iterdir()) == ["000011", "000012"]
    (place.prepare() / "log.txt").write_text("of a worker that never began")
    assert not list(place.prepare().iterdir())
    place.close()
    assert sorted(path.name for path in job.parent.iterdir()) == ["000011", "000012"]


def test_a_folder_is_of_one_service_and_nobody_else_may_look(tmp_path):
    place = Workplace(tmp_path / "a.serve", keep=2)
    with pytest.raises(ServiceError, match="another service runs"):
        Workplace(tmp_path / "a.serve", keep=2)
    with place.listen():
        assert (tmp_path / "a.serve").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "a.serve" / "socket").stat().st_mode & 0o777 == 0o600
    place.close()
    Workplace(tmp_path / "a.serve", keep=2).close()  # free again
    deep = Workplace(tmp_path / ("x" * 120), keep=2)
    with pytest.raises(ServiceError, match="too long"):
        deep.listen()
    deep.close()


def test_submitting_where_no_service_is(tmp_path):
    with pytest.raises(ServiceError, match="no service is there"):
        submit(tmp_path, "p", [], print, print)
    place = Workplace(tmp_path / "a", keep=2)
    place.listen().close()  # it was killed: its socket is still there
    with pytest.raises(ServiceError, match="no service is there"):
        submit(tmp_path / "a", "p", [], print, print)
    place.close()


def test_a_log_has_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LARGEST_LOG", 10)
    monkeypatch.setattr(process.sys, "executable", "/bin/false")
    worker = process.Process(Options("c", "a", "k", "f"), tmp_path)
    assert worker._process.wait() == 1
    os.close(worker.output)
    worker.output, writing = os.pipe()
    os.set_blocking(worker.output, False)
    for _ in range(3):
        os.write(writing, b"123456")
        assert worker.copy_output()
    os.close(writing)
    assert not worker.copy_output()
    worker.end()
    worker.close()
    assert (tmp_path / "log.txt").read_bytes() == b"1234561234\n[this log is full: what followed was dropped]\n"


# ---------------------------------------------------------------------------------------- options


def test_options_that_do_not_fit_are_refused(tmp_path):
    from benchmarks.services import Services

    Services(tmp_path, {"p": "x = 1"})
    options = lambda name, key, programs: Options(
        str(tmp_path / "cluster.toml"), name, str(tmp_path / f"{key}.key"), str(tmp_path / "f"), programs
    )
    listed = str(tmp_path / "a" / "programs.toml")
    assert options("a", "a", listed).check().index == 0
    assert options("dealer", "dealer", None).check().is_dealer
    with pytest.raises(OptionError, match="which programs"):
        options("a", "a", None).check()
    with pytest.raises(OptionError, match="runs no programs"):
        options("dealer", "dealer", listed).check()
    with pytest.raises(ServiceError, match="cannot be read"):
        options("a", "a", str(tmp_path / "none.toml")).check()


# ---------------------------------------------------------------------------------------- how endpoints come to a job


class Wire:
    """What a transport is to the talks, for endpoints that take turns in one thread."""

    def __init__(self, index, size, queues):
        self.index, self.peers, self.queues = index, tuple(i for i in range(size) if i != index), queues

    def send(self, to, header, payload=()):
        self.queues[to, self.index].append((header, list(payload)))

    def receive(self, sender, timeout):
        return self.queues[self.index, sender].popleft()

    def wait(self, descriptor, senders):
        ready = [sender for sender in senders if self.queues[self.index, sender]]
        if not ready and not descriptor:
            raise LookupError("it would wait")
        return ready


def talks(chair=0, parties=2):
    queues = defaultdict(deque)
    session = bytes(15) + bytes([chair])
    made = [Talks(Wire(i, parties + 1, queues), session, parties, 1.0) for i in range(parties + 1)]
    assert {talk.chair for talk in made} == {chair}
    return made


def asks(talk):
    """This endpoint has a job; whether it stops to wait for what the others say."""
    with pytest.raises(LookupError):
        once = iter([DIGEST])

        def submitted():
            talk._transport.wait = lambda descriptor, senders: Wire.wait(talk._transport, 0, senders)
            return next(once)

        talk.find(1, submitted)
    del talk._transport.wait


def test_the_chair_proposes_its_own_job_and_others_hear_of_it():
    first, second, dealer = talks(chair=1)
    assert second.find(1, lambda: DIGEST) == Proposal(1, DIGEST) == first.find(0, str) == dealer.find(0, str)


def test_a_job_of_another_reaches_all_by_the_chair():
    first, second, dealer = talks(chair=1)
    asks(first)
    assert second.find(0, str) == first.find(0, str) == dealer.find(0, str) == Proposal(0, DIGEST)


def test_all_know_who_refuses_also_where_a_proposal_came_too_late():
    first, second, dealer = talks(chair=0)
    asks(second)
    first._transport.wait = lambda descriptor, senders: []  # it has a job itself, and looks at that first
    proposal = first.find(1, lambda: "cd" * 32)
    assert second.find(0, str) == dealer.find(0, str) == proposal
    for talk, reason in ((first, ""), (second, "no"), (dealer, "")):
        for peer in talk._transport.peers:
            talk._send(peer, "vote", proposal, reason)
    for talk, reason in ((first, ""), (second, "no"), (dealer, "")):
        talk._transport.send = lambda *args: None
        assert talk.vote(proposal, reason) == {1: "no"}


def test_a_vote_on_another_job_is_an_error():
    first, second, _ = talks()
    second._send(0, "vote", Proposal(1, DIGEST))
    with pytest.raises(DesyncError, match="party 1 votes on another job"):
        first.vote(Proposal(0, DIGEST), "")


def test_nobody_proposes_in_anothers_name():
    first, second, _ = talks(parties=3)[:3]
    for claim in (0, 2):
        second._send(0, "propose", Proposal(claim, DIGEST))
        with pytest.raises(FrameError, match="party 1 sent a propose out of turn"):
            first.find(0, str)


def test_a_chair_names_no_submitter_of_what_that_one_did_not_ask_for():
    first, second, _ = talks(chair=0)
    asks(second)  # for DIGEST
    for proposal in (Proposal(1, "cd" * 32), Proposal(1, DIGEST)):
        first._announce(proposal)
    with pytest.raises(FrameError, match=f"party 0 proposed sha256:{'cd' * 32} in the name of party 1"):
        second.find(0, str)
    assert second.find(0, str) == second.own == Proposal(1, DIGEST)
    second.own = None
    first._announce(Proposal(1, DIGEST))
    with pytest.raises(FrameError, match="which has not asked for it"):
        second.find(0, str)


MALFORMED = [b"", b"{}", b"[1, 2, 3]", b'[true, "", ""]', b"[" * 9999, b'[0, "' + b"a" * 65 + b'", ""]', b'[0, "", ""]']


@pytest.mark.parametrize("data", MALFORMED + [b'[%d, "%s", ""]' % (index, DIGEST.encode()) for index in (-1, 2, 99)])
def test_malformed_messages_are_refused(data):
    from mpc.transport.frames import ArraySpec, Header, Kind

    first, second, _ = talks()
    header = Header(Kind.DATA, bytes(16), 1, 0, "propose", (ArraySpec("uint8", (len(data),)),))
    second._transport.send(0, header.encode(), [data])
    with pytest.raises(FrameError, match="party 1 sent a malformed message"):
        first.find(0, str)
    second._transport.send(0, Header(Kind.DATA, bytes(16), 1, 0, "vote", header.arrays).encode(), [data])
    with pytest.raises(FrameError, match="party 1 sent a malformed message"):
        first.vote(Proposal(0, DIGEST), "")
