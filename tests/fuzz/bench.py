"""Files of `mpc bench --json`, which others may hand over for a comparison."""

import json
from dataclasses import asdict

from mpc.bench.compare import compare
from mpc.bench.measure import Configuration, Repetition, Turn
from mpc.bench.results import Measured, Results, parse
from mpc.bench.tables import comparison_table, results_table

ONE = Repetition(0.5, 0.2, 0.1, 3, 100, 50)


def results(data):
    """What is read can be shown, and compared."""
    found = parse(data, "a.json")
    results_table(found.measured)
    comparison_table(compare(found, found))


def seed(*measured):
    return json.dumps(asdict(Results("0.1.0", None, "mpc bench", "2026", {"cpu": "A"}, list(measured)))).encode()


def made(*turns):
    measured = Measured.of(Configuration("logreg"))
    measured.turns.extend(turns)
    return measured


RESULTS = [
    seed(),
    seed(made(Turn([ONE], [0.1], [0.1], 0.9, 1, 0.1))),
    seed(made(Turn([ONE], [1e-320], [], 0, 0, 0), Turn([ONE, ONE], [0], [0], 0, 0, 9e18))),
    b'{"format": 1}',
]
