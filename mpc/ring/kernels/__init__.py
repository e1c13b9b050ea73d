"""Compiled kernels.  Importing a module of this package compiles its kernels or loads them: see cache.py."""
