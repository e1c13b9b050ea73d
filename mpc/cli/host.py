"""mpc run PROGRAM.py --cluster cluster.toml --as NAME: one party, or the dealer, of a run across machines."""

from __future__ import annotations

import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import click

from mpc.cli.log import Log
from mpc.errors import Error, OptionError, PeerFailed, PeerTimeout
from mpc.launch.cluster import Site, play_at
from mpc.launch.failures import own_traceback, program_line
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile, no_program
from mpc.launch.run import Outcome
from mpc.transport.rendezvous import Meeting

_OF_ALL = (PeerFailed, PeerTimeout)  # errors upon which the parties settled, and whose text is the same everywhere


@dataclass(frozen=True)
class Host:
    """This host's options of a run."""

    cluster: str
    name: str
    key: str | None = None
    wait: float | None = None
    insecure: bool = False
    dealt: str | None = None  # this party's dealt file

    def site(self) -> Site:
        return Site.load(self.cluster, self.name, self.key, self.insecure)


def run_host(
    host: Host, program: str | None, args: tuple[str, ...], options: dict[str, Any], log: Log
) -> tuple[list[str], Outcome]:
    """Play this host's part to the end; exits with an explanation where that fails."""
    signal.signal(signal.SIGTERM, _terminate)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold shares and keys
    began = time.perf_counter()
    named: Callable[[str], str] = str
    try:
        site = host.site()
        named = site.named
        job = _job(site, program, args, options)
        log.event("start", party=site.name, index=site.index, program=job.digest)
        if site.insecure:
            log.event("insecure", "links are NOT encrypted and parties NOT authenticated (--insecure-transport)")

        def waiting(missing: dict[int, str]) -> None:
            members = site.cluster.endpoints
            names = {members[i].name: f"{why} ({members[i].address})" for i, why in missing.items()}
            if names:
                log.once("waiting", "waiting for " + "; ".join(f"{name}: {why}" for name, why in names.items()), missing=names)

        def met(meeting: Meeting) -> None:
            log.event("joined", f"all are there; session {meeting.session.hex()}", session=meeting.session.hex())

        result, stats = play_at(site, job, host.wait, waiting, met, host.dealt)
        log.event("finished", rounds=stats.total.rounds, bytes_sent=stats.total.bytes_sent, seconds=stats.total.seconds)
        return [site.name], Outcome([result], [stats], time.perf_counter() - began)
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
            log.event("interrupted", "interrupted; the others were told", complete=False)
            sys.exit(130)
        _explain(error, named, log)


def _explain(error: Exception, named: Callable[[str], str], log: Log) -> NoReturn:
    """The failure upon which all settled, in the same words everywhere; above it, what this party saw."""
    cause = error.__cause__
    if isinstance(error, _OF_ALL):
        own = _own(cause) if cause is not None and str(cause) != str(error) else ""
    else:
        own = _own(error) if not isinstance(error, Error) else program_line(error)
    text = (
        str(error)
        if isinstance(error, Error)
        else f"{type(error).__name__} in the program; the others were told this, and no more"
    )
    log.detail(own)
    log.event("failed", named(text), error=type(error).__name__, culprit=getattr(error, "peer", None), complete=False)
    log.event("incomplete", "the run did not complete: what it printed or wrote before this is partial")
    sys.exit(1)


def _own(error: BaseException) -> str:
    """What this host itself saw."""
    return f"{program_line(error)}\n{error}".strip() if isinstance(error, Error) else own_traceback(error)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _job(site: Site, program: str | None, args: tuple[str, ...], options: dict[str, Any]) -> Job:
    cluster = site.cluster
    if program is None and not site.is_dealer:
        raise OptionError("which program? Only the dealer runs without one: mpc run PROGRAM.py --cluster ... --as ...")
    main = no_program if program is None or site.is_dealer else ProgramFile(program)
    options = {"fraction_bits": cluster.fraction_bits, "network": cluster.network, "timeout": cluster.message, **options}
    return Job(main, args, len(cluster.members), cluster.protocol, **options)


def only_default(context: click.Context, options: Iterable[str], why: str) -> None:
    """Refuse these options of a command, where one was given."""
    for option in options:
        if context.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"--{option.replace('_', '-')} {why}.", context)
