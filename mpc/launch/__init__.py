"""Running programs: parties as threads (`simulate`) or as local processes (`run`)."""

from mpc.launch.run import run
from mpc.launch.simulate import simulate

__all__ = ["run", "simulate"]
