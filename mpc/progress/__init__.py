"""Progress of a program, shown once, by party 0: live bars on a terminal, a line now and then elsewhere (logs of CI)."""

from mpc.progress.bars import Bar, Board, Track
from mpc.progress.display import LOG, erase, json_line, size_text

__all__ = ["LOG", "Bar", "Board", "Track", "erase", "json_line", "size_text"]
