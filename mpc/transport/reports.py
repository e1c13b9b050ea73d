"""What an endpoint tells the others when it cannot go on, and the one failure upon which all of them agree.

Every endpoint makes one report of its own and passes on those of others. Who still reach each other so come to the same
set of reports, and `verdict` is a function of that set alone: it names the same culprit everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from mpc.errors import FrameError, LinkLost, PeerFailed, PeerTimeout, party_name

LONGEST = 1 << 16  # bytes of reports in one message
_LONGEST_TEXT = 4000


class Cause(IntEnum):
    """Why an endpoint stops: the lower, the likelier it is the root of the others."""

    FAILED = 0  # an error of its own
    LOST = 1  # a link to `about` broke
    TIMEOUT = 2  # nothing came from `about` in time
    STOPPED = 3  # it heard that another cannot go on, while it was waiting for `about` (-1: for nobody)


class Report(NamedTuple):
    """Why `origin` stops. `text` is a sentence that every party may read: it holds nothing of anybody's data."""

    origin: int
    cause: Cause
    about: int
    operation: str = ""
    text: str = ""


def encode(reports: Collection[Report]) -> bytes:
    return json.dumps([[*report._replace(text=report.text[:_LONGEST_TEXT])] for report in reports]).encode()


def decode(data: bytes, endpoints: int) -> list[Report]:
    """The reports in a message; FrameError for anything that `encode` could not have made."""
    if len(data) > LONGEST:
        raise FrameError(f"a report of {len(data)} bytes: at most {LONGEST}")
    try:
        items = json.loads(data)
        if not isinstance(items, list) or len(items) > (endpoints + 1) ** 2:
            raise FrameError("a message of reports that is no list of them")
        return [_report(item, endpoints) for item in items]
    except (ValueError, TypeError, RecursionError) as error:
        raise FrameError(f"a malformed report: {error}") from None


def _report(item: Any, endpoints: int) -> Report:
    origin, cause, about, operation, text = item
    whole = all(type(number) is int for number in (origin, cause, about))
    if not whole or not 0 <= origin < endpoints or not -1 <= about < endpoints:
        raise FrameError("a report of an endpoint that does not exist")
    if not isinstance(operation, str) or not isinstance(text, str):
        raise FrameError("a report without a text")
    return Report(origin, Cause(cause), about, printable(operation), printable(text))


def printable(text: str) -> str:
    """Text of a peer as it may be shown: no control characters that would move a terminal's cursor."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text[:_LONGEST_TEXT])


def verdict(reports: Collection[Report], parties: int) -> Report:
    """The root of these reports, with its text. `parties` is how many there are: the dealer has the index after them."""
    ordered = sorted(reports)
    worst = min(report.cause for report in ordered)
    candidates = [report for report in ordered if report.cause == worst]
    if worst is Cause.LOST:
        return _lost(candidates, {report.origin for report in ordered}, parties)
    if worst is Cause.TIMEOUT:
        return _silent(candidates, ordered, parties)
    return candidates[0] if candidates[0].text else candidates[0]._replace(text="the run was stopped, and nobody said why")


def as_error(root: Report) -> PeerFailed | PeerTimeout:
    """What each endpoint raises that settles upon a failure, unless it is its own."""
    return _AS_RAISED.get(root.cause, PeerFailed)(root.text, root.about)


_AS_RAISED: dict[Cause, type[PeerFailed | PeerTimeout]] = {Cause.LOST: LinkLost, Cause.TIMEOUT: PeerTimeout}


def _lost(lost: list[Report], heard: set[int], parties: int) -> Report:
    """An endpoint that all who were heard have lost has died, or is cut off; else a link between two that live was cut."""
    links = {(report.origin, report.about) for report in lost}
    silent = {report.about for report in lost} - heard
    gone = sorted(end for end in silent if all((origin, end) in links for origin in heard))
    if gone:
        first = next(report for report in lost if report.about == gone[0])
        name = party_name(gone[0], parties)
        return first._replace(
            text=f"{name} died, or its machine cannot be reached{_during(first)}. Look at its own output; then run again."
        )
    first = lost[0]
    ends = sorted((first.origin, first.about))
    names = " and ".join(party_name(end, parties) for end in ends)
    text = f"the link between {names} was cut{_during(first)}; both still run. Look at the network between them; then run again."
    return first._replace(text=text)


def _silent(timeouts: list[Report], reports: list[Report], parties: int) -> Report:
    """Follow who waited for whom to the endpoint that waited for nobody, or said nothing."""
    waits = {report.origin: report.about for report in reports if report.cause in (Cause.TIMEOUT, Cause.STOPPED)}
    chain = [timeouts[0].origin]
    while (following := waits.get(chain[-1], -1)) >= 0 and following not in chain:
        chain.append(following)
    ring = chain[chain.index(following) :] if following >= 0 else []
    culprit = parties if parties in ring else chain[-1]  # a dealer waits for requests whenever it has nothing to do
    at = next((report for report in timeouts if report.about == culprit), timeouts[0])
    text = f"{party_name(culprit, parties)} sent nothing in time{_during(at)}: it hangs, is slower than the timeout, or runs "
    text += "another program. If it only needs longer, raise the timeout (across machines: `message` in the cluster file)."
    if ring:
        names = " and ".join(party_name(end, parties) for end in sorted(ring))
        text += f" In the end {names} were waiting for each other: a message may have been lost."
    return at._replace(about=culprit, text=text)


def _during(report: Report) -> str:
    return f" (during operation '{report.operation}')" if report.operation else ""


class Reports:
    """What one endpoint has heard so far: one report of each origin, and one more for each link that it lost."""

    def __init__(self, index: int, endpoints: int):
        self._index, self._endpoints = index, endpoints
        self._known: dict[tuple[int, int], Report] = {}

    def __iter__(self) -> Iterator[Report]:
        return iter(self._known.values())

    def add(self, report: Report) -> bool:
        """Whether that is news, which is to be passed on."""
        key = report.origin, report.about if report.cause is Cause.LOST else -1
        if key in self._known:
            return False
        self._known[key] = report
        return True

    def spoke(self, endpoint: int) -> bool:
        """Whether there is a report of that endpoint."""
        return any(report.origin == endpoint for report in self)

    @property
    def own(self) -> Report | None:
        """What this endpoint has said of itself, once it has stopped."""
        return self._known.get((self._index, -1))

    def complete(self) -> bool:
        """Whether each endpoint has spoken, or is lost to all that have spoken. (One that has finished stays until all have.)"""
        heard = {report.origin for report in self}
        lost = {(report.origin, report.about) for report in self if report.cause is Cause.LOST}
        silent = set(range(self._endpoints)) - heard
        return all((origin, endpoint) in lost for endpoint in silent for origin in heard)

    def encode(self) -> bytes:
        return encode(list(self))
