"""Additive secret sharing modulo 2^64 with a dealer. README.md beside this file has the equations and the argument."""

from protocols.additive.protocol import Additive

__all__ = ["Additive"]
