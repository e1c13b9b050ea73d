"""The table of ours beside peers: turns, ratios, targets, and what it says where a peer has no figures."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import beside_peers
from benchmarks.beside_peers import chosen, compare, main, rows, write
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.comparison import Figures, Row
from benchmarks.peers.errors import PeerError, TooSlow
from benchmarks.peers.peer import Measured
from benchmarks.peers.table import failures, table
from benchmarks.results_table import draw, markdown
from mpc.bench.catalogue import ALL
from mpc.bench.measure import Repetition, Turn


def figures(name, *turns, rounds=2, sent=44_000_000, failure=""):
    return Figures(name, name, [list(turn) for turn in turns], rounds, sent, 0, 0.0, failure)


def row(ours, *peers, target=4, size=None):
    return Row("mul1m", "x * y", size, target, ours, list(peers))


def shown(*rows):
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(rows))
    return capture.get()


OURS = figures("ours", [1, 1, 2], [2, 2, 4])
SLOWER = figures("spu", [4, 5, 6], [6, 6, 6])


def test_ratios_are_of_medians_with_the_spread_of_the_turns():
    assert row(OURS).ratio(SLOWER) == (6 / 2, 6 / 2, 5 / 1)
    assert row(OURS).ratio(figures("spu", [4, 5, 6], failure="over 3 s")) == (5 / 2, 5, 5)
    assert row(OURS).ratio(figures("spu", failure="over 3 s")) is None


@pytest.mark.parametrize(("target", "missed"), [(3, False), (3.1, True), (None, False)])
def test_a_target_is_of_spu_in_the_own_size(target, missed):
    assert row(OURS, target=target).missed(SLOWER) is missed
    assert not row(OURS, target=target, size=10).missed(SLOWER)
    assert not row(OURS, target=target).missed(figures("crypten", [1]))
    assert ("missed" in shown(row(OURS, SLOWER, target=target))) is missed


def test_the_wide_area_formula():
    assert OURS.wide == pytest.approx(2 * 0.04 + 44e6 * 8 / 352e6)
    assert row(OURS).wide_ratio(figures("mpyc", [1], rounds=None)) is None
    assert row(OURS).wide_ratio(figures("spu", [1], rounds=4, sent=88_000_000)) == pytest.approx(2)


def test_a_line_for_each_system():
    lines = shown(row(OURS, SLOWER, figures("mpyc", [9], rounds=None), figures("crypten", failure="over 3 s"))).splitlines()
    ours, spu, mpyc, crypten = (line.split() for line in lines[2:])
    assert ours[3:] == ["ours", "2.0000", "1.0000", "4.0000", "2", "44.00", "0.0e+00", "1.0800"]
    assert spu == [
        "spu",
        "6.0000",
        "4.0000",
        "6.0000",
        "3.0",
        "3.0..5.0",
        "4",
        "missed",
        "2",
        "44.00",
        "0.0e+00",
        "1.0800",
        "1.0",
    ]
    assert mpyc == ["mpyc", "9.0000", "9.0000", "9.0000", "4.5", "9.0..9.0", "44.00", "0.0e+00"]
    assert crypten[:4] == ["crypten", "over", "3", "s"]


class Session:
    """A peer that is there in name; `fails`: in which of its turns."""

    def __init__(self, name, order, fails=None):
        self.peer, self.title, self._order, self._fails, self._turns = PEERS[name], name, order, fails, 0

    def measure(self, workload, arrays, repeats):
        self._turns += 1
        self._order.append(self.title)
        if self._turns == self._fails:
            raise TooSlow("over 3 s")
        return Measured([2.0] * repeats, 5, 10, ALL[workload].reference(*arrays) + 0.25)


def ours(order):
    def turn(configuration, repeats):
        order.append(f"ours {configuration.size}")
        return Turn([Repetition(1.0, 0, 0, 4, 20, 30)] * repeats, [1.0], [], 0, 0, 0.125)

    return turn


def test_ours_and_peers_take_turns_and_one_that_fails_takes_no_more():
    order = []
    found = compare("rowmax", 10, [Session("spu", order), Session("crypten", order, fails=2)], 3, ours(order))
    assert order == ["ours 10", "spu", "crypten", "ours 10", "spu", "crypten", "ours 10", "spu"]
    spu, crypten = found.peers
    assert found.title == "max of rows, 10 x 10" and len(spu.turns) == len(found.ours.turns) == 3 and len(crypten.turns) == 1
    assert found.ratio(spu) == (2, 2, 2) and (spu.rounds, spu.bytes_sent, spu.error) == (5, 10, 0.25)
    assert (found.ours.rounds, found.ours.bytes_sent, found.ours.bytes_dealt, found.ours.error) == (4, 20, 30, 0.125)
    assert failures([found]) == ["max of rows, 10 x 10: crypten: over 3 s"]
    assert json.loads(json.dumps(found.summary()))["peers"]["spu"]["ratio"]["medians"] == 2


def test_a_peer_of_small_sizes_has_a_row_of_its_own(monkeypatch):
    order = []
    monkeypatch.setattr(
        beside_peers, "compare", lambda name, size, sessions, turns: (name, size, [each.title for each in sessions])
    )
    sessions = [Session("spu", order), Session("mpyc", order)]
    assert list(rows(["mul1m", "exp"], sessions)) == [
        ("mul1m", None, ["spu"]), ("mul1m", PEERS["mpyc"].sizes["mul1m"], ["mpyc"]), ("exp", None, ["spu"]),
    ]  # fmt: skip
    assert list(rows(["exp"], [])) == [("exp", None, [])]


def test_peers_are_chosen_by_name_and_missing_ones_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert chosen(None) == [] and chosen("") == []
    with pytest.raises(PeerError, match="there is no peer 'scale'; there are spu, aby3, crypten, mpyc"):
        chosen("scale")
    result = CliRunner().invoke(main, ["rowmax", "--peers", "mpyc"])
    assert result.exit_code == 1 and "MPyC is not installed: `python -m benchmarks.peers install mpyc` makes" in result.output


def test_a_file_that_cannot_be_written_is_refused_before_the_measuring(monkeypatch, tmp_path):
    monkeypatch.setattr(beside_peers, "report", lambda *_: pytest.fail("measured"))
    result = CliRunner().invoke(main, ["rowmax", "--peers", "", "--json", str(tmp_path / "missing" / "out.json")])
    assert result.exit_code == 2 and "out.json cannot be written" in result.output


def test_the_table_of_a_page_has_only_own_sizes():
    found = [row(OURS, SLOWER, figures("crypten", failure="over 3 s")).summary(), row(OURS, SLOWER, size=10).summary()]
    head, _, *lines = markdown(json.loads(json.dumps(found))).splitlines()
    assert "| x SPU SEMI2K | x SPU ABY3 | x CrypTen | aim |" in head
    assert lines == ["| x * y | 2 | 3.0 (3.0-5.0) | - | - | 4 | 2 | 44 | 1.00 |"]


def test_the_picture_has_what_there_is(tmp_path):
    found = [row(OURS, SLOWER).summary(), row(OURS, target=None).summary()]
    draw(json.loads(json.dumps(found)), tmp_path / "beside.png")
    assert (tmp_path / "beside.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_written_says_where_and_with_what(tmp_path):
    write(tmp_path / "out.json", [row(OURS, SLOWER).summary()])
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["peers"]["spu"] == "spu-0.9.5" and found["machine"]["cores"] and "benchmarks.beside_peers" in found["command"]
    assert found["rows"][0]["peers"]["spu"]["turns"] == SLOWER.turns
    assert np.isclose(found["rows"][0]["ours"]["wide"], 1.08)
