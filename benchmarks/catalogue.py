"""All workloads, by name."""

from benchmarks.networks import NETWORKS
from benchmarks.workloads import WORKLOADS

ALL = {**WORKLOADS, **NETWORKS}
