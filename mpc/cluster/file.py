"""The cluster file: who takes part in runs across machines, where, and by which rules. All hosts have the same one."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpc.cluster.keys import SECRET_KEY, check_name, parse_public, public_text
from mpc.cluster.members import ANYWHERE, Member, joined, parse_address, parse_listen
from mpc.cluster.tables import Table, nearest
from mpc.errors import ClusterError, OptionError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.network import Network

MOST_PARTIES = 64
_TOP = ("protocol", "fraction_bits", "network", "timeouts", "party", "dealer")
_MEMBER = ("name", "address", "listen", "key")
_TIMEOUTS = ("start", "message", "heartbeat")
_LONGEST = 1e6  # seconds; more than any wait, and less than what sockets take
_LARGEST = 1 << 18  # bytes of the file, and
_WIDEST = 1000  # of a line: reading TOML takes the square of a dotted key's length


@dataclass(frozen=True)
class Cluster:
    """The parties in order, the dealer (None: runs use dealt files), the options of a run, and waits in seconds.

    start: for the others to appear. message: for one message. heartbeat: silence after which a link counts as cut.
    """

    members: tuple[Member, ...]
    dealer: Member | None = None
    protocol: str = "additive"
    fraction_bits: int = 16
    network: str = "lan"
    start: float = 600.0
    message: float = 120.0
    heartbeat: float = 2.5

    @classmethod
    def load(cls, path: str | Path) -> Cluster:
        """Read a cluster file. ClusterError, which names the file, the table and the cure, for what cannot be right."""
        return _cluster(Table(str(path), _parse(path, _read(path))))

    @property
    def endpoints(self) -> tuple[Member, ...]:
        """All members by index: the parties, and the dealer if there is one."""
        return self.members if self.dealer is None else (*self.members, self.dealer)

    def index_of(self, name: str) -> int:
        """The index of a party, or of the dealer, which comes after the last party. ClusterError for other names."""
        names = [member.name for member in self.endpoints]
        if name not in names:
            raise ClusterError(f"{name!r} is not in this cluster{nearest(name, names)} Its members: {', '.join(names)}")
        return names.index(name)

    def agreement(self) -> dict[str, str]:
        """What all hosts must have alike, by name. Where a host listens and how long it waits for others is its own affair."""
        found = {
            "protocol": self.protocol,
            "fraction_bits": str(self.fraction_bits),
            "network": self.network,
            "parties": str(len(self.members)),
            "timeouts, message": f"{self.message!r} s",
            "timeouts, heartbeat": f"{self.heartbeat!r} s",
        }
        for index, member in enumerate(self.members):
            found |= _described(f"party {index}", member)
        return found | ({"dealer": "none"} if self.dealer is None else _described("dealer", self.dealer))

    def digest(self) -> bytes:
        """32 bytes that are alike exactly where the agreement is."""
        return hashlib.sha256(json.dumps(self.agreement(), sort_keys=True).encode()).digest()


def _described(who: str, member: Member) -> dict[str, str]:
    return {f"{who}, name": member.name, f"{who}, address": member.address, f"{who}, key": public_text(member.public)}


# ---------------------------------------------------------------------------------------- from text


def _read(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ClusterError(f"the cluster file {path} cannot be read: {reason}") from None
    if len(content) > _LARGEST:
        raise ClusterError(f"{path} is no cluster file: it has more than {_LARGEST // 1024} KiB")
    try:
        return content.decode("utf-8-sig")  # some editors begin files with a mark
    except UnicodeDecodeError as error:
        raise ClusterError(f"{path} is not UTF-8 text, from byte {error.start} on; save it as UTF-8") from None


def _parse(path: str | Path, text: str) -> dict[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if SECRET_KEY.search(line):  # also in a comment: the file goes to everybody
            raise ClusterError(
                f"{path}, line {number}: this is a SECRET key (sec_...), which must never leave its owner's machine. Whoever saw "
                "this file can pose as its owner: take it out, let the owner make a new one (mpc keygen), and use the new "
                "public key (pub_...)"
            )
        if len(line) > _WIDEST:
            raise ClusterError(f"{path}, line {number}: it has {len(line)} characters; a line may have {_WIDEST}")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ClusterError(f"{path} is not valid TOML: {reason}") from None


# ---------------------------------------------------------------------------------------- from tables


def _cluster(top: Table) -> Cluster:
    top.allow(_TOP)
    times = top.inner("timeouts") or Table(top.place, {})
    times.allow(_TIMEOUTS, outer=_TOP)
    dealer = top.inner("dealer")
    cluster = Cluster(
        members=tuple(_member(table) for table in top.each("party", 1, MOST_PARTIES)),
        dealer=None if dealer is None else _member(dealer),
        protocol=top.parsed("protocol", check_name, '"additive"', Cluster.protocol),
        fraction_bits=top.whole("fraction_bits", Cluster.fraction_bits, 1, MAX_FRACTION_BITS),
        network=_network(top),
        start=times.seconds("start", Cluster.start, 1, _LONGEST),
        message=times.seconds("message", Cluster.message, 0.1, _LONGEST),
        heartbeat=times.seconds("heartbeat", Cluster.heartbeat, 0.1, 3600),
    )
    _refuse_twins(top, cluster, "name", lambda member: member.name)
    _refuse_twins(top, cluster, "address", lambda member: member.address)
    _refuse_twins(top, cluster, "key", lambda member: member.public)
    return cluster


def _network(top: Table) -> str:
    text = top.text("network", Cluster.network, '"wan"')
    try:
        Network.parse(text)
    except OptionError as error:
        raise top.refusal(str(error)) from None
    return text


def _member(table: Table) -> Member:
    table.allow(_MEMBER, outer=_TOP)
    name = table.parsed("name", check_name, '"hospital-a"')
    host, port = table.parsed("address", parse_address, '"HOST:PORT", which the others connect to')
    public = table.parsed("key", parse_public, '"pub_...", which mpc keygen shows')
    listen_host, listen_port = table.parsed("listen", parse_listen, '"*:7000"', joined(ANYWHERE, port))
    return Member(name, host, port, public, listen_host, listen_port)


def _refuse_twins(top: Table, cluster: Cluster, what: str, of: Callable[[Member], object]) -> None:
    """Two members must not share a name, an address or a key."""
    seen: dict[object, int] = {}
    for index, member in enumerate(cluster.endpoints):
        first = seen.setdefault(of(member), index)
        if first != index:
            raise top.refusal(f"{_place(cluster, first)} and {_place(cluster, index)} have the same {what}; each has its own")


def _place(cluster: Cluster, index: int) -> str:
    place = f"[[party]] {index + 1}" if index < len(cluster.members) else "[dealer]"
    return f"{place} ({cluster.endpoints[index].name!r})"
