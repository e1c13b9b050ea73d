"""The published systems that benchmarks.beside_peers runs beside ours, each in an environment of its own."""

import sys

import click

from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.errors import PeerError


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PEERS)))
def install(names: tuple[str, ...]) -> None:
    """Make the environments of all peers, or of those named; what is there stays as it is."""
    failed = False
    for name in names or PEERS:
        peer = PEERS[name]
        click.echo(f"{peer.title}: {peer.environment.folder} ...", nl=False)
        try:
            click.echo(" installed" if peer.install() else " is there")
        except PeerError as error:
            click.echo(f"\n{error}", err=True)
            failed = True
    sys.exit(failed)


@main.command("list")
def _list() -> None:
    """Which peers there are, and which are installed."""
    for name, peer in PEERS.items():
        click.echo(f"{name:8} {peer.title:12} {peer.parties} parties  {'installed' if peer.installed else peer.how_to_get_it}")


if __name__ == "__main__":
    main()
