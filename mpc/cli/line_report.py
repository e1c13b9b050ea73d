"""What each line of a program cost, as a table and a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mpc.cli.tables import FIGURES, figures, narrow, show, title_of
from mpc.party import Cost, Line, Stats

if TYPE_CHECKING:
    from rich.table import Table

_ROWS = 20
_WIDEST = 70  # characters of a row's name
_NAMED = 3  # lines in the sentence
_QUOTED = 40  # characters of each


def show_lines(stats: Sequence[Stats], name: str) -> None:
    """Costs by line of the program as the first endpoint, of that name, sees them; what the dealer sent, of all."""
    from rich.text import Text

    costs = stats[0].lines
    lines = sorted(costs, key=lambda line: -costs[line].seconds)
    if not lines:
        return  # the dealer has none
    file = max(lines, key=lambda line: sum(cost.seconds for other, cost in costs.items() if other.file == line.file)).file
    title = title_of(f"by line of {Path(file).name}", name, len(stats))
    show(title, _table([each for each in stats if each.lines], lines, file))
    show("", Text(_sentence(stats[0], lines[:_NAMED])))


def _table(parties: Sequence[Stats], lines: Sequence[Line], file: str) -> Table:
    """The first party's lines, in this order; those of the file that the title names without its name."""
    from rich.text import Text

    table, own, whole = narrow("", *FIGURES), parties[0].lines, parties[0].total.seconds

    def row(name: str, costs: Sequence[Cost]) -> None:
        table.add_row(Text(_cut(name, _WIDEST), no_wrap=True, overflow="ellipsis"), *figures(costs[0], costs, whole))

    def matters(cost: Cost) -> bool:
        return cost.rounds > 0 or cost.seconds >= whole / 200

    shown = [line for line in lines if matters(own[line])][:_ROWS]
    others = [line for line in lines if line not in shown]
    digits = max((len(str(line.number)) for line in shown), default=0)
    for line in shown:
        place = f"{line.number:{digits}}" if line.file == file else f"{Path(line.file).name}:{line.number}"
        row(f"{place} {_text(line)}", _costs(parties, [line]))
    if others:
        row(f"({len(others)} more line{'s' * (len(others) > 1)})", _costs(parties, others))
    rest = [each.total - cost for each, cost in zip(parties, _costs(parties, lines), strict=True)]
    if matters(rest[0]):
        row("(before and after)", rest)
    return table


def _costs(parties: Sequence[Stats], lines: Iterable[Line]) -> list[Cost]:
    """What these lines cost together, at each party."""
    sums = [Cost() for _ in parties]
    for line in lines:
        for each, party in zip(sums, parties, strict=True):
            each.add(party.lines.get(line, Cost()))
    return sums


def _sentence(stats: Stats, lines: Sequence[Line]) -> str:
    def named(line: Line) -> str:
        seconds = stats.lines[line].seconds
        share = 100 * seconds / stats.total.seconds
        return f"{Path(line.file).name}:{line.number} `{_cut(_text(line), _QUOTED)}` {seconds:.2f} s ({share:.0f} %)"

    return f"most expensive: {', '.join(map(named, lines))}"


def _text(line: Line) -> str:
    """The line as it stands in its file; where there is none, as of a prompt, the function's name."""
    return line.text or f"in {line.function}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
