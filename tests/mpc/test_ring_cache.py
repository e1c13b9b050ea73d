"""Compiling once, and what importing costs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MESSAGE = "mpc: compiling kernels, once"
MULTIPLY = """
import numpy as np
from mpc import ring
a = np.random.default_rng(0).integers(0, 2**64, (70, 90), dtype=np.uint64)
for b in (a.T, a.T[:, :1], a.T[:, :20]):
    assert (ring.matmul(a, b) == a @ b).all()
print(*list(ring.describe().values())[:2])
"""
COMPILED = """
from mpc.ring import cache
kernels = [kernel for kernel in vars(cache.kernels()).values() if hasattr(kernel, "stats")]
assert len(kernels) > 5
print(any(kernel.stats.cache_misses for kernel in kernels))
"""


def start(code, **environment):
    """A new interpreter that finds the package where this one does."""
    command = [sys.executable, "-P", "-c", code]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def finish(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out, err


def test_import_does_not_load_the_compiler():
    code = (
        "import sys, numpy as np, mpc.ring\n"
        "mpc.ring.matmul(np.ones((9, 9), np.uint64), np.ones((9, 9), np.uint64))\n"
        "assert not {'numba', 'llvmlite'} & set(sys.modules)"
    )
    assert finish(start(code)) == ("", "")


def test_a_damaged_cache_is_made_again_by_one_of_the_processes_that_find_it(tmp_path):
    """Damaged is a copy of the cache that the machine has (the kernels of `test_narrow_vectors`), which serves as it is."""
    narrow = {"MPC_RING_KERNEL": "vector2"}
    usual, _ = finish(start(MULTIPLY + "print(ring.describe()['cache folder'])", **narrow))
    folder = Path(usual.split()[-1])
    shutil.copytree(folder, tmp_path / "mpc" / folder.name)
    environment = narrow | {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert finish(start(MULTIPLY, **environment))[1] == ""
    damaged = [*tmp_path.rglob("planes.*.nbi"), *tmp_path.rglob("planes.*.nbc")]  # others are loaded before them
    for path in damaged:
        os.truncate(path, path.stat().st_size // 2)
    assert damaged
    outcomes = [finish(p) for p in [start(MULTIPLY + COMPILED, **environment) for _ in range(3)]]
    assert sorted(err.count(MESSAGE) for _, err in outcomes) == [0, 0, 1]
    assert sorted(out.splitlines()[-1] for out, _ in outcomes) == ["False", "False", "True"]
    out, err = finish(start(MULTIPLY + COMPILED, **environment))
    assert (out.splitlines()[-1], err) == ("False", "")


def test_a_cache_that_cannot_be_locked_serves_from_a_copy(tmp_path):
    folder = Path(finish(start("from mpc import ring; ring.prepare(); print(ring.describe()['cache folder'])"))[0].strip())
    shutil.copytree(folder, tmp_path / "mpc" / folder.name)
    lock = tmp_path / "mpc" / folder.name / "lock"
    lock.unlink()
    lock.mkdir()  # cannot be opened, by root neither
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    out, err = finish(start(MULTIPLY + COMPILED, NUMBA_CACHE_DIR=str(tmp_path), TMPDIR=str(temporary)))
    assert (out.splitlines()[-1], err, list(temporary.iterdir())) == ("False", "", [])


def test_what_an_attempt_that_was_interrupted_left_is_imported_again():
    """Else it would not be in the cache, which is taken to be whole afterwards."""
    left = "import sys, types\nsys.modules['mpc.ring.kernels.thin'] = types.ModuleType('left')\n"
    assert finish(start(left + MULTIPLY + COMPILED))[0].splitlines()[-1] == "False"


@pytest.mark.parametrize("kernel", ["vector4", "vector2"])
def test_narrow_vectors(kernel):
    """What processors without AVX-512 run; cached like the kernel of this one."""
    out, _ = finish(start(MULTIPLY, MPC_RING_KERNEL=kernel))
    assert out.split() == ["vector", kernel.removeprefix("vector")]


def test_unwritable_cache_folder(tmp_path):
    (tmp_path / "file").touch()
    code = "from mpc import ring; print(list(ring.describe().values())[3])"
    assert finish(start(code, NUMBA_CACHE_DIR=str(tmp_path / "file")))[0] == "False\n"


def test_without_a_cache_folder_a_private_temporary_one_serves(tmp_path):
    (tmp_path / "file").touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = "from mpc import ring; print(ring.describe()['cache folder'], ring.describe()['writable'])"
    environment = {"XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(temporary)}
    shown, _ = finish(start(code, **environment))
    folder, writable = shown.split()
    assert folder.startswith(f"{temporary}/mpc-{os.getuid()}/")
    assert writable == "True"
    (temporary / f"mpc-{os.getuid()}").chmod(0o777)  # somebody else could put code there
    assert not finish(start(code, **environment))[0].startswith(str(temporary))
