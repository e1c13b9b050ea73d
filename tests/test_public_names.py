"""The public surface is a list that somebody decided on."""

import subprocess
import sys

import mpc


def test_names():
    names = ["Error", "Party", "Tensor", "errors", "functions", "learn", "nn", "onnx", "ring", "run", "simulate"]
    assert sorted(mpc.__all__) == names
    assert all(hasattr(mpc, name) for name in mpc.__all__)


def test_every_error_is_an_mpc_error():
    errors = [e for e in vars(mpc.errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert errors
    assert all(issubclass(e, mpc.Error) for e in errors)


def test_import_is_light():
    """Neither the compiler nor a protocol, nor what only tests or the command line need, is loaded by `import mpc`."""
    heavy = ("numba", "protocols", "hypothesis", "scipy", "rich", "click", "onnx", "torch", "mpc.nn", "mpc.learn")
    code = f"import sys, mpc; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
