"""What the page of functions lists as falling short, and that its rows can be measured."""

import numpy as np
import pytest

from benchmarks.functions_page import SECTIONS
from benchmarks.peers_page import missed_times


def measured(target, ratio, rounds=10):
    peers = {} if ratio is None else {"spu": {"ratio": {"medians": ratio}}}
    return {"target": target, "ours": {"median": 0.02, "rounds": rounds}, "peers": peers}


def test_every_missed_time_is_listed_with_its_figures():
    rows = {
        "mul1m": measured(None, 1.0),
        "ltz1m": measured(10, 10.0),
        "reciprocal": measured(7, 5.26),
        "rowmax": measured(4, 3.4),
        "exp": measured(2.5, 2.0),
        "log": measured(9, None),  # SPU was not there
    }
    lines = [" ".join(line.split()) for line in missed_times(rows)]
    assert [line.split(":")[0] for line in lines] == ["- 1 / x, 10^5", "- max of rows, 1000 x 10", "- exp, 10^5"]
    assert "5.3 times faster than SPU SEMI2K, not 7: it takes 15 thresholds" in lines[0]
    assert "3.4 times faster than SPU SEMI2K, not 4: these are 2.0 ms a round" in lines[1]


@pytest.mark.parametrize("row", [row for rows in SECTIONS.values() for row in rows], ids=lambda row: row.name)
def test_inputs_are_multiples_of_the_last_place(row):
    for array in row.sample():
        assert np.array_equal(np.asarray(array, float) * 2**16, np.rint(np.asarray(array, float) * 2**16))
