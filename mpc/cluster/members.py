"""One member of a cluster, a party or the dealer, and where it is found."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from mpc.errors import ClusterError

ANYWHERE = "*"  # all interfaces of a machine
_PORT = re.compile("[0-9]{1,5}")
_LABEL = re.compile("[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")  # container networks have names with _


@dataclass(frozen=True)
class Member:
    """Its name, where others connect to, its public key, and what it listens at. Hosts are without brackets."""

    name: str
    host: str
    port: int
    public: bytes
    listen_host: str
    listen_port: int

    @property
    def address(self) -> str:
        """host:port of what others connect to."""
        return joined(self.host, self.port)

    @property
    def endpoint(self) -> str:
        """The same for ZeroMQ, whose socket must allow IPv6."""
        return f"tcp://{self.address}"

    @property
    def listen_address(self) -> str:
        """host:port of what this member listens at; * for all interfaces."""
        return joined(self.listen_host, self.listen_port)

    @property
    def listen_endpoint(self) -> str:
        """The same for ZeroMQ."""
        return f"tcp://{self.listen_address}"


def joined(host: str, port: int) -> str:
    """host:port, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str) -> tuple[str, int]:
    """(host, port) of what others can connect to: IPv4:port, [IPv6]:port or name:port. ClusterError for other texts."""
    host, port = _split(text)
    if host == ANYWHERE:
        raise ClusterError(f"{text!r}: others cannot connect to *; give this host's name or address (* is for 'listen')")
    address = _ip(host, text)
    if address is None:
        return _name(host, text), port
    if address.is_unspecified or address.is_multicast:
        raise ClusterError(f"{text!r}: others cannot connect to {address}; give this host's name or address")
    return str(address), port


def parse_listen(text: str) -> tuple[str, int]:
    """(host, port) of what can be listened at: an address of the machine, or * for all of them. ClusterError for other texts."""
    host, port = _split(text)
    address = None if host == ANYWHERE else _ip(host, text)
    if host != ANYWHERE and address is None:
        raise ClusterError(f"{text!r}: listening takes an address of this machine, as in 10.0.0.5:7000 or *:7000, not a name")
    return str(address or host), port


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if "://" in text:
        raise ClusterError(f"{_short(text)}: leave {_short(text.partition('://')[0] + '://')} out; give host:port")
    if len(text) > 300 or not host:
        raise ClusterError(f"{_short(text)}: give host:port, as in mpc.hospital-a.example:7000")
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ClusterError(f"{text!r}: after the last colon comes the port, a number from 1 to 65535")
    return host, int(port)


def _ip(host: str, text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, if the host is one and no name."""
    try:
        if host.startswith("[") and host.endswith("]"):
            if "%" in host:
                raise ClusterError(f"{text!r}: the part after % holds on one machine only; give an address without it")
            return ipaddress.IPv6Address(host[1:-1])
        if ":" in host:
            raise ClusterError(f"{text!r}: put brackets around an IPv6 address, as in [2001:db8::1]:7000")
        if host.rpartition(".")[2].isdigit():  # no domain ends so
            return ipaddress.IPv4Address(host)
    except ipaddress.AddressValueError:
        raise ClusterError(f"{text!r}: the host is no IP address") from None
    return None


def _name(host: str, text: str) -> str:
    """A DNS name, in lower case."""
    name = host.lower()
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ClusterError(
            f"{text!r}: the host is no address and no name; names have letters, digits, - and . (others as in xn--mnchen-3ya.de)"
        )
    return name


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
