"""Loading the kernels: compiled once on a machine, then read from the user's cache folder.

The folder is named after everything that the machine code depends on.  A process that finds it complete loads
it, under a shared lock; the first one compiles while the others wait for its lock.
"""

import fcntl
import hashlib
import importlib
import os
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Kernel = Callable[[Words, Words, Words, Words], None]

_READY = "ready"
_KERNELS = f"{__package__}.kernels."  # their modules
_guard = threading.Lock()


@dataclass(frozen=True)
class Kernels:
    """The compiled functions; ``tiles`` is None without a matrix unit.  Both products need scratch_words."""

    multiply_vectors: Callable[[Words, Words, Words], None]
    vector: Kernel
    tiles: Kernel | None
    scratch_words: int
    bit_planes: Callable[[Words, Words], None]
    thermometers: Callable[[Words, Words], None]
    look_up: Callable[[Words, Words, int, Words, np.uint64, Words, Words, Words], None]
    reflect: Callable[[npt.NDArray[np.uint8], Words, Words, Words], None]
    harmonics: Callable[[Words, int, float, Words], None]
    add_waves: Callable[[Words, int, Words, Floats, Floats, Words], None]


_kernels: Kernels | None = None


def prepare() -> None:
    """Load the kernels now, compiling them if this machine has not yet done so (some twenty seconds)."""
    kernels()


def describe() -> dict[str, object]:
    """What this process multiplies with.

    The kernel ("amx" or "vector"), the 64-bit lanes of its vectors, the folder of the compiled code, and
    whether that is filled.
    """
    from mpc.ring import cpu

    folder = _folder()
    return {
        "kernel": "amx" if cpu.tiles() else "vector",
        "lanes": cpu.lanes(),
        "cache folder": folder,
        "compiled": (folder / _READY).exists(),
        "writable": _writable(folder.parent),
    }


def loaded() -> bool:
    """Whether `kernels` returns at once."""
    return _kernels is not None


def kernels() -> Kernels:
    """The compiled kernels; the first call of a process imports numba."""
    global _kernels
    if _kernels is None:
        with _guard:
            _kernels = _kernels or _load_or_compile()
    return _kernels


def _load_or_compile() -> Kernels:
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("a+")  # to read and to write: NFS wants that, for the two kinds of locks
        fcntl.flock(lock, fcntl.LOCK_SH)  # nobody clears away what is being loaded
    except OSError as error:
        return _load_apart(folder, error)
    with lock:
        loaded = _load_whole(folder)
        if loaded is None:
            fcntl.flock(lock, fcntl.LOCK_UN)  # where locks are not raised by giving them up, two would wait for each other
            fcntl.flock(lock, fcntl.LOCK_EX)
            loaded = _load_whole(folder) or _compile(folder)  # another process may have compiled meanwhile
    return loaded


def _load_whole(folder: Path) -> Kernels | None:
    if (folder / _READY).exists():
        with suppress(Exception):  # a full disk or a power cut may have damaged it: then it is made again
            return _load(folder)
    return None


def _compile(folder: Path, how_often: str = "once (about 20 s)") -> Kernels:
    """Under the lock: anew, in place of what is there."""
    (folder / _READY).unlink(missing_ok=True)  # first: what is there is no longer whole
    for path in folder.iterdir():
        if path.name != "lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(f"mpc: compiling kernels, {how_often}", file=sys.stderr, flush=True)
    loaded = _load(folder)
    (folder / _READY).touch()
    return loaded


def _load_apart(folder: Path, error: OSError) -> Kernels:
    """Where that folder cannot be locked or written: from a copy of what it has, or compiled for this process alone."""
    with tempfile.TemporaryDirectory(prefix="mpc-") as temporary:
        copied = Path(temporary, "kernels")
        with suppress(OSError):
            shutil.copytree(folder, copied, ignore=lambda *_: {"lock"})
        loaded = _load_whole(copied)
        if loaded is None:
            copied.mkdir(exist_ok=True)
            loaded = _compile(copied, f"every time, as the cache folder cannot be used: {error}")
    return loaded


def _load(folder: Path) -> Kernels:
    from mpc.ring import cpu

    for name in [name for name in sys.modules if name.startswith(_KERNELS)]:
        del sys.modules[name]  # left from an attempt that failed: what is imported already would not be cached

    def module(name: str) -> Any:
        return importlib.import_module(_KERNELS + name)

    with _numba_cache(folder):
        thin, vector, tiles = module("thin"), module("vector"), module("tiles") if cpu.tiles() else None
        planes, waves = module("planes"), module("waves")
    return Kernels(
        thin.multiply_vectors,
        vector.add_products,
        tiles and tiles.add_products,
        max(vector.SCRATCH_WORDS, tiles.SCRATCH_WORDS if tiles else 0),
        planes.bit_planes,
        planes.thermometers,
        planes.look_up,
        planes.reflect,
        waves.harmonics,
        waves.add_waves,
    )


@contextmanager
def _numba_cache(folder: Path) -> Iterator[None]:
    """Numba settles where a function is cached when it decorates it."""
    import numba

    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _folder() -> Path:
    """The cache folder of these kernels: a hash of sources, compiler, interpreter and processor.

    Numba also compares the time stamps and the place of the sources, so they are part of the hash.
    """
    from importlib.metadata import version  # heavy, and not every process multiplies

    from mpc.ring import cpu

    key = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        key.update(f"{path} {path.stat().st_mtime_ns}".encode() + path.read_bytes())
    versions = [version(package) for package in ("numba", "llvmlite", "numpy")]
    processor = [cpu.name(), cpu.lanes(), cpu.tiles(), *sorted(cpu.features())]
    key.update(repr([sys.version, versions, processor]).encode())
    return _base() / f"ring-{key.hexdigest()[:16]}"


def _base() -> Path:
    """The user's cache folder; where that cannot be written, a private folder among the temporary ones."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return Path(os.environ["NUMBA_CACHE_DIR"]) / "mpc"
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mpc"
    return usual if _writable(usual) else _private_temporary() or usual


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _private_temporary() -> Path | None:
    """Code is loaded from here, so nobody else may own or write it."""
    folder = Path(tempfile.gettempdir()) / f"mpc-{os.getuid()}"
    if not _writable(folder):
        return None
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if private else None
