"""Programs: functions of the party, or files with one."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import OptionError
from mpc.session import Party

PROGRAM_MODULE = "mpc_program"


@dataclass(frozen=True)
class ProgramFile:
    """A program in a file with `def main(party)`; each party loads it for itself."""

    path: str

    def __call__(self, party: Party, *args: Any) -> Any:
        main = self.load()
        try:
            inspect.signature(main).bind(party, *args)
        except TypeError as error:
            text = f"{self.path}: main{inspect.signature(main)} cannot take the party and {len(args)} arguments: {error}"
            raise OptionError(text) from None
        return main(party, *args)

    @property
    def digest(self) -> str:
        return hashlib.sha256(Path(self.path).read_bytes()).hexdigest()

    def load(self) -> Callable[..., Any]:
        path = Path(self.path)
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(PROGRAM_MODULE, path)
        if spec is None or spec.loader is None:
            raise OptionError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[PROGRAM_MODULE] = module
        cloudpickle.register_pickle_by_value(module)
        spec.loader.exec_module(module)
        main = getattr(module, "main", None)
        if not callable(main):
            raise OptionError(f"{path} has no function main(party)")
        return main  # type: ignore[no-any-return]


def no_program(party: Party) -> None:
    """What a dealer runs: it has no business with the program and its arguments."""
    raise AssertionError("the dealer has no program")


def name_of(program: Callable[..., Any]) -> str:
    """What a program is called: its file, or its function."""
    if isinstance(program, ProgramFile):
        return Path(program.path).name
    function = getattr(program, "func", program)  # of a partial
    return getattr(function, "__qualname__", None) or type(function).__qualname__
