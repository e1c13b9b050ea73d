"""The table of README.md: `python -m benchmarks.results_table benchmarks/results/beside-peers.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

PEERS = {"spu": "SPU SEMI2K", "aby3": "SPU ABY3", "crypten": "CrypTen"}


def markdown(rows: list[dict[str, Any]]) -> str:
    """A row for each workload in its own size: our figures, and how many times faster than each peer we are."""
    whole = [row for row in rows if row["size"] is None]
    head = ["workload", "seconds", "rounds", "MB sent", *(f"than {title}" for title in PEERS.values()), "aim"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *map(_cells, whole)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: dict[str, Any]) -> list[str]:
    ours, aim = row["ours"], row["target"]
    figures = [f"{ours['median']:.3g}", f"{ours['rounds']}", f"{ours['bytes_sent'] / 1e6:.3g}"]
    return [row["title"], *figures, *(_ratio(row["peers"].get(name)) for name in PEERS), "" if aim is None else f"{aim:g} x SPU"]


def _ratio(peer: dict[str, Any] | None) -> str:
    """Of the medians, and from the least to the most of the turns."""
    if not peer or not peer["ratio"]:
        return "-"
    ratio = peer["ratio"]
    return f"{ratio['medians']:.1f} ({ratio['least']:.1f}-{ratio['most']:.1f})"


@click.command(help=__doc__)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(file: Path) -> None:
    found = json.loads(file.read_text())
    machine = found["machine"]
    click.echo(markdown(found["rows"]))
    click.echo(f"\n{machine}\n{found['command']}")


if __name__ == "__main__":
    main()
