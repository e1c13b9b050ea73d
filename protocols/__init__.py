"""Implementations of mpc's protocol contract, one folder each; found through the entry-point group "mpc.protocols"."""
