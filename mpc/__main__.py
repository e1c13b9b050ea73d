"""python -m mpc: the same as the command mpc."""

from mpc.cli import main

main(prog_name="mpc")
