"""The process of one job: it meets the others before there is one, waits for it, plays this host's part, and ends.

    python -P -m mpc.serve.worker DESCRIPTOR PARENT OPTIONS

DESCRIPTOR is the inherited end of a socket pair to the service, PARENT the service's process, OPTIONS the
service's, as JSON. The service ends it by SIGTERM,
or by its own end. What a program prints comes out here, where the service keeps it in the job's log.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from mpc import __version__
from mpc.errors import DesyncError, Error, FrameError, JobRefused, JobStopped, ServiceError
from mpc.launch.cluster import keys_of, takes_dealer
from mpc.launch.job import Job
from mpc.launch.play import play
from mpc.launch.start import die_with
from mpc.party import Stats
from mpc.serve.lines import Lines, Message
from mpc.serve.options import Options, blank_job
from mpc.serve.proposal import Proposal, Talks
from mpc.transport.curve import CurveTransport
from mpc.transport.rendezvous import Meeting

_FOREVER = 1e9  # seconds


def main() -> None:
    die_with(int(sys.argv[2]))
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGALRM, _took_too_long)
    service = Lines(link)
    try:
        Worker(Options(**json.loads(sys.argv[3])), service).work()
    except Exception as error:
        service.send({"event": "trouble", "text": _text(error)})
        if not isinstance(error, Error):
            traceback.print_exc()


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    raise JobStopped("the service of this host was stopped")


def _took_too_long(number: int, frame: FrameType | None) -> NoReturn:
    raise JobStopped("the job took longer than this host allows (mpc serve --job-timeout)")


class Worker:
    """One endpoint, for one job."""

    def __init__(self, options: Options, service: Lines):
        self._options, self._service = options, service
        self._site = options.site()
        self._names = [member.name for member in self._site.cluster.endpoints]
        self._job = blank_job(self._site, options.check_dealer)
        self._args: list[str] = []  # of what this host's submitter asks for
        self._own = False  # whether the job is that, and not another's

    def work(self) -> None:
        site = self._site
        rules = {"started by": "mpc serve", "mpc version": __version__, "dealer's checks": str(self._options.check_dealer)}
        with site.transport(takes_dealer(site, self._job)) as transport:
            meeting = transport.meet(site.cluster.agreement() | rules, {}, _FOREVER, self._waiting)
            self._service.send({"event": "ready"})
            try:
                job, proposal, refusals = self._agree(Talks(transport, meeting.session, self._job.parties, site.cluster.message))
            except (FrameError, DesyncError) as error:
                transport.abort(str(error))  # the others hear who did what: a link that just breaks would look like a death
                raise
            if refusals:
                self._service.send({"event": "refused", **self._told(proposal), "text": self._refusal(proposal, refusals)})
                transport.finish()  # a link that breaks early would look like a death to who still hears the others
            else:
                self._begin(proposal, meeting)
                self._play(job, transport, meeting)
        if not refusals:
            self._report()

    def _agree(self, talks: Talks) -> tuple[Job, Proposal, dict[int, str]]:
        """Come to a job: as this host would run it, as it was proposed, and who refuses it."""
        proposal = talks.find(self._service.fileno(), self._submitted)
        self._own = proposal == talks.own
        job, reason = self._look_up(proposal)
        return job, proposal, talks.vote(proposal, reason)

    def _waiting(self, missing: dict[int, str]) -> None:
        members = self._site.cluster.endpoints
        texts = {members[peer].name: f"{why} ({members[peer].address})" for peer, why in missing.items()}
        self._service.send({"event": "waiting", "missing": texts})

    def _submitted(self) -> str:
        message = self._order("submission")
        self._args = message["args"]
        return str(message["digest"])

    def _order(self, event: str) -> Message:
        """The service's next order of that kind. (A submission may come too late to be proposed: the next worker gets it.)"""
        while (message := self._service.receive()) is not None:
            if message["event"] == event:
                return message
        raise ServiceError("the service is gone")

    # ------------------------------------------------------------------ to admit

    def _look_up(self, proposal: Proposal) -> tuple[Job, str]:
        """The job as this host would run it; or why it does not, in words for the others: they hold nothing of this host."""
        if self._site.is_dealer:
            return self._job, ""  # it admits what all parties admit
        try:
            listed = self._options.admitted().with_digest(proposal.digest)
            if listed is None:
                return self._job, "does not admit it: its owner has to review it and add it to the list of programs there"
            program = listed.read()
        except JobRefused as error:
            print(error, file=sys.stderr)
            return self._job, "does not admit it: its copy of the program is not the one that was listed there"
        except ServiceError as error:
            print(error, file=sys.stderr)
            return self._job, "does not admit it: its list of programs cannot be used; its own log says why"
        args = tuple(self._args) if self._own and self._args else listed.args
        return replace(self._job, program=program, args=args), ""

    def _refusal(self, proposal: Proposal, refusals: dict[int, str]) -> str:
        who = [f"{self._called(peer)} {why}" for peer, why in refusals.items()]
        return f"program sha256:{proposal.digest} was refused. " + "; ".join(who)

    def _called(self, index: int) -> str:
        return f"the dealer ({self._names[index]})" if index == self._job.parties else f"party {index} ({self._names[index]})"

    def _told(self, proposal: Proposal) -> Message:
        return {"digest": proposal.digest, "by": self._names[proposal.submitter], "own": self._own}

    # ------------------------------------------------------------------ to play

    def _begin(self, proposal: Proposal, meeting: Meeting) -> None:
        self._service.send({"event": "begins", **self._told(proposal), "session": meeting.session.hex()})
        self._order("go")  # by now this process stands in the job's folder

    def _play(self, job: Job, transport: CurveTransport, meeting: Meeting) -> None:
        sys.argv = [str(getattr(job.program, "path", "dealer")), *job.args]
        if self._options.job_timeout is not None:
            signal.setitimer(signal.ITIMER_REAL, self._options.job_timeout)
        self._outcome: Message = {}
        try:
            result, stats = play(job, transport, keys_of(meeting, transport.index, job.parties))
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._show(result)
            self._outcome = {"error": "", "text": "", **_costs(stats)}
        except Exception as error:
            signal.setitimer(signal.ITIMER_REAL, 0)
            _show_own(error)
            self._outcome = {"error": type(error).__name__, "text": self._site.named(_text(error))}

    def _show(self, result: Any) -> None:
        if result is not None:
            text = str(result) if isinstance(result, np.ndarray | np.generic) else repr(result)
            print(f"{self._site.name}: {text}")

    def _report(self) -> None:
        """Once the links are closed: the port is free for the next."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        self._service.send({"event": "ended", **self._outcome})


def _show_own(error: Exception) -> None:
    """In the log of this host: what the program of this party did wrong, if it did."""
    cause = error.__cause__ if isinstance(error, Error) else error
    if isinstance(cause, Error) and str(cause) != str(error):
        print(cause, file=sys.stderr)
    elif cause is not None and not isinstance(cause, Error):
        traceback.print_exception(cause)


def _costs(stats: Stats) -> Message:
    total = stats.total
    return {"rounds": total.rounds, "bytes_sent": total.bytes_sent, "seconds": round(total.seconds, 3)}


def _text(error: BaseException) -> str:
    return str(error) if isinstance(error, Error) else f"{type(error).__name__} in the program; the job's log has its traceback"


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # whatever threads a program has left behind
