"""What the planner chose, and why: for --explain."""

from __future__ import annotations

from collections.abc import Sequence

from mpc.cli.tables import show, table
from mpc.plan import Choice, Way
from mpc.progress import size_text

_MOST_ROWS = 20


def show_choices(choices: Sequence[Choice], network: str) -> None:
    """A row for each, what makes the largest difference first."""
    rows = table("", "times", "ms")
    for choice in sorted(choices, key=_difference, reverse=True)[:_MOST_ROWS]:
        rows.add_row(f"{choice.operation}: {', '.join(f'{n} {name}' for name, n in choice.sizes.items())}", str(choice.times), "")
        for number in sorted(range(len(choice.ways)), key=choice.seconds.__getitem__):
            word = "->" if number == choice.chosen else "  "
            rows.add_row(f" {word} {_text(choice.ways[number])}", "", f"{1e3 * choice.seconds[number]:.2f}")
    if len(choices) > _MOST_ROWS:
        rows.add_row(f"({len(choices) - _MOST_ROWS} more)", "", "")
    title = f"\nchosen for {network}: what each way is expected to take, with the constants that all parties use"
    show(title if choices else f"\nnothing to choose for {network}", rows)


def _difference(choice: Choice) -> float:
    """What the choice saves over the second best."""
    best, *rest = sorted(choice.seconds)
    return choice.times * (rest[0] - best) if rest else 0.0


def _text(way: Way) -> str:
    dealt = f", {size_text(round(way.dealt))} dealt" if way.dealt else ""
    return f"{way.name}: {way.rounds} round{'' if way.rounds == 1 else 's'}, {size_text(round(way.sent))} sent{dealt}"
