"""Workloads, and how long they take: what `mpc bench` measures."""
