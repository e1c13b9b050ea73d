"""mpc deal PROGRAM.py: the dealer's part of runs to come, in one sealed file for each party."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mpc.cluster import Cluster, Identity
from mpc.dry import Dealing, Recipient
from mpc.dry import deal as deal_files
from mpc.errors import ClusterError, DealtFileError, Error
from mpc.launch.failures import own_traceback
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.progress import size_text

if TYPE_CHECKING:
    from rich.table import Table  # rich's import would slow every other command down


_NO_DATA = (
    "the program failed on shapes alone. When dealing, party.index is -1 and there is no data: read data, and make what depends "
    "on it, only where party.index is that of its owner, and give every input its shape="
)


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--cluster", "cluster_file", required=True, type=click.Path(dir_okay=False), help="The cluster file.")
@click.option("--key", "key_file", required=True, type=click.Path(dir_okay=False), help="The dealer's key file.")
@click.option("--runs", default=1, show_default=True, help="For how many runs.")
@click.option("--check-dealer", default=0, show_default=True, metavar="K", help="Versions for runs that check the dealer.")
@click.option("--out", type=click.Path(file_okay=False), help="The folder for the files. [default: PROGRAM.deal]")
def deal(
    program: str, args: tuple[str, ...], cluster_file: str, key_file: str, runs: int, check_dealer: int, out: str | None
) -> None:
    """Deal for runs of PROGRAM's `main(party, *ARGS)` ahead of time, so that they need no dealer.

    The program runs on shapes alone: party.index is -1, and inputs need shape=. Send each party its file, NAME.deal, which
    it alone can open; it is used up after so many runs.

    Whoever deals could, together with any one party, compute everything that the runs hide: all parties must trust it not to
    collude, and to keep nothing of what it dealt.
    """
    sys.argv = [program, *args]
    try:
        cluster, dealer = Cluster.load(cluster_file), Identity.load(key_file)
        _check_dealer(cluster, dealer, cluster_file, key_file)
        rules = len(cluster.members), cluster.protocol, cluster.fraction_bits, cluster.network
        job = Job(ProgramFile(program), args, *rules, check_dealer=check_dealer)
        folder = _folder(out or f"{Path(program).stem}.deal")
        recipients = [Recipient(member.name, member.public, folder / f"{member.name}.deal") for member in cluster.members]
        with click.progressbar(length=runs, label="dealing", file=sys.stderr) as bar:
            dealing = deal_files(job, recipients, dealer.secret, runs, cluster.digest().hex(), lambda run: bar.update(run > 0))
            bar.update(1)
    except Error as error:
        click.echo(f"mpc: {error}", err=True)
        sys.exit(1)
    except Exception as error:  # of the program, which has no data here
        click.echo(own_traceback(error), err=True)
        click.echo(f"mpc: {_NO_DATA}", err=True)
        sys.exit(1)
    _show(dealing, recipients)


def _check_dealer(cluster: Cluster, dealer: Identity, cluster_file: str, key_file: str) -> None:
    if cluster.dealer is None:
        raise ClusterError(f"{cluster_file} has no [dealer]: add its name, address and key, by which the parties know its files")
    if cluster.dealer.public != dealer.public:
        raise ClusterError(
            f"{key_file} is the key of '{dealer.name}', and not that of the dealer '{cluster.dealer.name}' in {cluster_file}: "
            "the parties would refuse its files; take that dealer's key"
        )


def _folder(path: str) -> Path:
    try:
        os.makedirs(path, 0o700, exist_ok=True)
    except OSError as error:
        raise DealtFileError(f"the folder {path} cannot be made: {error.strerror}; choose another with --out") from None
    return Path(path)


def _show(dealing: Dealing, recipients: list[Recipient]) -> None:
    from rich.console import Console

    total = dealing.dry.stats[0].total
    costs = f"{total.rounds} rounds and {size_text(total.bytes_sent)} sent by party 0"
    click.echo(f"deal {dealing.deal[:8]}, for {dealing.runs} runs of {costs}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)  # a file has room for whole names
    console.print(_table(dealing, recipients))
    click.echo(
        "Send each party its own file, and keep none. Each uses it on one host, as one user, and restores neither it nor its\n"
        "ledgers from a backup: if all did otherwise, masks would repeat."
    )


def _table(dealing: Dealing, recipients: list[Recipient]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("party", "file", "requests", "a run", "in all"):
        table.add_column(column, justify="left" if column in ("party", "file") else "right", overflow="fold")
    for recipient, asked, size in zip(recipients, dealing.dry.requests, dealing.sizes, strict=True):
        sizes = size_text(size // dealing.runs), size_text(size)
        table.add_row(recipient.name, str(recipient.path), str(len(asked)), *sizes)
    return table
