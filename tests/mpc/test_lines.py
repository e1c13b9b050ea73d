"""Costs by line of the program: counted exactly, seconds sampled, as tables and in the trace."""

import json
import sys
import threading
import types

import numpy as np
import pytest
from click.testing import CliRunner

from mpc.cli import main
from mpc.cli.line_report import show_lines
from mpc.launch.job import Job
from mpc.launch.program import ProgramFile
from mpc.launch.simulate import simulate_job
from mpc.launch.trace import write_trace
from mpc.party import Cost, Line, Profile, Stats
from mpc.party.lines import Place, place_of, run_program
from mpc.party.profile import sampled

COUNTED = ("rounds", "bytes_sent", "bytes_received", "header_bytes", "offline_bytes")


def counts(cost):
    return tuple(getattr(cost, name) for name in COUNTED)


def profiled(program, **options):
    """(result, stats) of each endpoint of a profiled run."""
    return simulate_job(Job(program, trace=True, **options))


def by_text(stats):
    return {line.text: cost for line, cost in stats.lines.items()}


def several_lines(party):
    with party.measure() as first:
        x = party.input(np.linspace(-1, 1, 6) if party.index == 0 else None, owner=0)
    with party.measure() as second:
        y = np.maximum(x * x - x, 0)
    with party.measure() as third:
        best = [row.max() for row in y.reshape(2, 3)]
    with party.measure() as fourth:
        shown = party.reveal(*best)
    assert len(shown) == 2
    return [first, second, third, fourth]


@pytest.mark.parametrize("parties", [2, 3])
def test_each_line_costs_what_a_measure_around_it_says(parties):
    *outcomes, (_, dealer) = profiled(several_lines, parties=parties)
    for measured, stats in outcomes:
        found = {text: counts(cost) for text, cost in by_text(stats).items() if any(counts(cost))}
        assert list(found.values()) == [counts(cost) for cost in measured]
        assert [text.split("=")[0].strip() for text in found] == ["x", "y", "best", "shown"]
        assert {line.function for line in stats.lines} == {"several_lines"}  # also of the comprehension
        waits = sum(cost.peer_seconds + cost.dealer_seconds for cost in stats.lines.values())
        assert waits == pytest.approx(sum(cost.peer_seconds + cost.dealer_seconds for cost in measured))
    assert sum(cost.offline_bytes for cost in outcomes[-1][1].lines.values()) == outcomes[-1][1].total.offline_bytes > 0
    assert dealer.lines == {}


def test_a_program_sees_its_lines_so_far():
    def program(party):
        x = party.input(1.5 if party.index == 0 else None, owner=0)
        (x * x).reveal()
        return [(line.text, cost.rounds) for line, cost in party.stats.lines.items() if cost.rounds]

    (seen, stats), *_ = profiled(program)
    assert seen == [(line.text, cost.rounds) for line, cost in stats.lines.items() if cost.rounds]
    assert [text for text, _ in seen] == ["x = party.input(1.5 if party.index == 0 else None, owner=0)", "(x * x).reveal()"]


def test_nothing_is_kept_by_line_unasked():
    assert [stats.lines for _, stats in simulate_job(Job(several_lines, protocol="plaintext"))] == [{}, {}]


MODEL = """import numpy as np


def forward(x):
    return np.maximum(x * x, 0)
"""
PROGRAM = """import model_by_the_side


def main(party):
    x = party.input([1.0, -2.0], owner=0)
    y = model_by_the_side.forward(x)
    return y.reveal()
"""


def test_the_line_of_a_helper_module_not_of_its_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "model_by_the_side.py").write_text(MODEL)
    (tmp_path / "serve.py").write_text(PROGRAM)
    (_, stats), *_ = profiled(ProgramFile(str(tmp_path / "serve.py")), protocol="plaintext")
    found = {(line.file, line.number, line.function): cost.rounds for line, cost in stats.lines.items() if cost.rounds}
    serve, model = str(tmp_path / "serve.py"), str(tmp_path / "model_by_the_side.py")
    assert set(found) <= {(serve, 5, "main"), (model, 5, "forward"), (serve, 7, "main")}
    assert (serve, 5, "main") in found and (model, 5, "forward") not in found  # plaintext products send nothing
    (_, stats), *_ = profiled(ProgramFile(str(tmp_path / "serve.py")))
    found = {(line.file, line.number, line.function): cost.rounds for line, cost in stats.lines.items() if cost.rounds}
    assert set(found) == {(serve, 5, "main"), (model, 5, "forward"), (serve, 7, "main")}


