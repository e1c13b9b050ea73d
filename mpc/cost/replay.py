"""Timelines replayed in virtual time: endpoints that compute, send and wait, over links and on cores that they share.

A discrete-event simulation. Each endpoint has two threads: its own, which does its steps in order, and ZeroMQ's, which moves
bytes out of and into its process. A message has arrived once both ends have moved it and the link has carried it. Links
are queues, one for each direction: what is sent leaves after bytes / bandwidth, and is there after the latency.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mpc.cost.figures import Figures
from mpc.cost.pace import Pace
from mpc.cost.processors import Clock, Host, Then, Thread, Work
from mpc.cost.timeline import Step, Timeline
from mpc.network import Network


@dataclass
class Spent:
    """Seconds of an endpoint in one operation: computing, and waiting for other parties and for the dealer."""

    computing: float = 0.0
    peers: float = 0.0
    dealer: float = 0.0

    @property
    def seconds(self) -> float:
        return self.computing + self.peers + self.dealer


@dataclass
class Replayed:
    """When an endpoint's first message began, when the last that it waited for had come, and when it was through.

    `operations`: the seconds of each; those before the first message are no operation's.
    """

    begin: float = 0.0
    end: float = 0.0
    finish: float = 0.0
    operations: defaultdict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))


def replay(timelines: Sequence[Timeline], parties: int, network: Network, figures: Figures, hosts: list[Host]) -> list[Replayed]:
    """The endpoints' timelines, all begun at once, each on its host. Cost: some 20 us for each message."""
    links = Links(Clock(hosts), network, parties)
    endpoints = [Actor(index, timeline, links, figures, hosts[index]) for index, timeline in enumerate(timelines)]
    for endpoint in endpoints:
        endpoint.meet(endpoints)
    links.clock.run()
    return [endpoint.replayed for endpoint in endpoints]


class Links:
    """What lies between hosts. Between processes of one machine, there is nothing but the machine."""

    def __init__(self, clock: Clock, network: Network, parties: int):
        self.clock = clock
        self._parties, self._network = parties, network
        self._to_dealer = network if network.dealer is None else network.dealer
        self._free: defaultdict[tuple[int, int], float] = defaultdict(float)  # when the last message has left

    def carried(self, sender: int, receiver: int, nbytes: int) -> float:
        """When a link has carried what is sent now."""
        link = self._to_dealer if self._parties in (sender, receiver) else self._network
        if not link.emulated:
            return self.clock.now
        left = max(self.clock.now, self._free[sender, receiver]) + nbytes / link.bandwidth
        self._free[sender, receiver] = left
        return left + link.latency


class Actor:
    """One endpoint on its way through its timeline."""

    def __init__(self, index: int, timeline: Timeline, links: Links, figures: Figures, host: Host):
        self.replayed = Replayed()
        self._index, self._timeline, self._links, self._figures = index, timeline, links, figures
        self._arrived: defaultdict[int, int] = defaultdict(int)  # messages of each sender that were not taken yet
        self._to_move: deque[tuple[float, Then]] = deque()
        self._pace = Pace(figures)
        self._peers: Sequence[Actor] = ()
        self._own, self._zeromq = Thread(host, self._steps()), Thread(host, self._moving())

    def meet(self, peers: Sequence[Actor]) -> None:
        self._peers = peers
        self._own.wake()

    def _steps(self) -> Work:
        clock = self._links.clock
        for number, step in enumerate(self._timeline.steps):
            began = clock.now
            yield self._pace.work(step)
            ready = clock.now
            if not number:
                self.replayed.begin = ready
            yield from self._send(step) if step.sends else self._receive(step)
            self._note(step, ready - began if number else 0.0, clock.now - ready)
        yield self._timeline.rest
        self.replayed.finish = clock.now

    def _send(self, step: Step) -> Work:
        handling = self._pace.handling(step)
        yield self._pace.message(step)
        peer = self._peers[step.peer]
        due = self._links.carried(self._index, step.peer, step.nbytes)
        pending = [self, peer]

        def moved() -> None:
            pending.pop()
            if not pending:
                self._links.clock.at(max(due, self._links.clock.now + self._figures.waking), lambda: peer._arrive(self._index))

        for end in tuple(pending):
            end._move(handling, moved)

    def _receive(self, step: Step) -> Work:
        while not self._arrived[step.peer]:
            yield None
        self._arrived[step.peer] -= 1
        yield self._pace.message(step)
        self.replayed.end = self._links.clock.now

    def _arrive(self, sender: int) -> None:
        self._arrived[sender] += 1
        self._own.wake()

    def _move(self, work: float, then: Then) -> None:
        self._to_move.append((work, then))
        self._zeromq.wake()

    def _moving(self) -> Work:
        while True:
            while self._to_move:
                work, then = self._to_move.popleft()
                yield work
                then()
            yield None

    def _note(self, step: Step, computing: float, waiting: float) -> None:
        spent = self.replayed.operations[step.label]
        spent.computing += computing
        if step.peer == self._links._parties:
            spent.dealer += waiting
        else:
            spent.peers += waiting


def shared(endpoints: int, cores: float, others: float = 0.0) -> list[Host]:
    """All endpoints on one machine."""
    return [Host(cores, others)] * endpoints


def separate(endpoints: int) -> list[Host]:
    """Each on a machine of its own, with a core for each of its threads."""
    return [Host(math.inf) for _ in range(endpoints)]
