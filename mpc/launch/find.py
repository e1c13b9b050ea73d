"""Protocols by name, through the entry-point group "mpc.protocols": any installed package can add one."""

from __future__ import annotations

from functools import cache
from typing import Any

from mpc.contract import Protocol
from mpc.errors import OptionError, ProtocolError

GROUP = "mpc.protocols"


def known_protocols() -> list[str]:
    """The names of the installed protocols."""
    return sorted(_entries())


def find_protocol(protocol: str | type[Protocol]) -> type[Protocol]:
    """The protocol class of that name, checked against the contract; a class is taken as it is."""
    found: object = protocol
    if isinstance(protocol, str):
        if protocol not in _entries():
            _entries.cache_clear()  # it may have been installed meanwhile
        known = _entries()
        if protocol not in known:
            names = ", ".join(sorted(known)) or "none: is mpc installed?"
            raise OptionError(f"protocol={protocol!r} is not known; installed protocols: {names}")
        try:
            found = known[protocol].load()
        except Exception as error:
            raise ProtocolError(f"protocol={protocol!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Protocol)):
        raise OptionError(f"protocol={protocol!r} is no protocol: give a name or a subclass of mpc.contract.Protocol")
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise ProtocolError(f"protocol {found.__name__} lacks operations of the contract: {', '.join(missing)}")
    return found


@cache
def _entries() -> dict[str, Any]:
    """By name. To look for them takes 4 ms and more: the files of all installed packages are read."""
    from importlib.metadata import entry_points  # slow to import, and a party's process never asks

    return {entry.name: entry for entry in entry_points(group=GROUP)}
