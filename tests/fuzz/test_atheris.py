"""Every target, by coverage (atheris), for a moment: CONTRIBUTING.md says how to go on for longer."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

pytest.importorskip("atheris")
ROOT = Path(__file__).parents[2]
BOUNDS = ["-runs=200", "-max_total_time=1"]


@pytest.fixture(scope="module")
def ran():
    """What was said of each target."""
    command = [sys.executable, "-m", "tests.fuzz.run", *TARGETS, "broken", *BOUNDS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=300, check=False)
    names_and_texts = re.split(r"^--- (\S+)\n", done.stderr, flags=re.MULTILINE)
    return {"exit code": done.returncode, **dict(zip(names_and_texts[1::2], names_and_texts[2::2], strict=True))}


@pytest.mark.parametrize("name", TARGETS)
def test_coverage_finds_nothing(ran, name):
    assert re.search(r"^Done \d+ runs", ran[name], re.MULTILINE) and "found by" not in ran[name], ran[name][-4000:]


def test_what_is_broken_is_told_with_its_input(ran):
    found = re.search(r"found by: (\w+)\nTraceback", ran["broken"])
    assert found is not None and bytes.fromhex(found[1])[:1] > b"x" and "KeyError: 'a bug'" in ran["broken"]
    assert ran["exit code"] > 0 and re.search("^found something: .*broken", ran["broken"], re.MULTILINE)
