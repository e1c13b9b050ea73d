"""The command line. click parses it; rich draws its tables."""

from mpc.cli.main import main

__all__ = ["main"]
