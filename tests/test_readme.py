"""The README as a stranger uses it: its program runs, its commands exist, its paths lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TIMEOUT = 120


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=True, **options
    ).stdout


def printed(program, folder):
    (folder / "program.py").write_text(program)
    arguments = [sys.executable, folder / "program.py"]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout.splitlines()


PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_program_runs_as_it_stands(tmp_path):
    shown = printed(PROGRAMS[0], tmp_path)
    y = np.maximum(np.array([[1.0, 2.0], [3.0, 4.0]]) @ np.array([1.0, -0.25]), 0)
    expected = np.where(y > 1, np.sqrt(y), 1 / (y + 1))
    assert len(shown) == 2
    for line in shown:
        values = [float(v) for v in re.findall(r"-?\d+\.\d*", line)]
        np.testing.assert_allclose(values, [*expected, *expected], atol=2**-14)


def test_the_network_learns_as_it_stands(tmp_path):
    (shown,) = printed(PROGRAMS[1], tmp_path)
    accuracies = [float(v) for v in re.findall(r"\d+\.\d+", shown.replace("float64", ""))]
    assert len(accuracies) == 2 and min(accuracies) > 0.85
    assert (tmp_path / "model.shares.0").exists() and (tmp_path / "model.shares.1").exists()


def test_the_demo_reaches_scikit_learn():
    shown = command("mpc", "run", "examples/two_hospitals.py", "-n", "2")
    ours, theirs = (float(re.search(rf"{name}\s+([\d.]+)", shown)[1]) for name in ("test accuracy", "scikit-learn, pooled"))
    assert abs(ours - theirs) <= 0.02
    assert re.search(r"[\d.]+ s in all, \d+ rounds", shown)
    assert all(re.search(rf"{name} +[\d.]+ [kM]?B", shown) for name in ("party 0", "party 1", "dealer"))


def test_the_commands_of_the_table_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\| `make (\w+)` \|", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "no problems found" in command("mpc", "doctor")


def test_paths_and_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    rows = re.findall(r"^\| (`.*?) \|", README.partition("## Where things are")[2], re.MULTILINE)
    paths = [path for row in rows for path in re.findall(r"`([\w./]+)`", row)]
    assert len(paths) > 10
    for path in [*links, *paths]:
        assert (ROOT / path).exists(), path
