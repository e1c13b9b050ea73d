"""What was measured, with where and when, and as a file of JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mpc import __version__
from mpc.bench.catalogue import ALL
from mpc.bench.checked import checked
from mpc.bench.machine import Commit, commit, describe
from mpc.bench.measure import Configuration, Repetition, Turn
from mpc.errors import ResultsError
from mpc.network import Network

FORMAT = 1
_LARGEST = 1 << 25  # bytes of a file
_CURE = "write it anew: mpc bench --json FILE"


@dataclass
class Measured:
    """The turns of one configuration; `dealing`: seconds that its dealer worked for each repetition of a run of its own, traced.

    `what` and `size` are those of the workload, `steps` as there; `latency`: seconds one way. A file may be of another version
    of the catalogue, so all that is shown of a workload stands here.
    """

    configuration: Configuration
    title: str
    what: str
    size: int | None
    unit: str
    steps: int
    latency: float
    turns: list[Turn] = field(default_factory=list)
    dealing: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, configuration: Configuration) -> Measured:
        workload = ALL[configuration.workload]
        size = workload.size if configuration.size is None else configuration.size
        network = Network.parse(configuration.network)
        latency = network.latency if network.emulated else 0.0
        title = workload.title_of(size)
        return cls(configuration, title, workload.what, size, workload.unit, workload.steps, latency)

    @property
    def name(self) -> str:
        """What it is, in any size."""
        return self.what.partition(",")[0]

    @property
    def repetitions(self) -> list[Repetition]:
        return [repetition for turn in self.turns for repetition in turn.repetitions]

    @property
    def seconds(self) -> list[float]:
        return [repetition.seconds for repetition in self.repetitions]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def plain(self) -> float:
        """Median seconds of the same in the clear."""
        return statistics.median(seconds for turn in self.turns for seconds in turn.plain)


@dataclass(frozen=True)
class Results:
    """`time` is that of the beginning, UTC."""

    mpc: str
    commit: Commit | None
    command: str
    time: str
    machine: dict[str, str]
    measured: list[Measured]
    format: int = FORMAT

    @classmethod
    def now(cls, command: str, measured: Sequence[Measured] = ()) -> Results:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(__version__, commit(), command, time, describe(), list(measured))

    def save(self, path: Path) -> None:
        try:
            path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        except OSError as error:
            raise ResultsError(f"{path} cannot be written: {error.strerror}; choose another file") from None

    @classmethod
    def load(cls, path: Path) -> Results:
        """ResultsError for a file that is no such thing, or of another format."""
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            raise ResultsError(f"{path} cannot be read: {error.strerror}; give a file of mpc bench --json") from None
        if len(data) > _LARGEST:
            raise ResultsError(f"{path} has more than {_LARGEST >> 20} MB: it is no file of results; {_CURE}")
        return parse(data, str(path))


def parse(data: bytes, where: str) -> Results:
    """Results out of the bytes of a file."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ResultsError(f"{where} is no JSON, or was cut off; {_CURE}") from None
    number = found.get("format") if isinstance(found, dict) else None
    if number != FORMAT:
        shown = f"has the format {number}" if type(number) is int and abs(number) < 1000 else "is no file of results"
        raise ResultsError(f"{where} {shown}; this mpc reads format {FORMAT}: {_CURE}")
    results: Results = checked(Results, found, where, _CURE)
    for measured in results.measured:
        if not measured.turns or not all(turn.repetitions and turn.plain for turn in measured.turns) or not min(measured.seconds):
            raise ResultsError(f"{where}: {measured.title} has no repetitions, or some that took no time; {_CURE}")
    return results
