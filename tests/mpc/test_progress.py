"""Bars: what they count and show, on a terminal and elsewhere, and that they leave both in order."""

import importlib
import io
import os
import re
import signal
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import mpc
from mpc.party import Cost
from mpc.progress import Bar, Board, Track, display, erase

launcher = importlib.import_module("mpc.launch.run")  # mpc.launch.run is the function


def run(program, **options):
    return mpc.simulate(program, protocol="plaintext", **options)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    """A first compilation says so on standard error: not amid these tests."""
    mpc.ring.prepare()


class Terminal(io.StringIO):
    """A screen that knows what the display uses: new lines, erasing below, and moving up."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def lines(self):
        lines, row, column = [""], 0, 0
        for token in re.findall(r"\x1b\[\d*[A-Za-z]|[\n\r]|[^\x1b\n\r]+", self.getvalue()):
            if token == "\n":
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            elif token == "\r":
                column = 0
            elif token == "\x1b[J":
                lines = [*lines[:row], lines[row][:column]]
            elif token.endswith("A"):
                row = row - int(token[2:-1])
                assert row >= 0
            elif token.startswith("\x1b["):
                assert token.endswith("m"), f"{token!r} is no colour"
            else:
                lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + len(token) :]
                column += len(token)
        return [line.rstrip() for line in lines if line.strip()]


@pytest.fixture
def terminal(monkeypatch):
    """terminal() makes standard output and error one terminal, on which bars are drawn very often."""

    def make():
        screen = Terminal()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(display, "_DRAWN_EVERY", 0.002)
        return screen

    return make


def drawn(screen):
    """Wait until the bars have been drawn anew, twice: the last one began after this call."""
    before, deadline = screen.getvalue().count("A"), time.monotonic() + 60
    while screen.getvalue().count("A") < before + 2:
        assert time.monotonic() < deadline, "nothing is drawn"
        time.sleep(0.001)


# ---------------------------------------------------------------------- without a terminal


def test_one_line_at_the_end(capsys):
    def program(party):
        steps = party.track([3, 4, 5], "training")
        for k in steps:
            loss = party.input(float(k) if party.index == 0 else None, 0).reveal(to=0)
            steps.show(loss=loss, count=np.int64(k))

    run(program)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"training 3/3: loss 5, count 5, 6 rounds, 24 B sent, 0:00\n", shown.err)


def test_a_line_when_the_pause_is_over(capsys, monkeypatch):
    monkeypatch.setattr(display, "_LINES_EVERY", 0.0)
    run(lambda party: (party.progress(2, "outer"), list(party.track("ab", "inner")))[1])
    lines = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["outer 0/2, inner 1/2", "outer 0/2, inner 2/2", "outer 0/2"]


def test_ten_seconds_between_lines(capsys, monkeypatch):
    seconds = iter(range(0, 100, 4))
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    rows = display.Row("training", 0, None, {}, ())
    lines = display.Lines(lambda: [rows])
    written = []
    for _ in range(8):
        lines.changed()
        written.append(bool(capsys.readouterr().err))
    assert written == [False, False, True, False, False, True, False, False]


def test_nested_bars_end_with_the_outermost(capsys):
    def program(party):
        for epoch in party.track(range(3), "training"):
            with party.progress(4, f"epoch {epoch}") as bar:
                for batch in range(4):
                    bar.update(loss=0.5)

    run(program)
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["training 3/3"]


def test_the_inner_value_of_a_name_is_shown(capsys):
    def program(party):
        party.progress(2, "outer").show(loss=0.25, rate=0.1)
        party.progress(2, "inner").show(loss=0.123456)

    run(program)
    assert "loss 0.1235, rate 0.1, 0 rounds" in capsys.readouterr().err


def test_items_without_a_length_and_a_loop_that_is_left(capsys):
    def program(party):
        for k in party.track((k for k in range(10)), "left"):
            if k == 4:
                break
        return list(party.track(iter("abc"), "all"))

    assert run(program) == [["a", "b", "c"]] * 2
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["left 4", "all 3"]


def test_an_error_ends_the_bars(capsys):
    def program(party):
        for k in party.track(range(3), "training"):
            if k == 2:
                raise KeyError("shown")

    with pytest.raises(KeyError, match="shown"):
        run(program)
    assert capsys.readouterr().err.startswith("training 2/3: ")


# ---------------------------------------------------------------------- values


@pytest.mark.parametrize("party", [0, 1])
def test_secrets_are_refused_at_every_party(party):
    def program(each):
        bar = each.progress(3)
        x = each.input(2.0 if each.index == 0 else None, 0)
        if each.index == party:
            bar.update(loss=x)

    with pytest.raises(TypeError, match=f"party {party}, operation 'progress': loss is secret; show what its reveal") as error:
        run(program)
    assert isinstance(error.value, mpc.Error)


@pytest.mark.parametrize("value", ["0.5", [0.5], np.ones(2), 1j, object()])
def test_values_that_are_no_number(value):
    with pytest.raises(TypeError, match="operation 'progress': loss must be one public number"):
        run(lambda party: party.progress(3).show(loss=value))


@pytest.mark.parametrize(
    ("value", "text"), [(np.float32(0.1), "0.1"), (np.array([2.5]), "2.5"), (np.array(7), "7"), (123456, "123456"), (True, "1")]
)
def test_values_that_are_numbers(value, text, capsys):
    run(lambda party: party.progress(3).show(x=value, nothing=None))
    assert f": x {text}, 0 rounds" in capsys.readouterr().err


@pytest.mark.parametrize("total", [-1, 2.5, "many", True])
def test_totals_that_are_none(total):
    with pytest.raises(TypeError, match="operation 'progress': total must be a number of steps"):
        run(lambda party: party.progress(total))


def test_time_left_counts_what_inner_bars_have_done():
    class Endpoint:
        index = 1  # shows nothing

        class meter:
            seconds = 0.0

            @classmethod
            def total(cls):
                return Cost(seconds=cls.seconds)

    board = Board(Endpoint)
    outer, inner = Track(board, "outer", range(4)), Bar(board, "inner", 40)
    items = iter(outer)
    next(items), next(items)
    inner.open()
    inner.update(20)
    Endpoint.meter.seconds = 30.0
    assert [row.costs[-1] for row in board.rows()] == ["0:50 left", "0:30 left"]  # 3/8 and 1/2 are done
    assert [row.costs[-1] for row in board.rows(running=False)] == ["0:30", "0:30"]


# ---------------------------------------------------------------------- on a terminal


def test_what_anybody_prints_stays_above_the_bars(terminal):
    screen = terminal()
    seen = []

    def program(party):
        for epoch in party.track(range(2), "training"):
            for batch in party.track(range(3), f"epoch {epoch}"):
                party.input(batch, 0)
                if party.index == 0 and batch == 1:
                    drawn(screen)
                    print(f"first line of {epoch}\nsecond\nthird")
                    drawn(screen)
                    seen.append(screen.lines())

    run(program)
    prints = [line for epoch in (0, 1) for line in (f"first line of {epoch}", "second", "third")]
    assert [line.split()[0] for line in seen[0]] == ["first", "second", "third", "training", "epoch"]
    assert seen[1][:6] == prints and len(seen[1]) == 8
    assert "0/2" in seen[0][3] and "1/3" in seen[0][4] and "left" in seen[0][4]
    last = screen.lines()
    assert last[:6] == prints and len(last) == 7 and re.search(r"^training .* 2/2 +12 rounds", last[6])
    assert sys.stdout is sys.stderr is screen
    assert "\x1b[?25l" not in screen.getvalue()


def test_other_processes_print_there_too(terminal):
    """They know nothing of the bars: their text comes where the cursor is."""

    screen = terminal()

    def program(party):
        for k in party.track(range(2), "training"):
            if party.index == 0:
                drawn(screen)
                screen.write(f"by another {k}\n")
                drawn(screen)

    run(program)
    assert screen.lines()[:2] == ["by another 0", "by another 1"] and len(screen.lines()) == 3


def test_bars_of_a_party_that_was_killed_are_erased(terminal):
    screen = terminal()
    shown = display.Live(lambda: [display.Row("training", 1, 2, {}, ("1 rounds", "8 B sent", "0:01"))])
    drawn(screen)
    shown._over.set()  # all that is left of it is on the screen
    shown._thread.join()
    sys.stdout = sys.stderr = screen  # those of the launcher
    assert len(screen.lines()) == 1
    erase()
    assert screen.lines() == []


def test_a_run_that_fails_erases_them(monkeypatch):
    erased = []
    monkeypatch.setattr(launcher, "erase", lambda: erased.append(True))
    with pytest.raises(mpc.errors.PartyDied):
        mpc.run(lambda party: os.kill(os.getpid(), signal.SIGKILL), protocol="plaintext")
    assert erased == [True]


def test_an_error_leaves_the_terminal_in_order(terminal):
    screen = terminal()

    def program(party):
        for k in party.track(range(3), "training"):
            if party.index == 0:
                drawn(screen)
            party.input(1.0, 0)
            if k == 1:
                raise KeyError("shown")

    with pytest.raises(KeyError):
        run(program)
    assert len(screen.lines()) == 1 and re.search("^training .* 1/3", screen.lines()[0])
    assert sys.stdout is sys.stderr is screen


@pytest.mark.parametrize("columns", [30, 50, 80, 200])
def test_each_bar_is_one_line(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    costs = ("12345 rounds", "12.3 MB sent", "1:00:00 left")
    rows = [display.Row("a long description of it", 999, 1000, {"loss": "0.1234", "accuracy": "0.9876"}, costs)] * 2
    text = re.sub(r"\x1b\[[\d;]*m", "", display._text(rows))
    assert len(text.splitlines()) == 2 and all(len(line) <= columns for line in text.splitlines())
    if columns == 200:
        assert "a long description of it" in text and "loss 0.1234 accuracy 0.9876 12345 rounds" in text


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (45678, "45.7 kB"), (999e3, "999 kB"), (2.5e12, "2.50 TB")],
)
def test_sizes_as_text(nbytes, text):
    assert display.size_text(int(nbytes)) == text
