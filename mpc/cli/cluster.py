"""mpc cluster: look at a cluster file before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from mpc.cluster import Cluster, fingerprint
from mpc.errors import Error
from mpc.launch.cluster import Site
from mpc.launch.probe import Speed, check_cluster

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down


TRUST = (
    "the dealer {name} sees no data, but with any one party it could compute all: all must trust it not to collude, and it must\n"
    "not be able to read the parties' links"
)


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
        click.echo("no dealer: add one for protocols that need correlated randomness, live or by dealt files")
    else:
        click.echo(TRUST.format(name=found.dealer.name))
    _print(_members(found))
    click.echo(f"fingerprint of all that hosts must have alike: {fingerprint(found.digest())}")


@cluster.command()
@click.argument("path", metavar="CLUSTER.TOML", type=click.Path())
@click.option("--as", "name", required=True, help="Which member of the cluster this host is.")
@click.option("--key", type=click.Path(dir_okay=False), help="This host's key file. [default: NAME.key]")
@click.option("--program", type=click.Path(exists=True, dir_okay=False), help="A program that all are to have alike.")
@click.option(
    "--wait", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="How long to wait for the others, in seconds."
)
def check(path: str, name: str, key: str | None, program: str | None, wait: float) -> None:
    """Connect to the others, who run this command too: who is reachable, what differs, and how fast each link is."""
    try:
        site = Site.load(path, name, key)
        found = site.cluster
        checked = check_cluster(site, wait, program, _Waiting(found))
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    names = [member.name for member in found.endpoints]
    _print(_links(names, checked.speeds))
    for difference in checked.differences:
        click.echo(f"differs: {difference}", err=True)
    if checked.differences:
        sys.exit(1)
    click.echo(f"all {len(names)} are there, hold the right keys, and agree")


class _Waiting:
    """Says who is missing, once for each change."""

    def __init__(self, found: Cluster):
        self._found, self._shown = found, ""

    def __call__(self, missing: dict[int, str]) -> None:
        members = self._found.endpoints
        text = "; ".join(f"{members[i].name} at {members[i].address}: {why}" for i, why in missing.items())
        if text and text != self._shown:
            click.echo(f"waiting for {text}", err=True)
        self._shown = text


def _links(names: list[str], speeds: Iterable[Speed]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("link", "round trip", "bandwidth"):
        table.add_column(column, justify="left" if column == "link" else "right")
    for speed in speeds:
        link = f"{names[speed.first]} - {names[speed.second]}"
        table.add_row(Text(link), f"{1000 * speed.round_trip:.2f} ms", f"{speed.bandwidth * 8e-6:.0f} Mbit/s")
    return table


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
