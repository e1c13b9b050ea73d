"""`mpc bench` as it is typed."""

import re
import sys

import pytest
from click.testing import CliRunner

from mpc.bench import plots
from mpc.bench.results import Results
from mpc.cli import main
from mpc.errors import PackageError, PartyDied


def bench(*arguments):
    return CliRunner().invoke(main, ["bench", *map(str, arguments)], env={"COLUMNS": "200"}, catch_exceptions=False)


def test_a_workload_is_measured_shown_and_kept(tmp_path):
    file = tmp_path / "a.json"
    options = ["--size", 100, "--repeat", 2, "--turns", 1, "--json", file, "--plot", tmp_path / "plots"]
    ran = bench("mul1m", "--protocol", "plaintext", "--protocol", "additive", *options)
    assert ran.exit_code == 0, ran.output
    assert re.search(r"4/4 x \* y, 100: [\d.]+ s", ran.stderr)
    assert "2 parties, network none, 16 fraction bits" in ran.stdout
    (row,) = (line.split() for line in ran.stdout.splitlines() if line.startswith("x * y, 100") and "additive" in line)
    assert row[8:13] == ["2", "2.40", "kB", "1.80", "kB"]  # rounds, sent, dealt
    plain, additive = Results.load(file).measured
    assert additive.size == 100 and len(additive.seconds) == 2 and len(additive.dealing) == 2
    assert plain.dealing == [] and plain.repetitions[0].bytes_dealt == 0
    assert 0.05 < additive.turns[0].startup < 120 and additive.turns[0].peak > 10**7
    assert (tmp_path / "plots" / "traffic.png").exists() and not (tmp_path / "plots" / "time-by-size.png").exists()


def test_a_step_has_a_row_of_its_own(made):
    from rich.console import Console

    from mpc.bench.tables import results_table

    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(results_table([made("logreg", rounds=700), made("mul1m")]))
    lines = console.export_text().splitlines()
    step = next(line.split() for line in lines if line.startswith("  a step"))
    assert step == ["a", "step", "0.0110", "0.0100", "0.0130", "7", "240", "kB", "180", "kB", "0.005000"]
    assert sum("a step" in line for line in lines) == 1
    figures = ["1.1000", "1.0000", "1.3000", "2", "24.0", "MB", "18.0", "MB", "0.5000", "0.90", "110", "1.5e-05"]
    assert next(line for line in lines if "x * y" in line).split()[4:] == figures


def test_comparisons(made, saved):
    old = saved("old.json", made(seconds=((1.0, 1.1, 1.2),) * 3), made("exp"))
    new = saved("new.json", made(seconds=((4.0, 4.1), (4.2, 4.1)) * 2, rounds=1), made("log"), machine={"cpu": "B"})
    ran = bench("compare", old, new)
    assert ran.exit_code == 0
    assert re.search(r"x \* y, 10\^6 +1.1000 +4.1000 +3.73 +3\.\d+ to 4\.\d+ +slower +rounds 2 to 1", ran.stdout)
    assert "the machines differ, so ratios may tell of them alone: cpu: A | B" in ran.stdout
    assert "only in old: exp, 10^5, protocol additive, 2 parties" in ran.stdout and "only in new: log, 10^5" in ran.stdout


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["mul2m"], "no workload 'mul2m'"),
        (["--all", "mul1m"], "--all"),
        (["mul1m", "--network", "moon"], "moon"),
        (["logreg", "--size", "10"], "the shapes of logreg are fixed"),
        (["mul1m", "--json", "missing/a.json"], "its folder is missing"),
        (["compare", "none.json", "none.json"], "none.json cannot be read"),
        (["plot", "none.json", "."], "none.json cannot be read"),
    ],
)
def test_errors_are_told_in_a_line(arguments, text):
    ran = bench(*arguments)
    assert ran.exit_code == 1 and ran.stderr.startswith("mpc: ") and text in ran.stderr and ran.stdout == ""


