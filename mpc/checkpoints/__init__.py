"""Checkpoints: a program's state, kept by each party, from which a run that was cut off goes on."""

from mpc.checkpoints.checkpoints import Checkpoints
from mpc.checkpoints.folder import Folder

__all__ = ["Checkpoints", "Folder"]
