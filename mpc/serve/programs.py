"""The programs that a host admits, each by the SHA-256 of its text. What runs are the bytes that were hashed."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from sys import modules
from typing import Any

from mpc.cluster import check_name
from mpc.cluster.tables import Table, nearest
from mpc.errors import ClusterError, JobRefused, OptionError, ServiceError
from mpc.launch.program import PROGRAM_MODULE, ProgramFile

_LARGEST = 1 << 24  # bytes of a program
_LARGEST_LIST = 1 << 20
_WIDEST = 1000  # bytes of a line: reading TOML takes the square of a dotted key's length
_MOST = 1000
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class AdmittedProgram(ProgramFile):
    """A program whose text has been read, and hashed: the file may change afterwards, this does not."""

    text: bytes = field(default=b"", repr=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text).hexdigest()

    def load(self) -> Callable[..., Any]:
        """Unlike with `mpc run`, modules beside the file are not found: nobody has hashed them."""
        spec = spec_from_loader(PROGRAM_MODULE, _Text(self.path, self.text))
        assert spec is not None and spec.loader is not None
        module = modules[PROGRAM_MODULE] = module_from_spec(spec)
        spec.loader.exec_module(module)
        main = getattr(module, "main", None)
        if not callable(main):
            raise OptionError(f"{self.path} has no function main(party)")
        return main  # type: ignore[no-any-return]


class _Text(SourceLoader):
    """Loads a module from memory, and neither reads nor writes compiled files."""

    def __init__(self, path: str, text: bytes):
        self._path, self._content = path, text

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str) -> bytes:
        return self._content


@dataclass(frozen=True)
class Listed:
    """One entry of the list: a program, and the arguments that THIS party gives it."""

    name: str
    path: Path
    digest: str
    args: tuple[str, ...]

    def read(self) -> AdmittedProgram:
        """JobRefused unless the file's bytes, read once, have the digest that the list says."""
        try:
            with self.path.open("rb") as file:
                text = file.read(_LARGEST + 1)
        except OSError as error:
            raise JobRefused(f"program {self.name!r}: {self.path} cannot be read: {error.strerror}") from None
        program = AdmittedProgram(str(self.path), text)
        if program.digest != self.digest:
            raise JobRefused(
                f"program {self.name!r}: {self.path} is not the file that was listed: its SHA-256 is {program.digest}, and the "
                f"list says {self.digest}. Read what has changed; then list the new digest, or bring the old file back"
            )
        return program


@dataclass(frozen=True)
class Programs:
    """All entries of a list."""

    entries: tuple[Listed, ...]

    @classmethod
    def load(cls, path: Path) -> Programs:
        """Read a list, strictly: ServiceError, which names the place, for what cannot be right."""
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_LIST + 1)
            if len(content) > _LARGEST_LIST:
                raise ServiceError(f"{path} is no list of programs: it has more than {_LARGEST_LIST >> 20} MiB")
            if max(map(len, content.split(b"\n"))) > _WIDEST:
                raise ServiceError(f"the list of programs {path} has a line of more than {_WIDEST} bytes; write it as several")
            return cls(_entries(Table(str(path), tomllib.loads(content.decode())), path.parent))
        except OSError as error:
            raise ServiceError(f"the list of programs {path} cannot be read: {error.strerror}") from None
        except ClusterError as error:
            raise ServiceError(str(error)) from None
        except (ValueError, RecursionError) as error:
            raise ServiceError(f"the list of programs {path} is not valid TOML: {error}") from None

    def named(self, name: str) -> Listed:
        names = {entry.name: entry for entry in self.entries}
        if name not in names:
            raise ServiceError(f"{name!r} is not in this host's list of programs{nearest(name, names)}")
        return names[name]

    def with_digest(self, digest: str) -> Listed | None:
        return next((entry for entry in self.entries if entry.digest == digest), None)


def _entries(top: Table, folder: Path) -> tuple[Listed, ...]:
    top.allow(("program",))
    entries = tuple(_entry(table, folder) for table in top.each("program", 1, _MOST))
    for what, values in (("name", [e.name for e in entries]), ("sha256", [e.digest for e in entries])):
        if twin := next((value for value in values if values.count(value) > 1), None):
            raise top.refusal(f"two programs have the {what} {twin!r}; each has its own")
    return entries


def _entry(table: Table, folder: Path) -> Listed:
    table.allow(("name", "file", "sha256", "args"))
    args = table.values.get("args", [])
    if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise table.refusal("'args' must be a list of texts in quotes: this party's arguments of the program's main")
    return Listed(
        table.parsed("name", check_name, '"risk"'),
        folder / table.parsed("file", _parse_file, '"risk.py"'),
        table.parsed("sha256", _parse_digest, '"...", as sha256sum FILE shows it'),
        tuple(args),
    )


def _parse_file(text: str) -> str:
    if not text.isprintable():
        raise ClusterError("a path has no control characters")
    return text


def _parse_digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ClusterError("a SHA-256 has 64 digits 0-9 and a-f; take it from sha256sum FILE")
    return text
