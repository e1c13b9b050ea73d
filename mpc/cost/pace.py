"""What the steps of one endpoint take of a core, in its own thread: more than was recorded, amid messages."""

from __future__ import annotations

from mpc.cost.figures import Figures
from mpc.cost.timeline import Step


class Pace:
    """To be asked for each step in order: `work`, and then `handling`, if it sends, and `message`."""

    def __init__(self, figures: Figures):
        self._figures = figures
        self._computed = {True: 0.0, False: 0.0}  # since the last message was sent, and since the last was received
        self._cold = False

    def work(self, step: Step) -> float:
        """Seconds computed before the message: when it was recorded, no wait had taken anything from the caches."""
        for kind in self._computed:
            self._computed[kind] += step.work
        more = min(self._figures.cold, step.work) if self._cold else 0.0
        self._cold = not step.sends
        return step.work + more

    def handling(self, step: Step) -> float:
        """Of ZeroMQ's thread, at each end of what is sent."""
        return self._figures.message(self._figures.handling, self._computed[True]) + self._figures.byte * step.nbytes

    def message(self, step: Step) -> float:
        """Of sending it, or of receiving it."""
        computed, self._computed[step.sends] = self._computed[step.sends], 0.0
        return self._figures.message(self._figures.sending if step.sends else self._figures.receiving, computed)


def own_seconds(steps: list[Step], figures: Figures) -> float:
    """Of the endpoint's own thread, for all these steps."""
    pace = Pace(figures)
    return sum(pace.work(step) + pace.message(step) for step in steps)
