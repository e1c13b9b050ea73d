"""Workloads beside published systems: all are run in turns (A B A B) in one run, as machines and their moods differ.

Seconds are those from a common start to shares of the result, truncation and dealing included: two parties and a dealer of
`mpc.run`; the peers have a process for each party. docs/peers.md says what each of them is, and how fair this is.
"""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.comparison import Figures, Row
from benchmarks.peers.errors import PeerError
from benchmarks.peers.peer import Peer
from benchmarks.peers.session import LIMIT, Session
from benchmarks.peers.table import NOTES, failures, table
from mpc.bench.catalogue import ALL
from mpc.bench.machine import commit, describe
from mpc.bench.measure import Configuration, Turn, take_turn
from mpc.cli.outputs import check_writable
from mpc.errors import Error

TURNS = 3
SMALL_REPEATS = 3  # of workloads that are smaller than their own size, as some peer needs them
TARGETED = [name for name, workload in ALL.items() if workload.target is not None]


def compare(
    name: str, size: int | None, sessions: Sequence[Session], turns: int = TURNS, ours: Callable[..., Turn] = take_turn
) -> Row:
    """One workload, in turns. A peer that fails has no further turns of it."""
    workload = ALL[name]
    arrays = workload.arrays(size)
    reference = workload.reference(*arrays)
    repeats = workload.repeats if size is None else SMALL_REPEATS
    peers = [Figures(session.peer.name, session.title) for session in sessions]
    row = Row(name, workload.title_of(size or workload.size), size, workload.target, Figures("ours", "ours"), peers)
    for _ in range(turns):
        row.ours.add_ours(ours(Configuration(name, size=size), repeats))
        for session, figures in zip(sessions, peers, strict=True):
            if not figures.failure:
                try:
                    figures.add(session.measure(name, arrays, repeats), reference)
                except PeerError as error:
                    figures.failure = str(error)
    return row


def rows(names: Sequence[str], sessions: Sequence[Session], turns: int = TURNS) -> Iterator[Row]:
    """A row for each workload, and further ones in the smaller sizes of peers that need them; ours alone without peers."""
    for name in names:
        having = [session for session in sessions if session.peer.has(name)]
        sizes = {session.peer.size(name) for session in having} | {None}
        for size in sorted(sizes, key=lambda size: size or sys.maxsize, reverse=True):
            yield compare(name, size, [session for session in having if session.peer.size(name) == size], turns)


def chosen(names: str | None) -> list[Peer]:
    """The peers named, comma-separated; else all that are installed. PeerError for one that is unknown, or not installed."""
    if names is None:
        return [peer for peer in PEERS.values() if peer.installed]
    found = []
    for name in filter(None, names.split(",")):
        if name not in PEERS:
            raise PeerError(f"there is no peer {name!r}; there are {', '.join(PEERS)}")
        PEERS[name].require()
        found.append(PEERS[name])
    return found


def report(
    names: Sequence[str] = (), peers: Sequence[Peer] | None = None, turns: int = TURNS, limit: float = LIMIT
) -> list[dict[str, Any]]:
    """Measure the workloads (by default, those with a target) and print the table; what it shows, for JSON."""
    console = Console(width=150)
    peers = chosen(None) if peers is None else peers
    found: list[Row] = []
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(peer, limit)) for peer in peers]
        for row in rows(names or TARGETED, sessions, turns):
            click.echo(f"{row.title}: ours {row.ours.median:.4f} s", err=True)
            found.append(row)
    console.print(table(found))
    console.print(f"\n{NOTES}", highlight=False)
    for line in failures(found):
        console.print(line, soft_wrap=True)
    for peer in PEERS.values():
        if not peer.installed:
            console.print(f"{peer.title} is not installed: {peer.how_to_get_it}", soft_wrap=True)
    return [row.summary() for row in found]


def write(path: Path, found: list[dict[str, Any]]) -> None:
    """With where and when; every repetition is there."""
    state = commit()
    where = {
        "command": shlex.join(["python", "-m", "benchmarks.beside_peers", *sys.argv[1:]]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": state and {"commit": state.commit, "dirty": state.dirty},
        "machine": describe(),
        "peers": {name: peer.environment.name for name, peer in PEERS.items()},
    }
    path.write_text(json.dumps({**where, "rows": found}, indent=1) + "\n")


@click.command(help=__doc__)
@click.argument("workloads", nargs=-1, type=click.Choice(list(ALL)))
@click.option("--peers", help=f"comma-separated: {', '.join(PEERS)}  [default: those installed]")
@click.option("--turns", default=TURNS, show_default=True, type=click.IntRange(min=1))
@click.option("--limit", default=LIMIT, show_default=True, help="seconds that a peer may take for a turn of a workload")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="write all figures here too")
def main(workloads: tuple[str, ...], peers: str | None, turns: int, limit: float, file: Path | None) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as upon Ctrl-C: no process, no file is left
    if file:
        check_writable(file, "--json")
    try:
        found = report(workloads, chosen(peers), turns, limit)
        if file:
            write(file, found)
    except Error as error:
        raise SystemExit(str(error)) from None
    except OSError as error:
        raise SystemExit(f"{error.filename}: {error.strerror}") from None


if __name__ == "__main__":
    main()
