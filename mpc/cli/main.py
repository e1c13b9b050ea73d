"""The commands of `mpc`."""

from __future__ import annotations

import click

import mpc
from mpc.cli.bench import bench
from mpc.cli.cluster import cluster
from mpc.cli.cost import cost
from mpc.cli.deal import deal
from mpc.cli.doctor import doctor
from mpc.cli.keygen import keygen
from mpc.cli.onnx import onnx
from mpc.cli.run import run
from mpc.cli.serve import serve, submit


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mpc.__version__, prog_name="mpc")
def main() -> None:
    """Secure multi-party computation for people who use NumPy."""


main.add_command(run)
main.add_command(cost)
main.add_command(bench)
main.add_command(doctor)
main.add_command(onnx)
main.add_command(keygen)
main.add_command(cluster)
main.add_command(deal)
main.add_command(serve)
main.add_command(submit)
