"""What a machine's messages and processes cost, as calibrated: kept in the user's cache folder, as JSON."""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mpc.errors import CalibrationError

FORMAT = 2
_LARGEST = 1 << 16  # bytes of a calibration file
_LONGEST = 1000.0  # seconds that no figure reaches


@dataclass(frozen=True)
class Figures:
    """Seconds. Of a core, by how much was computed since the last message, at the points `computed`, as code and data that the
    caches have lost cost several times as much: `sending` and `receiving` a message in the endpoint's own thread, and
    `handling` it in ZeroMQ's at each end. There, each `byte` too; `process`, until an interpreter can begin its program. Of the
    clock: `waking`, from a message that is there to a thread that runs again; `starting`, what a run takes besides. Of a
    core again: `cold`, at most so much more is computed after a message has come, and no more than as much again. Of the clock:
    `beside`, what `waking` is where all endpoints share one machine.
    """

    computed: tuple[float, ...] = (0.0,)
    sending: tuple[float, ...] = (0.0,)
    receiving: tuple[float, ...] = (0.0,)
    handling: tuple[float, ...] = (0.0,)
    byte: float = 0.0
    waking: float = 0.0
    process: float = 0.0
    starting: float = 0.0
    cold: float = 0.0
    beside: float = 0.0

    def message(self, kind: tuple[float, ...], computed: float) -> float:
        """Seconds of a message, of one of the three kinds, before which so much was computed."""
        points = self.computed
        above = bisect(points, computed)
        if above in (0, len(points)):
            return kind[max(0, above - 1)]
        low, high = points[above - 1], points[above]
        return kind[above - 1] + (kind[above] - kind[above - 1]) * (computed - low) / (high - low)

    def start(self, endpoints: int, cores: float) -> float:
        """Seconds from the launch of so many processes on one machine to the begin of their programs, and after their end."""
        return self.starting + self.process * max(1.0, endpoints / cores)


def path_for(facts: dict[str, Any]) -> Path:
    """Where the figures of a machine are kept that these facts describe."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mpc"
    digest = hashlib.sha256(json.dumps([FORMAT, facts], sort_keys=True).encode()).hexdigest()
    return folder / f"calibration-{digest[:16]}.json"


def to_text(figures: Figures, facts: dict[str, Any]) -> str:
    return json.dumps({"format": FORMAT, "machine": facts, "seconds": asdict(figures)}, indent=1) + "\n"


def from_text(text: str, where: str) -> Figures:
    """The figures that `to_text` has written. CalibrationError, which says to calibrate again, for anything else."""
    try:
        found = json.loads(text) if len(text) <= _LARGEST else None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError("it is no calibration of this version")
        return _figures(found.get("seconds"))
    except (ValueError, RecursionError) as error:
        raise CalibrationError(f"{where} cannot be used: {error}; renew it: mpc cost --calibrate") from None


def _figures(found: Any) -> Figures:
    if not isinstance(found, dict) or set(found) != {each.name for each in fields(Figures)}:
        raise ValueError("its figures are not those that are needed")
    count = len(found["computed"]) if isinstance(found["computed"], list) else 0
    values: dict[str, Any] = {}
    for each in fields(Figures):
        value = found[each.name]
        if isinstance(each.default, tuple):
            if not isinstance(value, list) or len(value) != count or not count:
                raise ValueError(f"{each.name} is no list of {count} or more seconds")
            values[each.name] = tuple(_checked(each.name, part) for part in value)
        else:
            values[each.name] = _checked(each.name, value)
    if list(values["computed"]) != sorted(set(values["computed"])):
        raise ValueError("computed does not rise")
    return Figures(**values)


def _checked(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LONGEST:  # so no NaN either
        raise ValueError(f"{name} is {value!r}, which is no number of seconds")
    return float(value)
