"""Errors on their way from a party to the caller: as plain data, as themselves, and which of several is the root."""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import (
    DesyncError,
    Error,
    FrameError,
    HandshakeError,
    IntegrityError,
    LinkLost,
    PeerFailed,
    PeerTimeout,
    RunFailed,
    party_name,
)
from mpc.party import Endpoint
from mpc.transport import Transport
from mpc.transport.reports import Cause, Report


class RemoteTraceback(Exception):
    """The failing party's own traceback, as the cause of the error that `run` raises."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class Standing(IntEnum):
    """How likely an error is the root of the others: the lower, the likelier."""

    OWN = 0
    TIMEOUT = 1
    PEER = 2

    @classmethod
    def of(cls, error: BaseException) -> Standing:
        """PEER or TIMEOUT also where a program has caught such an error and raised another for it."""
        link: BaseException | None = error
        standing = cls.OWN
        while link is not None:
            if isinstance(link, PeerFailed):
                return cls.PEER
            if isinstance(link, PeerTimeout):
                standing = cls.TIMEOUT
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        return standing


@dataclass(frozen=True)
class Failure:
    """How one endpoint ended: its error, and its traceback as text where that was another process."""

    index: int
    error: BaseException
    standing: Standing = Standing.OWN
    traceback: str = ""


def describe(error: BaseException) -> dict[str, Any]:
    """An error as plain data, and as itself where it can be pickled and read again."""
    try:
        pickled = cloudpickle.dumps(error)
        pickle.loads(pickled)  # noqa: S301 - written one line above
    except Exception:
        pickled = None
    return {
        "type": type(error).__name__,
        "message": _text(error),
        "traceback": "".join(_format(error)),
        "standing": int(Standing.of(error)),
        "pickled": pickled,
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"


def _format(error: BaseException) -> list[str]:
    own = _without_launcher(error.__traceback__)
    if own is None and isinstance(error, Error) and error.__cause__ is None:
        return []  # the launcher's own finding: its message says all
    return traceback.format_exception(type(error), error, own)


def _without_launcher(own: TracebackType | None) -> TracebackType | None:
    """The frames from the program on: the launcher's tell a user nothing."""
    while own is not None and own.tb_frame.f_globals.get("__name__", "").startswith("mpc.launch"):
        own = own.tb_next
    return own


def revive(index: int, name: str, told: dict[str, Any]) -> Failure:
    """The failure that a child has described."""
    error: BaseException | None = None
    if told["pickled"] is not None:
        try:
            error = pickle.loads(told["pickled"])  # noqa: S301 - from our own child
        except Exception:
            error = None
    if not isinstance(error, Exception):
        error = RunFailed(f"{name} raised {told['type']}: {told['message']}")
    return Failure(index, error, Standing(told["standing"]), told["traceback"])


def exit_text(code: int) -> str:
    """How a process ended, from its return code."""
    if code >= 0:
        return f"ended with exit code {code} and no result"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def root_of(failures: Sequence[Failure]) -> Failure:
    """The one that failed on its own: of several the first. `failures` are in the order in which they became known.

    Of timeouts, one whose peer did not itself report a timeout: that peer was waiting for a third. Of parties that are not
    at the same operation, one that says at which: the dealer sees their requests only.
    """
    timed_out = {failure.index for failure in failures if failure.standing is Standing.TIMEOUT}
    desynced = [failure.index for failure in failures if isinstance(failure.error, DesyncError)]

    def order(failure: Failure) -> tuple[int, bool, int]:
        late = failure.index if isinstance(failure.error, DesyncError) and len(desynced) > 1 else 0
        return failure.standing, getattr(failure.error, "peer", None) in timed_out, late

    return min(failures, key=order)


def raisable(failures: Sequence[Failure], parties: int, silent: Sequence[int] = ()) -> BaseException:
    """The root's error, with its traceback as the cause, and notes of what the others said.

    `silent` are the endpoints that had to be killed.
    """
    root = root_of(failures)
    for failure in failures:
        if failure is not root:
            root.error.add_note(f"{party_name(failure.index, parties)}: {type(failure.error).__name__}: {_text(failure.error)}")
    for index in silent:
        root.error.add_note(f"{party_name(index, parties)} did not end when told to, and was killed")
    _blame(root, {failure.index: failure for failure in failures}, parties)
    if root.traceback:
        root.error.__cause__ = RemoteTraceback(root.traceback)
    return root.error


def _blame(root: Failure, by_index: dict[int, Failure], parties: int) -> None:
    """Follow who waited for whom from a timeout to the endpoint that waited for nobody, and name it."""
    if root.standing is not Standing.TIMEOUT:
        return
    waited_for, chain = getattr(root.error, "peer", None), [root.index]
    while waited_for is not None and waited_for not in chain:
        chain.append(waited_for)
        failure = by_index.get(waited_for)
        waited_for = None if failure is None else getattr(failure.error, "waited_for", None)
    if waited_for is None and len(chain) > 2:
        names = [party_name(index, parties) for index in chain]
        root.error.add_note(f"look at {names[-1]} first: {' waited for '.join(names)}")


# ------------------------------------------------------------------ between the endpoints of a run


def settle(transport: Transport, endpoint: Endpoint, error: BaseException) -> None:
    """Tell the peers why this endpoint stops. Where they settle upon another failure as the root, raise that."""
    _place(endpoint, error)
    report = _report(endpoint, error)
    if report.cause is Cause.STOPPED and not transport.settles:
        return  # they know, and of the one that failed first
    root = transport.settle(report)
    if transport.settles and (root.cause is not Cause.FAILED or root.origin != endpoint.index):
        raise _AS_RAISED.get(root.cause, PeerFailed)(root.text, root.about) from error


_PUBLIC = (DesyncError, FrameError, HandshakeError, IntegrityError)  # their messages have labels and shapes, no values
_AS_RAISED = {Cause.LOST: LinkLost, Cause.TIMEOUT: PeerTimeout}


def _place(endpoint: Endpoint, error: BaseException) -> None:
    """An error that goes to all parties as it is says in which operation it was."""
    if isinstance(error, _PUBLIC) and "operation '" not in str(error):
        where = f"during operation '{endpoint.operation}'" if endpoint.operation else "before the first operation"
        error.args = (f"{error} ({where})",)


def _report(endpoint: Endpoint, error: BaseException) -> Report:
    """What the others may know: an error by its type alone, as its message may hold this party's data, unless mpc made it
    of public things."""
    standing, peer = Standing.of(error), getattr(error, "peer", None)
    about = endpoint.index if peer is None else peer
    if isinstance(error, LinkLost):
        return Report(endpoint.index, Cause.LOST, about, endpoint.operation, str(error))
    if standing is Standing.PEER:
        waited_for = getattr(error, "waited_for", None)
        return Report(endpoint.index, Cause.STOPPED, -1 if waited_for is None else waited_for, endpoint.operation)
    if standing is Standing.TIMEOUT:
        return Report(endpoint.index, Cause.TIMEOUT, about, endpoint.operation, str(error))
    name = party_name(endpoint.index, endpoint.size)
    if isinstance(error, _PUBLIC):
        return Report(endpoint.index, Cause.FAILED, about, endpoint.operation, str(error))
    during = f" (during or after operation '{endpoint.operation}')" if endpoint.operation else ""
    text = f"{name} failed with {type(error).__name__}{during}; its own error has the details"
    return Report(endpoint.index, Cause.FAILED, endpoint.index, endpoint.operation, text)
