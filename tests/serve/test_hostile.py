"""What a worker refuses: programs that have changed, and parties that lie before a job (real workers, and one such)."""

import json
import socket
import threading

import pytest

from benchmarks.services import Services
from mpc.errors import FrameError, PeerFailed
from mpc.serve.lines import Lines
from mpc.serve.options import Options
from mpc.serve.proposal import Proposal, Talks
from mpc.serve.queue import Queue
from mpc.serve.worker import Worker

SOURCE = "def main(party, *args):\n    return args\n"


@pytest.fixture
def options(tmp_path):
    made = Services(tmp_path, {"x": SOURCE, "y": SOURCE + "# another\n"}, {"b": ["of y"]})
    at = lambda *names: [str(tmp_path / name) for name in names]

    def of(name):
        programs = None if name == "dealer" else at(f"{name}/programs.toml")[0]
        return Options(*at("cluster.toml"), name, *at(f"{name}.key", "f"), programs)

    return of, made


class Hostile(Worker):
    """Party 0, in the chair."""

    def _agree(self, talks):
        self.lie(talks)
        talks._transport.wait(self._service.fileno(), ())  # until another stops the talks
        raise AssertionError("nobody minded")


def work(workers):
    """Let all of them meet and talk: how each ended."""
    ended = {}

    def one(worker):
        try:
            worker.work()
        except Exception as error:
            ended[worker._site.name] = error

    threads = [threading.Thread(target=one, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ended


def crosses(talks, digest):
    """Another admitted program, in the name of party 1, which has asked for one and waits."""
    talks._receive(1)
    talks._announce(Proposal(1, digest))


def votes_for_nobody(talks, digest):
    talks._announce(Proposal(0, digest))
    for peer in (1, 2):
        talks._send(peer, "vote", Proposal(99, digest))


@pytest.mark.parametrize(
    ("lie", "said"),
    [(crosses, "party 0 proposed sha256:{} in the name of party 1"), (votes_for_nobody, "party 0 sent a malformed message")],
)
def test_a_party_that_lies_is_named_to_all_and_nothing_begins(options, monkeypatch, lie, said):
    of, services = options
    monkeypatch.setattr(Talks, "chair", property(lambda self: 0, lambda self, drawn: None), raising=False)
    links = {name: socket.socketpair() for name in ("a", "b", "dealer")}
    workers = [(Hostile if name == "a" else Worker)(of(name), Lines(theirs)) for name, (_, theirs) in links.items()]
    workers[0].lie = lambda talks: lie(talks, services.digest("b", "y"))
    order = {"event": "submission", "digest": services.digest("b", "x"), "args": ["of x"]}
    links["b"][0].sendall(json.dumps(order).encode() + b"\n")
    ended = work(workers)
    said = said.format(services.digest("b", "y"))
    for name in ("b", "dealer"):  # one of them found it, and told the other
        assert isinstance(ended[name], FrameError | PeerFailed) and said in str(ended[name])
    assert isinstance(ended["a"], PeerFailed)
    for ours, theirs in links.values():
        theirs.close()
        assert {message["event"] for message in Lines(ours).arrived()} <= {"ready", "waiting"}
        ours.close()


@pytest.mark.parametrize(("own", "args"), [(True, ("of x",)), (False, ("of y",))])
def test_a_submitters_arguments_are_for_what_it_asked_for_alone(options, own, args):
    of, services = options
    worker = Worker(of("b"), None)
    worker._args, worker._own = ["of x"], own
    job, reason = worker._look_up(Proposal(1, services.digest("b", "y")))
    assert (job.args, reason) == (args, "")


def test_a_program_that_changed_after_it_was_listed_is_refused(options, capfd):
    of, services = options
    digest = services.digest("b", "y")
    (services.folder / "b" / "y.py").write_text(SOURCE + "# and more\n")
    refused = Worker(of("b"), None)._look_up(Proposal(0, digest))[1]
    assert refused == "does not admit it: its copy of the program is not the one that was listed there"
    assert digest in capfd.readouterr().err  # for its owner alone
    assert Worker(of("dealer"), None)._look_up(Proposal(0, digest))[1] == ""


def test_a_submitter_of_a_program_that_changed_reads_both_digests(options):
    of, services = options
    path = services.folder / "b" / "y.py"
    listed = services.digest("b", "y")
    path.write_text(SOURCE + "# and more\n")
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b'{"program": "y"}\n')
        Queue(of("b"), is_dealer=False).accept(theirs)
        told = Lines(ours).receive()
    assert told["status"] == 3 and "not the file that was listed" in told["text"]
    assert listed in told["text"] and services.digest("b", "y") in told["text"]
