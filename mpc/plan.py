"""The planner: of several ways to do one thing, the one that takes the least time on the links of this run.

What a way costs is known by formula: rounds, bytes sent, bytes dealt. What these cost depends on the network alone, and on
constants of an ordinary machine, never on measurements: all parties have to choose alike. Decision 0021.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from mpc.network import Network

ROUND = 400e-6  # seconds that parties and dealer compute for a round, whatever is in it
BYTE = 0.6e-9  # seconds to make and to use a byte that is dealt; what it was made of is in proportion


@dataclass(frozen=True)
class Way:
    """One way to do something: `rounds`, bytes `sent` to each peer, bytes `dealt`, and seconds of `work` beyond what these
    take anyhow."""

    name: str
    rounds: int
    sent: float
    dealt: float = 0.0
    work: float = 0.0

    def then(self, other: Way) -> Way:
        """This and then that, under this name."""
        dealt, work = self.dealt + other.dealt, self.work + other.work
        return Way(self.name, self.rounds + other.rounds, self.sent + other.sent, dealt, work)


@dataclass
class Choice:
    """What was chosen, how often, and what each way was expected to take."""

    operation: str
    sizes: dict[str, int]
    ways: Sequence[Way]
    seconds: Sequence[float]
    times: int = 0

    @property
    def chosen(self) -> int:
        return self.seconds.index(min(self.seconds))


Choices = dict[Hashable, Choice]


class Planner:
    """Chooses for one network. What it chose, and why, is in `choices`."""

    def __init__(self, network: Network, choices: Choices | None = None):
        self.network = network
        self.choices: Choices = {} if choices is None else choices

    def seconds(self, way: Way) -> float:
        """What a way takes, if nothing of it happens at the same time."""
        dealing = way.dealt * (BYTE + 1 / (self.network.dealer or self.network).bandwidth)
        return self.network.seconds(way.rounds, way.sent) + way.rounds * ROUND + dealing + way.work

    def best(self, ways: Sequence[Way]) -> Way:
        """The fastest of several, without a word about it; of equal ones the first."""
        return min(ways, key=self.seconds)

    def choose(self, operation: str, ways: Callable[[], Sequence[Way]], **sizes: int) -> int:
        """The number of the fastest way: the same for the same sizes, at every party. `ways` is asked once for each."""
        key = (operation, *sizes.values())
        choice = self.choices.get(key)
        if choice is None:
            found = ways()
            choice = self.choices[key] = Choice(operation, sizes, found, [self.seconds(way) for way in found])
        choice.times += 1
        return choice.chosen
