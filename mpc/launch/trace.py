"""A run as a trace file: what ran when, at each party and at the dealer. Format: Chrome's trace events, as JSON.

https://ui.perfetto.dev and chrome://tracing open it. Each endpoint is a process with one track, on which scopes contain
scopes and exchanges; gaps are computation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mpc.party import Event, Stats, Trace


def write_trace(path: Path, stats: Sequence[Stats], names: Sequence[str]) -> int:
    """Write the traces of a run's endpoints, of these names, on one clock. The number of messages for which there was no room."""
    traces = [each.trace for each in stats if each.trace is not None]
    origin = min((trace.epoch + _nanoseconds(event.begin) for trace in traces for event in trace.events), default=0)
    events = [item for index, trace in enumerate(traces) for item in _process(index, names[index], trace, origin)]
    path.write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, separators=(",", ":")))
    return sum(trace.dropped for trace in traces)


def _process(index: int, name: str, trace: Trace, origin: int) -> Iterator[dict[str, Any]]:
    """The events of one endpoint: what contains others before them."""
    process = {"pid": index + 1, "tid": 1}  # Perfetto takes process 0 for the idle one
    yield {"ph": "M", "name": "process_name", "args": {"name": name}, **process}
    yield {"ph": "M", "name": "process_sort_index", "args": {"sort_index": index}, **process}
    yield {"ph": "M", "name": "thread_name", "args": {"name": "scopes and messages"}, **process}
    for event in sorted(trace.events, key=lambda event: (event.begin, -event.end)):
        yield {**_event(event, trace.epoch - origin), **process}


def _event(event: Event, shift: int) -> dict[str, Any]:
    """A slice, or an instant where nobody waited; microseconds."""
    begin = _nanoseconds(event.begin) + shift
    duration = _nanoseconds(event.end) - _nanoseconds(event.begin)
    sizes = {"rounds": event.rounds, "sent": event.sent, "received": event.received, "from dealer": event.from_dealer}
    kind = {"ph": "X", "dur": duration / 1000} if duration else {"ph": "i", "s": "t"}
    args = {name: size for name, size in sizes.items() if size}
    return {"name": event.name, "cat": event.kind, "ts": begin / 1000, "args": args, **kind}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
