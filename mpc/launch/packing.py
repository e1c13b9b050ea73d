"""A job on its way to other processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.errors import OptionError
from mpc.launch.channel import Packed, pack
from mpc.launch.job import Job
from mpc.launch.program import no_program


def pack_job(job: Job) -> tuple[Packed, Packed]:
    """What the parties get and what the dealer gets: it has no business with the program and its arguments."""
    with _by_value(job.program):
        try:
            return pack(job), pack(replace(job, program=no_program, args=()))
        except Exception as error:
            raise OptionError(
                f"the program or one of its arguments cannot be sent to the parties: {type(error).__name__}: {error}. Open "
                "files, locks, connections and the like must be made inside the program."
            ) from error


@contextmanager
def _by_value(program: Callable[..., Any]) -> Iterator[None]:
    """Send the program itself where its module cannot be imported by a fresh interpreter (as of some test runners)."""
    owner = getattr(program, "func", program)
    module = sys.modules.get(getattr(owner, "__module__", None) or type(owner).__module__)
    if module is None or module.__name__ == "__main__" or _importable(module):
        yield
        return
    registered = module.__name__ in cloudpickle.list_registry_pickle_by_value()
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        if not registered:
            cloudpickle.unregister_pickle_by_value(module)


def _importable(module: ModuleType) -> bool:
    """Whether the name of a module, looked up anew, leads to the file that it came from."""
    path, spec, name = None, None, ""
    for part in module.__name__.split("."):
        name = f"{name}.{part}" if name else part
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        spec = next((found for find in finders if find and (found := find(name, path))), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return spec is not None and spec.origin == getattr(module.__spec__, "origin", None)