# ---------------------------------------------------------------------- where a program is


def here():
    return place_of(sys._getframe(1))


def load(path, name="loaded"):
    """The functions of a file with this source, under that path."""
    module = types.ModuleType(name)
    exec(compile("def program(ask):\n    return inner(ask)\n\n\ndef inner(ask):\n    return ask()\n", path, "exec"), vars(module))
    return module


def test_a_program_that_is_all_in_a_library_has_its_outermost_line():
    module = load("/usr/lib/site-packages/theirs.py")
    assert run_program(module.program, here).line == ("/usr/lib/site-packages/theirs.py", 2, "program")
    assert run_program(lambda: module.program(here)).line.file == __file__


def test_what_a_library_generated_is_no_line_and_what_stands_at_a_prompt_is():
    for generated in ("<string>", "<frozen os>"):
        assert run_program(lambda: load(generated).program(here)).line.file == __file__  # noqa: B023 - called at once
    place = run_program(load("<stdin>", "__main__").program, here)
    assert place == Place(Line("<stdin>", 6, "inner"), itself=True) and place.line.text == ""


LOOP = """def main(n):
    for i in range(9):
        if i % 2:
            if n > 5:
                n += 1
"""


def test_a_jump_without_a_line_has_that_of_the_loop():
    names = {}
    exec(compile(LOOP, "/home/loop.py", "exec"), names)
    code = names["main"].__code__
    jump = max(number for number, (line, *_) in enumerate(code.co_positions()) if line is None)
    for at, number in ((jump, 2), (jump + 1, 5), (0, 1)):
        frame = types.SimpleNamespace(f_code=code, f_lineno=None, f_lasti=2 * at, f_back=None, f_globals={})
        assert place_of(frame, running=False).line == ("/home/loop.py", number, "main")


def test_no_program_no_line():
    assert here() is None and place_of(None) is None


# ---------------------------------------------------------------------- seconds


def test_the_line_that_computes_has_the_seconds():
    def program(party):
        x = party.input(1.5 if party.index == 0 else None, owner=0)
        if party.index == 0:
            sum(i * i for i in range(2_000_000))
        return x.reveal()

    (_, stats), *_ = profiled(program, protocol="plaintext")
    seconds = {text: cost.own_seconds for text, cost in by_text(stats).items()}
    heavy = seconds.pop("sum(i * i for i in range(2_000_000))")
    assert heavy > max(seconds.values(), default=0) and heavy > 0
    assert by_text(stats)["sum(i * i for i in range(2_000_000))"].rounds == 0


