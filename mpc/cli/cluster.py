"""mpc cluster: look at a cluster file before anything runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mpc.cluster import Cluster, fingerprint
from mpc.errors import Error

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down


@click.group()
def cluster() -> None:
    """Clusters: parties on machines of their own."""


@cluster.command()
@click.argument("path", metavar="CLUSTER.TOML", type=click.Path())
def show(path: str) -> None:
    """Check a cluster file, and show who takes part and by which rules.

    Compare fingerprints with their owners by another way than the one on which the file came.
    """
    try:
        found = Cluster.load(path)
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    click.echo(f"protocol {found.protocol}, {found.fraction_bits} fraction bits, network {found.network}")
    click.echo(f"waits: {found.start:g} s for a start, {found.message:g} s for a message, {found.heartbeat:g} s of silence")
    if found.dealer is None:
        click.echo("no dealer: runs use dealt files")
    _print(_members(found))
    click.echo(f"fingerprint of all that hosts must have alike: {fingerprint(found.digest())}")


def _members(found: Cluster) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("", "name", "address", "listens at", "key's fingerprint"):
        table.add_column(column, overflow="fold", no_wrap="key" in column)
    for index, member in enumerate(found.endpoints):
        who = f"party {index}" if index < len(found.members) else "dealer"
        cells = (who, member.name, member.address, member.listen_address, fingerprint(member.public))
        table.add_row(*map(Text, cells))  # no markup: IPv6 addresses have brackets
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)  # a file has room for whole names
    console.print(table)
