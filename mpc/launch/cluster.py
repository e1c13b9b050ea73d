"""One endpoint of a run across machines: it meets the others, and plays its part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mpc import __version__
from mpc.cluster import Cluster, Identity
from mpc.errors import ClusterError, OptionError
from mpc.launch.job import Job, mark_finished, play
from mpc.party import Keys, Stats
from mpc.transport.curve import Contact, CurveTransport
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

    @property
    def index(self) -> int:
        return self.cluster.index_of(self.name)

    @property
    def member(self) -> Any:
        return self.cluster.endpoints[self.index]

    @property
    def is_dealer(self) -> bool:
        return self.index == len(self.cluster.members)

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
) -> tuple[Any, Stats]:
    """Be one endpoint of a job whose others run on other hosts, to the end: (result, costs).

    `wait` seconds at most until all are there (by default, as the cluster file says); `waiting` hears who is missing, `met`
    what the handshake gave. HandshakeError where the endpoints do not come together; else what `play` raises.
    """
    dealer = takes_dealer(site, job)
    agree = site.cluster.agreement() | {
        "what is run": "a program",
        "mpc version": __version__,
        "program": "" if site.is_dealer else job.digest,
    }
    with site.transport(dealer) as transport:
        meeting = transport.meet(agree, {}, site.cluster.start if wait is None else wait, waiting)
        met(meeting)
        outcome = play(job, transport, keys_of(meeting, site.index, job.parties))
    mark_finished(job, [] if site.is_dealer else [site.index])
    return outcome


def takes_dealer(site: Site, job: Job) -> bool:
    """Whether the dealer takes part in this job; ClusterError if it has to and there is none."""
    if job.seed is not None:
        raise OptionError("a run across machines takes no seed: it would repeat its masks")
    needed = job.endpoints > job.parties
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
