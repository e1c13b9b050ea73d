"""All workloads, by name."""

from mpc.bench.models import MODELS
from mpc.bench.workloads import PRODUCTS, WORKLOADS

ALL = {**PRODUCTS, **WORKLOADS, **MODELS}
