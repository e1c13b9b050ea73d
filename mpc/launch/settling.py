"""Between the endpoints of a run: what one tells the others when it cannot go on, and what all of them raise."""

from __future__ import annotations

from mpc.errors import (
    DesyncError,
    FrameError,
    HandshakeError,
    IntegrityError,
    LinkLost,
    PeerFailed,
    PeerTimeout,
    party_name,
)
from mpc.launch.failures import Standing, causes
from mpc.party import Endpoint
from mpc.transport import Transport
from mpc.transport.reports import Cause, Report, as_error, printable


def settle(transport: Transport, endpoint: Endpoint, error: BaseException) -> None:
    """Tell the peers why this endpoint stops. Where they settle upon another failure as the root, raise that."""
    _place(endpoint, error)
    report = _report(endpoint, error)
    if report.cause is Cause.STOPPED and not transport.settles:
        return  # they know, and of the one that failed first
    root = transport.settle(report)
    if transport.settles and (root.cause is not Cause.FAILED or root.origin != endpoint.index):
        raise as_error(root) from error


_PUBLIC = (DesyncError, FrameError, HandshakeError, IntegrityError)  # their messages have labels and shapes, no values


def _place(endpoint: Endpoint, error: BaseException) -> None:
    """An error that goes to all parties as it is says in which operation it was."""
    if isinstance(error, _PUBLIC):
        where = f"during operation '{endpoint.operation}'" if endpoint.operation else "before the first operation"
        error.args = (printable(str(error) if "operation '" in str(error) else f"{error} ({where})"),)


def _report(endpoint: Endpoint, error: BaseException) -> Report:
    """What the others may know: an error by its type alone, as its message may hold this party's data, unless mpc made it
    of public things."""
    standing = Standing.of(error)
    error = _of_links(error)
    peer = getattr(error, "peer", None)
    about = endpoint.index if peer is None else peer
    if isinstance(error, LinkLost):
        return Report(endpoint.index, Cause.LOST, about, endpoint.operation, str(error))
    if standing is Standing.PEER:
        waited_for = getattr(error, "waited_for", None)
        return Report(endpoint.index, Cause.STOPPED, -1 if waited_for is None else waited_for, endpoint.operation)
    if standing is Standing.TIMEOUT:
        return Report(endpoint.index, Cause.TIMEOUT, about, endpoint.operation, str(error))
    name = party_name(endpoint.index, endpoint.size)
    if isinstance(error, KeyboardInterrupt):
        text = f"{name} was stopped by its operator"
        return Report(endpoint.index, Cause.FAILED, endpoint.index, endpoint.operation, text)
    if isinstance(error, _PUBLIC):
        return Report(endpoint.index, Cause.FAILED, about, endpoint.operation, str(error))
    during = f" (during or after operation '{endpoint.operation}')" if endpoint.operation else ""
    text = f"{name} failed with {type(error).__name__}{during}; its own error has the details"
    return Report(endpoint.index, Cause.FAILED, endpoint.index, endpoint.operation, text)


def _of_links(error: BaseException) -> BaseException:
    """What a program may have caught, and raised another error for, with words of its own: what mpc found first."""
    chain = [*causes(error)][::-1]
    found = [link for kind in (PeerFailed, PeerTimeout) for link in chain if isinstance(link, kind)]
    return found[0] if found else error
