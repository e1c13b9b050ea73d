"""A party kept up for job after job: `mpc serve`, and `mpc submit`, which hands it a job."""

from mpc.serve.client import submit
from mpc.serve.options import Options
from mpc.serve.service import Service

__all__ = ["Options", "Service", "submit"]
