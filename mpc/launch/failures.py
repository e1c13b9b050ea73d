"""Errors on their way from a party to the caller: as plain data, as themselves, and which of several is the root."""

from __future__ import annotations

import linecache
import pickle
import signal
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import (
    DesyncError,
    Error,
    PeerFailed,
    PeerTimeout,
    RunFailed,
    party_name,
)
from mpc.party import run_program

_LAUNCHERS = ("mpc.launch", "mpc.dry.run", "mpc.cost.recorded", "importlib._bootstrap")  # what stands above a program


class RemoteTraceback(Exception):
    """The failing party's own traceback, as the cause of the error that `run` raises."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and one after the other what it was raised for."""
    link: BaseException | None = error
    seen = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


class Standing(IntEnum):
    """How likely an error is the root of the others: the lower, the likelier."""

    OWN = 0
    TIMEOUT = 1
    PEER = 2

    @classmethod
    def of(cls, error: BaseException) -> Standing:
        """PEER or TIMEOUT also where a program has caught such an error and raised another for it."""
        chain = list(causes(error))
        if any(isinstance(link, PeerFailed) for link in chain):
            return cls.PEER
        return cls.TIMEOUT if any(isinstance(link, PeerTimeout) for link in chain) else cls.OWN


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
    while own is not None and _is_launcher(own):
        own = own.tb_next
    return own


def _is_launcher(link: TracebackType) -> bool:
    return link.tb_frame.f_globals.get("__name__", "").startswith(_LAUNCHERS) or link.tb_frame.f_code is run_program.__code__


def own_traceback(error: BaseException) -> str:
    """The traceback from the program's first line on."""
    link = error.__traceback__
    while link is not None and _is_ours(link) and link.tb_next is not None:
        link = link.tb_next
    return "".join(traceback.format_exception(type(error), error, link, chain=False)).rstrip()


def program_line(error: BaseException) -> str:
    """The last line of the program itself on the way to the error: file, number and text; nothing if it has none."""
    found, link = "", error.__traceback__
    while link is not None:
        if not _is_ours(link):
            path, number = link.tb_frame.f_code.co_filename, link.tb_lineno
            found = f"{path}:{number}: {linecache.getline(path, number).strip()}"
        link = link.tb_next
    return found


def _is_ours(link: TracebackType) -> bool:
    package = link.tb_frame.f_globals.get("__name__", "").partition(".")[0]
    return package in ("mpc", "protocols", "numpy", "importlib", "click", "contextlib", "threading")


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
