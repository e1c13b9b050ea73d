"""A party as protocols see it: an endpoint with exchanges, a meter and randomness."""

from mpc.party.endpoint import DEFAULT_TIMEOUT, NETWORKS, Endpoint, Keys
from mpc.party.joint import JointRandom
from mpc.party.meter import Cost, Meter, Scope, Stats
from mpc.party.trace import Event, Trace

__all__ = ["DEFAULT_TIMEOUT", "NETWORKS", "Cost", "Endpoint", "Event", "JointRandom", "Keys", "Meter", "Scope", "Stats", "Trace"]
