"""mpc keygen NAME: a key pair, which lets this party prove to the others who it is."""

from __future__ import annotations

import sys

import click

from mpc.cluster import Identity, fingerprint, public_text
from mpc.errors import Error


@click.command()
@click.argument("name")
@click.option("--dealer", is_flag=True, help="The key is a dealer's: show the lines of [dealer].")
@click.option("--out", type=click.Path(dir_okay=False), help="The key file. [default: NAME.key]")
def keygen(name: str, dealer: bool, out: str | None) -> None:
    """Make a new key pair for the party or dealer NAME, and show the lines to send to the others, for the cluster file.

    The secret key stays in the key file, which only its owner may read. It is never sent.
    """
    try:
        identity = Identity.generate(name)
        path = out or f"{name}.key"
        identity.save(path)
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    click.echo(f"{path}: the secret key. Keep it here, and send it to nobody.", err=True)
    click.echo(f"The others need these lines, for the cluster file; fingerprint {fingerprint(identity.public)}.\n", err=True)
    click.echo("[dealer]" if dealer else "[[party]]")
    click.echo(f'name = "{name}"')
    click.echo('address = "HOST:PORT"  # where the others reach you')
    click.echo(f'key = "{public_text(identity.public)}"')
