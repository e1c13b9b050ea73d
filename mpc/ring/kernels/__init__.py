"""Compiled kernels.  Importing the modules of this package imports numba and compiles or loads them: see cache.py."""
