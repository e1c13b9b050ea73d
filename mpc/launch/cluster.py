"""One endpoint of a run across machines: it meets the others, and plays its part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpc import __version__
from mpc.cluster import Cluster, Identity
from mpc.errors import ClusterError, FrameError, OptionError, party_name
from mpc.launch.job import Job, expectation
from mpc.launch.play import mark_finished, play
from mpc.offline import Dealt, Record, open_dealt
from mpc.party import Keys, Stats
from mpc.transport.curve import CurveTransport
from mpc.transport.keyed import Contact
from mpc.transport.rendezvous import Meeting

Waiting = Callable[[dict[int, str]], None]


@dataclass(frozen=True)
class Site:
    """This host: a member of a cluster, and its key. ClusterError where the cluster file gives another key for that member."""

    cluster: Cluster
    identity: Identity
    name: str
    insecure: bool = False  # plain TCP, on loopback only

    def __post_init__(self) -> None:
        if self.member.public != self.identity.public:
            raise ClusterError(
                f"the key of {self.identity.name!r} is not the one that the cluster file has for {self.name!r}: give this "
                "host's own key file (--key), or put its public key into the cluster file of every host"
            )

    @classmethod
    def load(cls, cluster: str | Path, name: str, key: str | Path | None = None, insecure: bool = False) -> Site:
        """From the files: the key's is NAME.key by default. ClusterError, KeyFileError."""
        found = Cluster.load(cluster)
        found.index_of(name)  # a mistyped name is no missing key
        return cls(found, Identity.load(key or f"{name}.key"), name, insecure)

    @property
    def index(self) -> int:
        return self.cluster.index_of(self.name)

    @property
    def member(self) -> Any:
        return self.cluster.endpoints[self.index]

    @property
    def is_dealer(self) -> bool:
        return self.index == len(self.cluster.members)

    def named(self, text: str) -> str:
        """A text about the run, which calls the endpoints by their numbers, and below it who these are, if it does not say so."""
        size = len(self.cluster.members)
        called = {party_name(index, size): member.name for index, member in enumerate(self.cluster.endpoints)}

        def says(word: str) -> bool:
            return re.search(rf"(?<![\w-]){word}(?![\w-])", text) is not None

        found = [f"{call} is {name}" for call, name in called.items() if says(call) and not says(f"{call} \\({name}\\)")]
        return f"{text}\n({', '.join(found)})" if found else text

    @contextmanager
    def transport(self, dealer: bool) -> Iterator[CurveTransport]:
        """This host's links; without the dealer where a run needs none."""
        cluster = self.cluster
        members = cluster.endpoints if dealer else cluster.members
        contacts = [Contact(member.name, member.endpoint, member.public) for member in members]
        transport = CurveTransport(
            self.index,
            contacts,
            self.identity.secret,
            self.member.listen_endpoint,
            len(cluster.members),
            cluster.heartbeat,
            insecure=self.insecure,
            patience=cluster.message,
        )
        try:
            yield transport
        finally:
            transport.close()


def play_at(
    site: Site,
    job: Job,
    wait: float | None = None,
    waiting: Waiting = lambda missing: None,
    met: Callable[[Meeting], None] = lambda meeting: None,
    dealt_file: str | Path | None = None,
) -> tuple[Any, Stats]:
    """Be one endpoint of a job whose others run on other hosts, to the end: (result, costs).

    `wait` seconds at most until all are there (by default, as the cluster file says); `waiting` hears who is missing, `met`
    what the handshake gave. `dealt_file`: this party's, in place of a dealer. HandshakeError where the endpoints do not come
    together; DealtFileError for a file that does not fit or is used up; else what `play` raises.
    """
    dealer = takes_dealer(site, job, dealt_file is not None)
    if not site.is_dealer and not job.digest:
        raise OptionError("a run across machines takes its program from a file, so that all can compare it")
    with ExitStack() as stack:
        dealt = None if dealt_file is None else stack.enter_context(closing(_open(site, job, dealt_file)))
        agree = site.cluster.agreement() | {
            "what is run": "a program",
            "mpc version": __version__,
            "program": "" if site.is_dealer else job.digest,
            "dealing": "by the dealer" if dealt is None else f"files of deal {dealt.header.deal}",
            "checkpoints": "" if site.is_dealer else _checkpoints(job),
            "integrity": str(job.integrity),
            "versions checked of the dealer": str(job.check_dealer),
        }
        facts = {} if dealt is None else {"standing": dealt.standing().hex()}
        transport = stack.enter_context(site.transport(dealer))
        meeting = transport.meet(agree, facts, site.cluster.start if wait is None else wait, waiting)
        met(meeting)
        record = None if dealt is None else _claim(transport, dealt, meeting)
        outcome = play(job, transport, keys_of(meeting, site.index, job.parties), record=record)
    mark_finished(job, [] if site.is_dealer else [site.index])
    return outcome


def _checkpoints(job: Job) -> str:
    if job.checkpoints is None:
        return "none"
    return "resumed" if job.resume else "kept"


def _open(site: Site, job: Job, path: str | Path) -> Dealt:
    if site.cluster.dealer is None:
        raise ClusterError("the cluster file has no [dealer]: add who dealt the files, whose key they are checked with")
    expected = expectation(job, site.index, site.name, site.cluster.digest().hex())
    return open_dealt(path, site.identity.secret, site.cluster.dealer.public, expected)


def _claim(transport: CurveTransport, dealt: Dealt, meeting: Meeting) -> Record:
    try:
        return dealt.claim(dealt.agree(_standings(meeting)))
    except Exception as error:  # its text names files of this host
        name = party_name(transport.index, len(meeting.facts))
        transport.abort(f"{name} failed with {type(error).__name__} before the first operation; its own error has the details")
        raise


def _standings(meeting: Meeting) -> list[bytes]:
    """How far each party has used its dealt file, as it told in the handshake."""
    try:
        return [bytes.fromhex(facts.get("standing", "")) for facts in meeting.facts.values()]
    except ValueError:
        raise FrameError("a party told in no form that is known how far it has used its dealt file") from None


def takes_dealer(site: Site, job: Job, dealt: bool = False) -> bool:
    """Whether the dealer takes part in this job; ClusterError if it has to and there is none."""
    if job.seed is not None:
        raise OptionError("a run across machines takes no seed: it would repeat its masks")
    if dealt and site.is_dealer:
        raise ClusterError(f"{site.name!r} is the dealer, which has no part in a run with dealt files")
    needed = job.endpoints > job.parties and not dealt
    if needed and site.cluster.dealer is None:
        raise ClusterError(
            f"protocol '{job.protocol}' needs correlated randomness, and the cluster file has no [dealer]: add one, which all "
            "parties trust not to collude with any of them, or run with dealt files"
        )
    if site.is_dealer and not needed:
        raise ClusterError(f"{site.name!r} is the dealer, and this run has no use for one")
    return needed


def keys_of(meeting: Meeting, index: int, parties: int) -> Keys:
    """The seeds that one endpoint shares, from the handshake."""
    if index == parties:
        return Keys(meeting.session, meeting.seeds, {})
    pairwise = {peer: seed for peer, seed in meeting.seeds.items() if peer < parties}
    dealer = {index: meeting.seeds[parties]} if parties in meeting.seeds else {}
    return Keys(meeting.session, dealer, pairwise)
