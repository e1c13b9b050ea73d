"""Results without a measurement: figures that a test chooses."""

import pytest

from mpc.bench.measure import Configuration, Repetition, Turn
from mpc.bench.results import Measured, Results

MACHINE = {"cpu": "A", "cores": "2", "numpy": "2.4"}


def make(workload="mul1m", seconds=((1.0, 1.1, 1.2), (1.0, 1.1, 1.3)), rounds=2, **options):
    measured = Measured.of(Configuration(workload, **options))
    for turn in seconds:
        repetitions = [Repetition(second, 0.2, 0.1, rounds, 24_000_000, 18_000_000) for second in turn]
        measured.turns.append(Turn(repetitions, [0.01], [], 0.9, 10**8, 1.5e-5))
    measured.dealing = [0.5]
    return measured


@pytest.fixture
def made():
    return make


@pytest.fixture
def saved(tmp_path):
    """saved(name, *measured, machine=...) writes a file of results."""

    def write(name, *measured, machine=MACHINE):
        path = tmp_path / name
        Results("0.1.0", None, "mpc bench", "2026-01-01T00:00:00+00:00", dict(machine), list(measured)).save(path)
        return path

    return write
