"""Counting what a computation costs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mpc.errors import UsageError
from mpc.party.costs import Cost, Scope, Stats
from mpc.party.profile import Profile
from mpc.plan import Choices


class Meter:
    """Counts every message of one endpoint; with a `profile`, by line of the program too."""

    def __init__(self) -> None:
        self.operations: defaultdict[str, Cost] = defaultdict(Cost)
        self.profile: Profile | None = None
        self.choices: Choices = {}  # the planner's
        self._total = Cost()
        self._scopes: dict[str, Scope] = {}
        self._open: list[tuple[str, Cost]] = []  # the scopes that we are in: their paths, and the total when they began
        self._start = time.perf_counter()

    def count(self, operation: str, cost: Cost) -> None:
        """Add a message that has just been sent or received, or at the dealer an answer that has just been made."""
        if operation not in self.operations:
            self.operations[operation] = Cost()
        self.operations[operation].add(cost)
        self._total.add(cost)
        if self.profile is not None:
            self.profile.count(operation, cost)

    def total(self) -> Cost:
        """Costs since the start; `seconds` is the wall-clock time."""
        return replace(self._total, seconds=time.perf_counter() - self._start)

    def snapshot(self) -> Stats:
        """The costs so far. Scopes that have not ended count up to now."""
        total = self.total()
        scopes = {path: Scope(scope.calls, replace(scope.total)) for path, scope in self._scopes.items()}
        for path, before in self._open:
            scopes[path].total.add(total - before)
        for path, scope in scopes.items():
            scope.own.add(scope.total)
            parent = scopes.get(path.rpartition("/")[0])
            if parent is not None:
                parent.own = parent.own - scope.total
        operations = {name: replace(cost) for name, cost in self.operations.items()}
        stats = Stats(total, operations, scopes, choices=[replace(choice) for choice in self.choices.values()])
        if self.profile is not None:
            for name, seconds in self.profile.computing().items():
                operations.setdefault(name, Cost()).seconds += seconds
            stats.lines, stats.trace = self.profile.lines(), self.profile.trace
        return stats

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Yield a Cost that holds what the block cost, once the block has ended."""
        before, cost = self.total(), Cost()
        try:
            yield cost
        finally:
            cost.add(self.total() - before)

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Count what the block costs under this name too; within other scopes, under the path of their names."""
        path = self._path(name)
        opened = (path, self.total())
        scope = self._scopes.setdefault(path, Scope())
        scope.calls += 1
        self._open.append(opened)
        try:
            yield
        finally:
            self._open.remove(opened)  # the last one, but for a generator that was left amid a scope
            before, now = opened[1], self.total()
            scope.total.add(now - before)
            if self.profile is not None:
                begin, end = self._start + before.seconds, self._start + now.seconds
                self.profile.scope(path.rpartition("/")[2], begin, end, now - before)

    def _path(self, name: str) -> str:
        """Slashes separate names, so those within a name (as of a layer of an imported model) become dots."""
        plain = name.strip("/").replace("/", ".") if isinstance(name, str) else ""
        if not plain:
            raise UsageError(f"operation 'scope': a scope's name must be a text with letters in it, not {name!r}")
        return f"{self._open[-1][0]}/{plain}" if self._open else plain
