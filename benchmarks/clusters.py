"""Clusters on this machine, for benchmarks and tests: free ports, keys, and the cluster file."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mpc.cluster import Identity, public_text


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    with ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def cluster_text(
    identities: Sequence[Identity], addresses: Sequence[str] | None = None, head: str = "", listen: bool = False
) -> str:
    """A cluster file whose last member is the dealer, at these addresses, or on loopback. `listen`: at nothing but these."""
    if addresses is None:
        addresses = [f"127.0.0.1:{port}" for port in free_ports(len(identities))]
    text = head
    for identity, address in zip(identities, addresses, strict=True):
        table = "[dealer]" if identity is identities[-1] else "[[party]]"
        text += f'{table}\nname = "{identity.name}"\naddress = "{address}"\nkey = "{public_text(identity.public)}"\n'
        text += f'listen = "{address}"\n' if listen else ""
    return text


def write_cluster(
    folder: Path, names: Sequence[str], addresses: Sequence[str] | None = None, head: str = "", listen: bool = False
) -> None:
    """Write cluster.toml, as `cluster_text` makes it, and everybody's NAME.key into one folder."""
    identities = [Identity.generate(name) for name in names]
    for identity in identities:
        identity.save(folder / f"{identity.name}.key")
    (folder / "cluster.toml").write_text(cluster_text(identities, addresses, head, listen))