def test_workloads_are_listed():
    shown = bench("list").stdout
    assert re.search(r"mul1m +x \* y, 10\^6 +1000000 +elements", shown)
    assert "Commands:" in bench("--help").stdout and "--network" in bench("run", "--help").stdout


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), PartyDied("party 1 died")], ids=["interrupted", "failed"])
def test_what_was_measured_is_shown_also_if_the_rest_fails(failure, made, monkeypatch, tmp_path):
    def fails(wanted, *_):
        wanted[0].turns.extend(made().turns)
        raise failure

    monkeypatch.setattr("mpc.bench.session.measure", fails)
    ran = bench("mul1m", "exp", "--json", tmp_path / "a.json")
    assert f"mpc: {str(failure) or 'interrupted'}\nThis is what was measured" in ran.stderr
    assert ran.exit_code == 1 and "x * y" in ran.stdout and "exp" not in ran.stdout
    assert len(Results.load(tmp_path / "a.json").measured) == 1


def test_an_interruption_before_anything_was_measured_is_told_in_a_line(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mpc.bench.session.measure", interrupted)
    ran = bench("mul1m")
    assert ran.exit_code == 130 and ran.stderr == "mpc: interrupted\n" and ran.stdout == ""


@pytest.mark.parametrize("columns, tables", [(80, 2), (300, 1)])
def test_no_figure_is_cut_off_on_a_narrow_terminal(made, monkeypatch, columns, tables):
    monkeypatch.setattr("mpc.bench.session.measure", lambda wanted, *_: wanted[0].turns.extend(made().turns))
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(columns)}
    shown = CliRunner().invoke(main, ["bench", "mul1m"], env=terminal).stdout
    assert shown.count("protocol additive") == tables and "…" not in shown
    assert all(text in shown for text in ("1.1000", "24.0 MB", "18.0 MB", "0.90", "1.5e-05"))


# ------------------------------------------------------------------ pictures


def drawn(measured, folder):
    return sorted(path.name for path in plots.draw(measured, folder))


def test_only_pictures_for_which_there_is_material(made, tmp_path):
    assert drawn([], tmp_path) == []
    assert drawn([made()], tmp_path) == ["traffic.png", "traffic.svg"]
    sizes = [made(size=10), made()]
    assert drawn(sizes, tmp_path) == ["time-by-size.png", "time-by-size.svg", "traffic.png", "traffic.svg"]
    networks = [made(), made(network="wan"), made("logreg"), made("logreg", network="20ms")]
    names = drawn(networks, tmp_path)
    assert names[0] == "time-by-latency.png" and len(names) == 4


def test_pictures_say_what_they_show(made, tmp_path):
    rows = [made(workload, size=size, network=network) for workload in ("mul1m", "exp") for size in (10, 10**4)
            for network in ("none", "wan")]  # fmt: skip
    plots.draw(rows, tmp_path)
    by_size = (tmp_path / "time-by-size.svg").read_text()
    for text in ("x * y, network wan", "exp, network none", "size: elements", "seconds: median", "protocol additive", "10^4"):
        assert text in by_size, text
    by_latency = (tmp_path / "time-by-latency.svg").read_text()
    assert "x * y, 10^4" in by_latency and "milliseconds" in by_latency and "network" not in by_latency
    traffic = (tmp_path / "traffic.svg").read_text()
    assert "sent by the dealer" in traffic and "24.0 MB" in traffic
    assert traffic.count("x * y, 10^4") == 1  # one bar for both networks


def test_networks_of_the_same_latency_are_on_lines_of_their_own(made, tmp_path):
    networks = [f"{latency}ms,{bandwidth}mbit" for latency in (5, 20) for bandwidth in (10, 100)]
    plots.draw([made(network=network) for network in (*networks, "lan,dealer=none", "wan,dealer=none")], tmp_path)
    picture = (tmp_path / "time-by-latency.svg").read_text()
    assert all(text in picture for text in ("10^6, 10 Mbit/s", "10^6, 100 Mbit/s", "10^6, dealer loopback"))


def test_a_narrow_range_has_several_ticks(made, tmp_path):
    plots.draw([made(size=10), made()], tmp_path)
    assert all(f">{tick}<" in (tmp_path / "time-by-size.svg").read_text() for tick in ("1.1", "1.2"))


def test_texts_of_a_file_are_no_formulas(made, tmp_path):
    measured = made()
    measured.title = "$\\nothing$"
    plots.draw([measured], tmp_path)
    assert "nothing" in (tmp_path / "traffic.svg").read_text()


def test_without_matplotlib(made, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PackageError, match=r'pip install "mpc\[plot\]"'):
        plots.draw([made()], tmp_path)
    ran = bench("mul1m", "--plot", tmp_path)  # at once, and not after the measuring
    assert ran.exit_code == 1 and 'pip install "mpc[plot]"' in ran.stderr and "1/4" not in ran.stderr
