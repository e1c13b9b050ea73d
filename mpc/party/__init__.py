"""A party as protocols see it: an endpoint with exchanges, a meter and randomness."""

from mpc.party.endpoint import DEFAULT_TIMEOUT, NETWORKS, Endpoint
from mpc.party.joint import JointRandom
from mpc.party.keys import Keys
from mpc.party.meter import Cost, Meter, Scope, Stats
from mpc.party.trace import Event, Trace

__all__ = ["DEFAULT_TIMEOUT", "NETWORKS", "Cost", "Endpoint", "Event", "JointRandom", "Keys", "Meter", "Scope", "Stats", "Trace"]
