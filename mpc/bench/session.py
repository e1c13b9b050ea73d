"""Many configurations in one run, in turns (A B A B), so that a noisy moment of the machine hits all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from mpc.bench.catalogue import ALL
from mpc.bench.measure import Configuration, Execute, Turn, take_turn
from mpc.bench.results import Measured
from mpc.errors import OptionError
from mpc.launch.run import execute

TURNS = 3
_TRACED = 2  # repetitions of the run that is traced, at most
SHORT = [name for name in ALL if name not in ("matmul512", "mul10m", "lenet128")]  # with three turns, in under five minutes


def configurations(
    names: Sequence[str] = (),
    protocols: Sequence[str] = ("additive",),
    parties: Sequence[int] = (2,),
    networks: Sequence[str] = ("none",),
    sizes: Sequence[int] = (),
    fraction_bits: int = 16,
) -> list[Configuration]:
    """Every combination, of the short selection where no workload is named. OptionError for what cannot be.

    `sizes` take the place of the workloads' own: only those that have one can be named with them.
    """
    names = list(dict.fromkeys(names)) or SHORT
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise OptionError(f"there is no workload {unknown[0]!r}; `mpc bench list` shows all of them")
    _check_sizes(names, sizes)
    found = [
        Configuration(name, protocol, number, network, None if size == ALL[name].size else size, fraction_bits)
        for name, size, network, number, protocol in product(names, sizes or (None,), networks, parties, protocols)
    ]
    for configuration in found:
        configuration.job(1)  # an option that cannot be is told before the first minute of measuring
    return list(dict.fromkeys(found))


def _check_sizes(names: Sequence[str], sizes: Sequence[int]) -> None:
    fixed = [name for name in names if ALL[name].size is None]
    if sizes and fixed:
        raise OptionError(
            f"size: the shapes of {', '.join(fixed)} are fixed; name workloads that `mpc bench list` shows with a size"
        )
    if any(size < 1 for size in sizes):
        raise OptionError(f"size={min(sizes)}: must be at least 1")


@dataclass(frozen=True)
class Step:
    """A turn that has just ended, the `number`th of all."""

    number: int
    total: int
    title: str
    turn: Turn


def measure(
    wanted: Sequence[Measured],
    turns: int = TURNS,
    repeats: int | None = None,
    told: Callable[[Step], None] = lambda step: None,
    execute: Execute = execute,
) -> None:
    """Add so many turns to each, after a run that compiles what is not, and is traced. `told` hears of every run.

    Whoever is interrupted has what was measured until then.
    """
    traced = min(_TRACED, repeats or _TRACED)
    order = [(measured, trace) for trace in (True, *[False] * turns) for measured in wanted]
    for number, (measured, trace) in enumerate(order, 1):
        turn = take_turn(measured.configuration, traced if trace else repeats, trace, execute)
        if trace:
            measured.dealing = turn.dealing
        else:
            measured.turns.append(turn)
        told(Step(number, len(order), measured.title, turn))
