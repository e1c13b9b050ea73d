"""What a service was told: whose it is, what it admits, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mpc.errors import OptionError
from mpc.launch.cluster import Site, takes_dealer
from mpc.launch.job import Job
from mpc.launch.program import no_program
from mpc.serve.programs import Programs


@dataclass(frozen=True)
class Options:
    """Paths are absolute. `programs` is the list of admitted programs; None at the dealer, which runs none.

    keep: how many jobs' folders stay. queue: how many jobs may wait. job_timeout: seconds that a job may take; None: any.
    check_dealer: as for `mpc run`, the same at all hosts. insecure: plain TCP, on loopback only.
    """

    cluster: str
    name: str
    key: str
    folder: str
    programs: str | None = None
    keep: int = 50
    queue: int = 16
    job_timeout: float | None = None
    check_dealer: int = 0
    insecure: bool = False

    def site(self) -> Site:
        return Site.load(self.cluster, self.name, self.key, self.insecure)

    def admitted(self) -> Programs:
        """The list as it is now: it may have changed since the service began."""
        return Programs(()) if self.programs is None else Programs.load(Path(self.programs))

    def check(self) -> Site:
        """This host, if all its files can be used; else the mpc.Error that says which cannot, and why."""
        site = self.site()
        takes_dealer(site, blank_job(site, self.check_dealer))
        if site.is_dealer and self.programs is not None:
            raise OptionError(f"{self.name!r} is the dealer, which runs no programs and admits what all parties admit")
        if not site.is_dealer and self.programs is None:
            raise OptionError("which programs does this party admit? Give the list of them: mpc serve --programs programs.toml")
        self.admitted()
        return site


def blank_job(site: Site, check_dealer: int) -> Job:
    """A job of this cluster, without its program."""
    cluster = site.cluster
    return Job(
        no_program,
        (),
        len(cluster.members),
        cluster.protocol,
        cluster.fraction_bits,
        cluster.network,
        cluster.message,
        integrity=True,
        check_dealer=check_dealer,
    )