def test_seconds_are_those_of_samples_and_never_less_than_the_waits():
    profile, line, other = Profile(), Line("a.py", 3, "main"), Line("a.py", 4, "main")

    def program(operation, cost):
        profile.count(operation, cost)

    run_program(program, "open", Cost(rounds=1, bytes_sent=8, seconds=2.0, peer_seconds=2.0))
    (counted,) = profile.lines()
    profile.sample(Place(counted, itself=False), 0.0, 0.5)
    assert profile.lines()[counted].seconds == 2.0 and profile.lines()[counted].own_seconds == 0
    profile.sample(Place(counted, itself=False), 0.5, 4.0)  # mpc computes 4 s for "open", and waits 3 s of them
    profile.sample(Place(line, itself=False), 4.0, 4.5)
    profile.sample(Place(other, itself=True), 4.5, 9.0)  # the program itself
    run_program(program, "deal", Cost(seconds=3.0, dealer_seconds=3.0))
    lines = profile.lines()
    assert (lines[line].own_seconds, lines[other].own_seconds) == (0.5, 4.5)
    assert profile.computing() == {"open": 1.5}
    assert [(span.line, span.begin, span.end) for span in profile.trace.lines] == [
        (counted, 0.0, 4.0),
        (line, 4.0, 4.5),
        (other, 4.5, 9.0),
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_the_thread_that_looks_ends_with_the_program(fails):
    def program():
        with sampled(Profile()):
            assert "mpc-profile" in {thread.name for thread in threading.enumerate()}
            assert not fails, "as it should"

    if fails:
        with pytest.raises(AssertionError, match="as it should"):
            program()
    else:
        program()
    assert "mpc-profile" not in {thread.name for thread in threading.enumerate()}


# ---------------------------------------------------------------------- what is shown


def test_the_table_fits_and_names_what_is_expensive(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")  # no colours
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    path = tmp_path / "net.py"
    path.write_text("".join(f"value[{n}] = [bold] + a_function_with_a_long_name({n})\n" for n in range(1, 40)))
    lines = {Line(str(path), n, "main"): Cost(n, 8 * n, seconds=float(n), peer_seconds=n / 2) for n in range(1, 31)}
    lines[Line("<stdin>", 1, "<lambda>")] = Cost(seconds=100.0)
    total = Cost(rounds=470, seconds=600.0, peer_seconds=240.0)
    show_lines([Stats(total, lines=lines), Stats(total, lines=lines), Stats(total)], "party 0")
    shown = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in shown) and shown[1].startswith("by line of net.py, at party 0;")
    rows = shown[4:]
    assert rows[0].startswith("<stdin>:1 in <lambda>") and rows[1].startswith("30 value[30] = [bold] ")
    assert rows[1].split()[-10:] == ["30", "240", "B", "0", "B", "30.000", "5", "15.000", "15.000", "0.000"]
    assert rows[20].startswith("(11 more lines)") and rows[20].split()[3] == str(sum(range(1, 12)))
    assert rows[21].startswith("(before and after)") and rows[21].split()[3] == str(470 - sum(range(1, 31)))
    sentence = " ".join(" ".join(rows[23:]).split())
    assert sentence.startswith("most expensive: <stdin>:1 `in <lambda>` 100.00 s (17 %), net.py:30 `value[30] = [bold] + ")
    assert sentence.count("`") == 6


def test_the_trace_names_lines_and_no_folders(tmp_path):
    stats = [each for _, each in profiled(several_lines)]
    stats[0].trace.sample(Line("/home/somebody/net.py", 3, "main"), 1.0, 2.0)
    write_trace(tmp_path / "trace.json", stats, ["party 0", "party 1", "the dealer"])
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    named = {event["args"]["line"] for event in events if "line" in event.get("args", ())}
    assert named == {f"test_lines.py:{line.number}" for line, cost in stats[0].lines.items() if any(counts(cost))}
    (span,) = [event for event in events if event["name"] == "net.py:3"]
    assert (span["ph"], span["tid"], span["pid"], span["dur"]) == ("X", 2, 1, 1e6)
    assert "/home/somebody" not in (tmp_path / "trace.json").read_text()


def test_the_command_shows_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_by_the_side.py").write_text(MODEL)
    (tmp_path / "serve.py").write_text(PROGRAM)
    result = CliRunner().invoke(main, ["run", "serve.py", "--profile"])
    assert result.exit_code == 0, result.output
    shown = result.output.splitlines()
    at = next(k for k, line in enumerate(shown) if line.startswith("by line of "))
    texts = ["return np.maximum(x * x, 0)", "x = party.input([1.0, -2.0], owner=0)"]
    rounds = {text: line.split(text)[1].split()[0] for line in shown[at:] for text in texts if text in line and "`" not in line}
    (_, stats), *_ = profiled(ProgramFile(str(tmp_path / "serve.py")))
    assert rounds == {text: str(by_text(stats)[text].rounds) for text in texts}
    assert sum(line.startswith("most expensive: ") for line in shown) == 1
