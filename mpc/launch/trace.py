"""A run as a trace file: what ran when, at each party and at the dealer. Format: Chrome's trace events, as JSON.

https://ui.perfetto.dev and chrome://tracing open it. Each endpoint is a process with two tracks: one on which scopes contain
scopes and exchanges, where gaps are computation, and one of the lines of the program, as far as samples tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mpc.party import Event, Line, Stats, Trace
from mpc.party.trace import Span


def write_trace(path: Path, stats: Sequence[Stats], names: Sequence[str]) -> int:
    """Write the traces of a run's endpoints, of these names, on one clock. The number of messages for which there was no room."""
    traces = [each.trace for each in stats if each.trace is not None]
    begins = [trace.epoch + _nanoseconds(event.begin) for trace in traces for event in trace.events]
    begins += [trace.epoch + _nanoseconds(span.begin) for trace in traces for span in trace.lines[:1]]
    origin = min(begins, default=0)
    events = [item for index, trace in enumerate(traces) for item in _process(index, names[index], trace, origin)]
    path.write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, separators=(",", ":")))
    return sum(trace.dropped for trace in traces)


def _process(index: int, name: str, trace: Trace, origin: int) -> Iterator[dict[str, Any]]:
    """The events of one endpoint: what contains others before them."""
    messages, lines = ({"pid": index + 1, "tid": track} for track in (1, 2))  # Perfetto takes process 0 for the idle one
    yield {"ph": "M", "name": "process_name", "args": {"name": name}, **messages}
    yield {"ph": "M", "name": "process_sort_index", "args": {"sort_index": index}, **messages}
    yield {"ph": "M", "name": "thread_name", "args": {"name": "scopes and messages"}, **messages}
    for event in sorted(trace.events, key=lambda event: (event.begin, -event.end)):
        yield {**_event(event, trace.epoch - origin), **messages}
    if trace.lines:
        yield {"ph": "M", "name": "thread_name", "args": {"name": "lines, sampled"}, **lines}
    for span in trace.lines:
        yield {**_span(span, trace.epoch - origin), **lines}


def _event(event: Event, shift: int) -> dict[str, Any]:
    """A slice, or an instant where nobody waited; microseconds."""
    begin = _nanoseconds(event.begin) + shift
    duration = _nanoseconds(event.end) - _nanoseconds(event.begin)
    sizes = {"rounds": event.rounds, "sent": event.sent, "received": event.received, "from dealer": event.from_dealer}
    kind = {"ph": "X", "dur": duration / 1000} if duration else {"ph": "i", "s": "t"}
    args: dict[str, Any] = {name: size for name, size in sizes.items() if size}
    if event.line is not None:
        args["line"] = _name_of(event.line)
    return {"name": event.name, "cat": event.kind, "ts": begin / 1000, "args": args, **kind}


def _span(span: Span, shift: int) -> dict[str, Any]:
    begin, end = _nanoseconds(span.begin), _nanoseconds(span.end)
    name = f"{_name_of(span.line)} {span.line.text}".rstrip()
    return {"name": name, "cat": "line", "ph": "X", "ts": (begin + shift) / 1000, "dur": (end - begin) / 1000, "args": {}}


def _name_of(line: Line) -> str:
    """Without folders: a trace is something that one shows to others."""
    return f"{Path(line.file).name}:{line.number}"


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
