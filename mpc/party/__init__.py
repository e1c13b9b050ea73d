"""A party as protocols see it: an endpoint with exchanges, a meter and randomness."""

from mpc.party.endpoint import DEFAULT_TIMEOUT, NETWORKS, Endpoint, Keys
from mpc.party.meter import Cost, Meter, Stats

__all__ = ["DEFAULT_TIMEOUT", "NETWORKS", "Cost", "Endpoint", "Keys", "Meter", "Stats"]
