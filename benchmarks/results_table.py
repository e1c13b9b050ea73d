"""The table and picture of README.md: `python -m benchmarks.results_table benchmarks/results/beside-peers.json --plot FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

PEERS = {"spu": "SPU SEMI2K", "aby3": "SPU ABY3", "crypten": "CrypTen"}
_COLOURS = ("#0072B2", "#56B4E9", "#D55E00")
Row = dict[str, Any]


def markdown(rows: list[Row]) -> str:
    """A row for each workload in its own size: our figures, how many times faster than each peer we are, and what rounds and
    bytes take over links of 40 ms and 352 Mbit/s, by the least of the peers."""
    whole = [row for row in rows if row["size"] is None]
    head = ["workload", "seconds", *(f"x {title}" for title in PEERS.values()), "aim", "rounds", "MB sent", "40 ms links"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *map(_cells, whole)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> list[str]:
    ours, aim = row["ours"], row["target"]
    ratios = [_ratio(row["peers"].get(name)) for name in PEERS]
    figures = [f"{ours['rounds']}", f"{ours['bytes_sent'] / 1e6:.3g}", _wide(row)]
    return [row["title"], f"{ours['median']:.3g}", *ratios, "" if aim is None else f"{aim:g}", *figures]


def _ratio(peer: Row | None) -> str:
    """Of the medians, and from the least to the most of the turns."""
    if not peer or not peer["ratio"]:
        return "-"
    ratio = peer["ratio"]
    spread = f" ({ratio['least']:.1f}-{ratio['most']:.1f})" if len(peer["turns"]) > 1 else ""
    return f"{ratio['medians']:.1f}{spread}"


def _wide(row: Row) -> str:
    least = min((peer["wide"] for peer in row["peers"].values() if peer["wide"]), default=None)
    return "-" if least is None else f"{row['ours']['wide'] / least:.2f}"


def draw(rows: list[Row], path: Path) -> None:
    """Bars: how many times faster than each peer."""
    import matplotlib.pyplot as plt

    whole = [row for row in rows if row["size"] is None][::-1]
    figure, axes = plt.subplots(figsize=(8, 0.34 * len(whole) + 1.2), layout="constrained")
    height = 0.8 / len(PEERS)
    for k, (name, title) in enumerate(PEERS.items()):
        ratios = [(row["peers"].get(name) or {}).get("ratio") or {} for row in whole]
        places = [i + (1 - k) * height for i in range(len(whole))]
        axes.barh(places, [ratio.get("medians", 0.0) for ratio in ratios], height, color=_COLOURS[k], label=title)
    aims = [(row["target"], i) for i, row in enumerate(whole) if row["target"]]
    axes.plot(*zip(*aims, strict=True), "|", color="black", markersize=11, label="aim, by SPU SEMI2K")
    axes.set_yticks(range(len(whole)), [row["title"] for row in whole])
    axes.set_xscale("log")
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    axes.set_xlabel("times faster than the peer, dealing included (two cores, loopback)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, dpi=120)
    plt.close(figure)


@click.command(help=__doc__)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="draw it too")
def main(file: Path, plot: Path | None) -> None:
    found = json.loads(file.read_text())
    click.echo(markdown(found["rows"]))
    click.echo(f"\n{found['machine']}\n{found['command']}")
    if plot is not None:
        draw(found["rows"], plot)


if __name__ == "__main__":
    main()
