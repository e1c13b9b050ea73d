"""Calibrations: what is kept, what is refused, and what a run of one tells."""

import json
import stat
from pathlib import Path

import pytest

from mpc.cost import Figures, calibrating, figures
from mpc.cost.calibrating import Calibration, Facts, Seen, exchanges, figures_of
from mpc.cost.figures import from_text, path_for, to_text
from mpc.errors import CalibrationError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job

SOME = Figures((0.0, 1e-3), (2e-5, 5e-5), (6e-5, 1e-4), (1e-5, 2e-5), 2e-10, 3e-5, 0.5, 0.1, 1e-4, 5e-4)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of this test, and a calibration that is only counted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = []
    monkeypatch.setattr(calibrating, "calibrate", lambda: made.append(1) or Calibration(SOME, 1.5))
    return made


def test_figures_are_measured_once_and_kept(cache):
    assert figures() == Calibration(SOME, 1.5)
    assert figures() == Calibration(SOME, 1.0)
    assert len(cache) == 1
    figures(renew=True)
    assert len(cache) == 2


def test_they_are_kept_for_this_machine_and_these_versions(tmp_path, monkeypatch, cache):
    figures()
    (path,) = (tmp_path / "cache" / "mpc").iterdir()
    assert path == path_for(calibrating.machine()) and path.name.startswith("calibration-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["machine"]["cores"] == calibrating.cores()
    monkeypatch.setattr(calibrating, "cores", lambda: 1000)
    figures()
    assert len(cache) == 2


def test_they_are_read_as_they_were_written():
    assert from_text(to_text(SOME, {"cores": 2}), "here") == SOME


def changed(**values):
    data = json.loads(to_text(SOME, {}))
    data["seconds"] |= values
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1]",
        "[" * 100_000,
        '{"format": 0}',
        '{"format": 2, "seconds": null}',
        changed(more=1.0),
        changed(byte=-1.0),
        changed(byte=float("nan")),
        changed(byte=True),
        changed(byte="1"),
        changed(waking=1e6),
        changed(sending=[1.0]),
        changed(computed=[], sending=[], receiving=[], handling=[]),
        changed(computed=[1.0, 1.0]),
        changed(computed=3),
        to_text(SOME, {"x": "y" * (1 << 17)}),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_calibration_is_refused_with_the_cure(text):
    with pytest.raises(CalibrationError, match=r"^calibration\.json cannot be used: .*mpc cost --calibrate"):
        from_text(text, "calibration.json")


def test_a_damaged_file_says_where_it_is(cache):
    figures()
    path_for(calibrating.machine()).write_bytes(b"\xff")
    with pytest.raises(CalibrationError, match=r"calibration-.*--calibrate"):
        figures()


def test_a_folder_that_cannot_be_written_says_so(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    with pytest.raises(CalibrationError, match="XDG_CACHE_HOME"):
        figures()


def test_a_message_costs_what_lies_between_the_points():
    cost = [SOME.message(SOME.sending, computed) for computed in (0.0, 5e-4, 1e-3, 7.0)]
    assert cost == pytest.approx([2e-5, 3.5e-5, 5e-5, 5e-5])


def test_a_run_starts_as_fast_as_cores_allow():
    assert SOME.start(endpoints=3, cores=2) == pytest.approx(0.1 + 0.5 * 1.5)
    assert SOME.start(endpoints=1, cores=2) == pytest.approx(0.1 + 0.5)


def test_what_parties_saw_becomes_figures():
    """By hand: four levels, which get noisier; a large exchange moves 8 MiB each way."""
    levels = [[Seen(0.01, at, 0.001 * factor, 0.002, 0.0004)] for at, factor in ((0, 1), (0.1, 3), (0.2, 2), (0.3, 4))]
    large = [Seen(1.0, 0.0, 0.0, 0.0, 0.0004 + 2 * 8 * (1 << 20) * 1e-9)]
    found = figures_of([Facts(levels, large, quickest=0.005, process=1.0, slowed=1.0)], process=0.7, starting=0.2)
    assert found.computed == pytest.approx((0, 0.1, 0.2, 0.3))
    assert found.sending == pytest.approx((0.001, 0.003, 0.003, 0.004))  # noise does not make it fall
    assert found.receiving == pytest.approx((0.002,) * 4) and found.handling == pytest.approx((0.0002,) * 4)
    assert found.byte == pytest.approx(1e-9) and found.waking == pytest.approx(0.005 - 0.001 - 0.002 - 0.0002)
    assert (found.process, found.starting) == (0.7, 0.2)


def test_the_program_of_a_calibration_runs(monkeypatch):
    for name, value in {"_BATCHES": 2, "_SMALL": 3, "_LARGE": 1, "_WORDS": 1 << 10}.items():
        monkeypatch.setattr(calibrating, name, value)
    one, two = [facts for facts, _ in simulate_job(Job(exchanges, protocol="plaintext"))]
    assert len(one.small) == 4 and all(len(level) == 1 for level in two.small) and len(one.large) == 1
    found = figures_of([one, two], 0.5, 0.1)
    assert from_text(to_text(found, {}), str(Path("x"))) == found
