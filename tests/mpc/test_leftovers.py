"""What a program has started ends with the run."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

import mpc
from benchmarks.waiting import until


def test_what_a_program_has_started_ends_with_it(tmp_path):
    def program(party):
        started = subprocess.Popen(["sleep", "30"])
        (tmp_path / str(party.index)).write_text(str(started.pid))
        if party.index == 1:
            raise ZeroDivisionError
        party.input(np.ones(1), owner=1)

    with pytest.raises(ZeroDivisionError):
        mpc.run(program)
    for path in tmp_path.iterdir():
        assert until(lambda path=path: not is_running(int(path.read_text())), 5)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
