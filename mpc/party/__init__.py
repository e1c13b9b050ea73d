"""A party as protocols see it: an endpoint with exchanges, a meter and randomness."""

from mpc.party.costs import Cost, Scope, Stats
from mpc.party.endpoint import DEFAULT_TIMEOUT, Endpoint
from mpc.party.joint import JointRandom
from mpc.party.keys import Keys
from mpc.party.lines import Line, run_program
from mpc.party.meter import Meter
from mpc.party.numbers import Numbers
from mpc.party.profile import Profile, sampled
from mpc.party.trace import Event, Trace

__all__ = [
    "DEFAULT_TIMEOUT",
    "Cost",
    "Endpoint",
    "Event",
    "JointRandom",
    "Keys",
    "Line",
    "Meter",
    "Numbers",
    "Profile",
    "Scope",
    "Stats",
    "Trace",
    "run_program",
    "sampled",
]
