"""How far a measurement is, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mpc.bench.session import Step


@contextmanager
def shown_progress() -> Iterator[Callable[[Step], None]]:
    """A bar on a terminal, else a line for each turn. It is drawn between turns alone: what measures does nothing besides."""
    from rich.console import Console  # rich's imports would slow every other command down
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: print(f"{step.number}/{step.total} {step.title}: {_brief(step)}", file=sys.stderr, flush=True)
        return
    with Progress(*Progress.get_default_columns(), console=console, auto_refresh=False, transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def told(step: Step) -> None:
            bars.update(task, total=step.total, completed=step.number, description=f"{step.title}: {_brief(step)}", refresh=True)

        yield told


def _brief(step: Step) -> str:
    return f"{min(repetition.seconds for repetition in step.turn.repetitions):.4f} s"
