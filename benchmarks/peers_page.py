"""The part of docs/functions.md that stands ours beside other systems."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.beside_peers import compare
from benchmarks.peers import figures
from benchmarks.peers.session import Session
from benchmarks.peers.spu import SEMI2K
from mpc.bench.workloads import WORKLOADS

_SOURCE = """\
The peers' figures were {source}. A trusted first party knows all correlations: no dealing travels. Ours are those of this \
page's machine; *dealt* is what the dealer sends besides. Inputs: sigmoid [-8, 8], exp [-8, 4], 1 / x [0.1, 50], sqrt and log \
[0.01, 100], softmax [-4, 4], the others [-1, 1].
"""
_SPEED = """\
Times faster than SPU SEMI2K: ours than SPU on this page's machine, both run in turns; the others than SPU on the machine where \
they were measured.
"""
_ERRORS = """\
Largest absolute error. Where SPU was run for this page its figures are from here, against float64 of the same encoded input, \
like ours; those of the others include the encoding of the input.
"""
_SPEED_MISSING = "Speed is compared to SPU's, which was not installed for this page: {}.\n"
_SMALL = ": these are {a_round:.1f} ms a round of Python and messages, not arithmetic, for so few elements"
_REASONS = {  # why a time falls short, where it does; a_round: measured milliseconds
    "reciprocal": ": it takes 15 thresholds and 12 waves an element, and most of the time is dealing and comparing",
    "rowmax": _SMALL,
    "softmax": _SMALL,
}


def paragraph(text: str) -> str:
    return textwrap.fill(text, 130) + "\n"


def beside_peers() -> dict[str, Any]:
    """Every workload's measurements: ours, and SPU's if it is installed."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(SEMI2K))] if SEMI2K.installed else []
        return {name: compare(name, None, sessions, turns=2).summary() for name in WORKLOADS}


def ratio(row: Mapping[str, Any]) -> float | None:
    """How many times faster than SPU; None where SPU was not there, or failed."""
    found = row["peers"].get("spu", {}).get("ratio")
    return found and found["medians"]


def missed_times(rows: Mapping[str, Any]) -> list[str]:
    """A line for each workload that is not as many times faster than SPU as it is to be, and why."""
    lines = []
    for name, row in rows.items():
        times_faster = ratio(row)
        if row["target"] is not None and times_faster is not None and times_faster < row["target"]:
            ours = row["ours"]
            reason = _REASONS.get(name, "").format(a_round=ours["median"] / ours["rounds"] * 1e3)
            times = f"{times_faster:.1f} times faster than SPU SEMI2K, not {row['target']:g}"
            lines.append(textwrap.fill(f"- {WORKLOADS[name].title}: {times}{reason}.", 130, subsequent_indent="  "))
    return lines


def peers_section(rows: Mapping[str, Any]) -> str:
    parts = ["## Beside other systems\n", paragraph(_SOURCE.format(source=figures.SOURCE))]
    times_faster = {name: found for name, row in rows.items() if (found := ratio(row)) is not None}
    if not times_faster:
        parts.append(_SPEED_MISSING.format(SEMI2K.how_to_get_it))
    else:
        parts.append(paragraph(_SPEED))
        parts.append(_table(times_faster, speeds(), "{:.1f}".format))
    sent = {name: row["ours"]["bytes_sent"] / 1e6 for name, row in rows.items()}
    dealt = {name: row["ours"]["bytes_dealt"] / 1e6 for name, row in rows.items()}
    parts.append("MB sent by the busiest party:\n")
    parts.append(_table(sent, figures.MEGABYTES, "{:.3g}".format, dealt))
    parts.append("Rounds:\n")
    parts.append(_table({name: row["ours"]["rounds"] for name, row in rows.items()}, figures.ROUNDS, "{:.0f}".format))
    parts.append(paragraph(_ERRORS))
    errors = {name: rows[name]["ours"]["error"] for name in figures.ERRORS}
    peer_errors = {name: values | _error_here(rows[name]) for name, values in figures.ERRORS.items()}
    parts.append(_table(errors, peer_errors, "{:.1e}".format))
    ratios = {name: 1 / found for name, found in times_faster.items()}
    inverse = {name: {system: 1 / value for system, value in values.items()} for name, values in speeds().items()}
    parts.append("Where a peer is better:\n")
    better = [
        *_better("faster", ratios, inverse),
        *_better("fewer bytes", sent, figures.MEGABYTES),
        *_better("fewer rounds", {name: row["ours"]["rounds"] for name, row in rows.items()}, figures.ROUNDS),
        *_better("a smaller error", errors, peer_errors),
    ]
    return "\n".join([*parts, *(better or ["- nowhere in these figures"])]) + "\n"


def _error_here(row: Mapping[str, Any]) -> dict[str, float]:
    return {figures.SEMI2K: row["peers"]["spu"]["error"]} if ratio(row) is not None else {}


def speeds() -> dict[str, dict[str, float]]:
    """Times faster than SPU SEMI2K, on the machine where both were measured."""
    return {
        name: {system: values[figures.SEMI2K] / value for system, value in values.items() if system != figures.SEMI2K}
        for name, values in figures.SECONDS.items()
    }


def _table(
    ours: Mapping[str, float],
    theirs: Mapping[str, Mapping[str, float]],
    form: Callable[[float], str],
    dealt: Mapping[str, float] | None = None,
) -> str:
    systems = [system for system in figures.SYSTEMS if any(system in theirs[name] for name in ours)]
    head = ["", "ours", *(["dealt"] if dealt else []), *systems]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for name, value in ours.items():
        cells = [form(value), *([form(dealt[name])] if dealt else [])]
        cells += [form(theirs[name][system]) if system in theirs[name] else "" for system in systems]
        lines.append(f"| {' | '.join([WORKLOADS[name].title, *cells])} |")
    return "\n".join(lines) + "\n"


def _better(what: str, ours: Mapping[str, float], theirs: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One line for each workload in which a smaller figure of a peer is better than ours."""
    lines: list[str] = []
    for name, value in ours.items():
        systems: list[Any] = [system for system, figure in theirs[name].items() if figure < value]
        if systems:
            lines.append(f"- {WORKLOADS[name].title}: {what}: {', '.join(systems)}")
    return lines
