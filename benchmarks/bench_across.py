"""What links between machines cost: CURVE and the transcript beside plain TCP, two hosts and a dealer on loopback, in turns."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.clusters import write_cluster

PROGRAM = Path(__file__).with_name("across_program.py")
NAMES = ("one", "two", "dealer")
TURNS = 4
SETTINGS = {
    "plain TCP": ["--insecure-transport", "--no-integrity"],
    "CURVE": ["--no-integrity"],
    "CURVE, transcript": [],
}
ROWS = {"exchange": "exchange of 100 MB each way", "training": "an epoch of logistic regression, 426 x 30"}


def seconds_of(folder, what, options):
    hosts = []
    for name in NAMES:
        program = [] if name == "dealer" else [str(PROGRAM), what, "seconds.json"]
        words = [sys.executable, "-m", "mpc", "run", *options, "--cluster", "cluster.toml", "--as", name, *program]
        hosts.append(subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    errors = [host.communicate()[1] for host in hosts]
    if any(host.returncode for host in hosts):
        raise SystemExit("\n".join(errors))
    return json.loads((folder / "seconds.json").read_text())


def main():
    table = Table(title="medians, and the ratio to plain TCP", title_justify="left", box=None, pad_edge=False)
    for column in ("", *SETTINGS):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cluster(folder, NAMES, listen=True)  # insecure links must listen on loopback
        for what, title in ROWS.items():
            found = {setting: [] for setting in SETTINGS}
            for _ in range(TURNS):  # in turns: the machine may slow down meanwhile
                for setting, options in SETTINGS.items():
                    found[setting] += seconds_of(folder, what, options)
            medians = [statistics.median(seconds) for seconds in found.values()]
            table.add_row(title, *(f"{1e3 * median:.1f} ms  {median / medians[0]:.2f}" for median in medians))
    console = Console()
    console.width = max(console.width, 130)
    console.print(table)


if __name__ == "__main__":
    main()
