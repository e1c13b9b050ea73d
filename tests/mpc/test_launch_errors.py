"""Runs that never begin: options, programs that cannot be sent or loaded, interpreters that do not start."""

import sys
import threading

import pytest

import mpc
from mpc.errors import OptionError, PartyDied, ProtocolError

LONG = 60.0  # seconds to start, on a busy machine


def both(function):
    return pytest.mark.parametrize("run", [mpc.run, mpc.simulate], ids=["run", "simulate"])(function)


def test_a_program_that_cannot_be_sent():
    lock = threading.Lock()
    with pytest.raises(OptionError, match="cannot be sent to the parties: TypeError"):
        mpc.run(lambda party: lock)


def test_a_program_that_cannot_be_loaded(tmp_path, monkeypatch):
    (tmp_path / "vanishing_module.py").write_text("def helper(): pass")
    monkeypatch.syspath_prepend(tmp_path)
    from vanishing_module import helper

    (tmp_path / "vanishing_module.py").unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(OptionError, match=r"party \d cannot load the program or its arguments: ModuleNotFoundError"):
        mpc.run(lambda party, h: h(), helper, protocol="plaintext")


def test_an_interpreter_that_cannot_import_mpc(tmp_path, monkeypatch):
    (tmp_path / "zmq.py").write_text("raise ImportError('a module of the same name')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(PartyDied, match=r"did not start: .* cannot import mpc: ImportError: a module of the same name") as caught:
        mpc.run(lambda party: None)
    assert str(caught.value.__cause__).count("Traceback") == 1


def test_an_interpreter_that_ends_at_once(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PartyDied, match=r"party \d|the dealer"):
        mpc.run(lambda party: None)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def main(party:\n", "SyntaxError"),
        ("x = 1\n", "has no function main(party)"),
        ("def main(party):\n    raise ValueError('of its own')\n", "ValueError: of its own"),
    ],
)
def test_a_broken_program_file(script, code, message):
    code, out, err = script(code, "run", "--protocol", "plaintext").ends_within(LONG)
    assert code == 1 and out == ""
    assert message in err and err.count("Traceback") <= 1, err


@both
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"parties": 1}, OptionError, "2 to 5 parties"),
        ({"parties": 6}, OptionError, "2 to 5 parties"),
        ({"parties": "2"}, OptionError, "parties='2'"),
        ({"parties": 2.0}, OptionError, "parties=2.0"),
        ({"parties": True}, OptionError, "parties=True"),
        ({"timeout": 0}, OptionError, "above 0"),
        ({"timeout": -1}, OptionError, "above 0"),
        ({"timeout": None}, OptionError, "timeout=None"),
        ({"timeout": float("nan")}, OptionError, "timeout=nan"),
        ({"timeout": float("inf")}, OptionError, "timeout=inf"),
        ({"fraction_bits": 0}, OptionError, "fraction_bits=0"),
        ({"fraction_bits": 8.5}, OptionError, "fraction_bits=8.5"),
        ({"protocol": "unknown"}, OptionError, "installed protocols: .*additive"),
        ({"protocol": 3}, OptionError, "protocol=3"),
        ({"seed": "1"}, OptionError, "seed='1'"),
        ({"seed": 1.0}, OptionError, "seed=1.0"),
        ({"seed": -1}, OptionError, "seed=-1"),
        ({"seed": 2**200}, OptionError, "seed="),
        ({"network": "no such network"}, OptionError, "network='no such network'"),
        ({"protocol": mpc.launch.find.Protocol}, ProtocolError, "lacks operations"),
    ],
)
def test_options_are_checked(run, options, error, message):
    with pytest.raises(error, match=message):
        run(lambda party: None, **options)


@both
def test_the_program_must_be_callable(run):
    with pytest.raises(OptionError, match="must be a function of the party, not int"):
        run(3)
