"""What one endpoint of a run does, in order: it computes, sends, and waits for messages of others."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A message: `work` seconds of one core are computed before it, then it is sent to `peer`, or awaited of that peer.

    `nbytes` counts header and payload of what is sent; a receiver's are the sender's. `label` is the operation.
    """

    work: float
    sends: bool
    peer: int
    label: str
    nbytes: int = 0


class Timeline(NamedTuple):
    """The steps of one endpoint, and the seconds of one core that it computes after the last of them."""

    steps: list[Step]
    rest: float = 0.0

    @property
    def work(self) -> float:
        """Seconds of one core, in all."""
        return self.rest + sum(step.work for step in self.steps)
