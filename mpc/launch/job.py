"""What is to run: a program, its arguments and its options, checked before anything starts."""

from __future__ import annotations

import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.contract import Protocol
from mpc.errors import OptionError, RunFailed, UsageError, party_name
from mpc.fixed import MAX_FRACTION_BITS
from mpc.launch.channel import Packed, pack
from mpc.launch.failures import Standing
from mpc.launch.find import find_protocol
from mpc.party import DEFAULT_TIMEOUT, NETWORKS, Endpoint, Keys, Stats, Trace
from mpc.randomness import Stream, StreamFactory
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.transport import Transport

PROGRAM_MODULE = "mpc_program"
_LONGEST = 1e6  # seconds; more than any wait, and less than what sockets take


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


@dataclass(frozen=True)
class Job:
    """A program and its options, the same at every party. With `trace`, its costs tell when each message and scope was."""

    program: Callable[..., Any]
    args: tuple[Any, ...] = ()
    parties: int = 2
    protocol: str | type[Protocol] = "additive"
    fraction_bits: int = 16
    network: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    seed: int | None = None
    trace: bool = False
    protocol_class: type[Protocol] = field(init=False)

    def __post_init__(self) -> None:
        if not callable(self.program):
            raise OptionError(f"the program must be a function of the party, not {type(self.program).__name__}")
        protocol = find_protocol(self.protocol)
        object.__setattr__(self, "protocol_class", protocol)
        low, high = protocol.min_parties, protocol.max_parties
        self._whole("parties", low, high, f"protocol '{protocol.name}' runs with {low} to {high} parties")
        self._whole("fraction_bits", 1, MAX_FRACTION_BITS, f"must be an integer from 1 to {MAX_FRACTION_BITS}")
        if self.seed is not None:
            text = "must be an integer from 0 to 2^128, or None for randomness from the operating system"
            self._whole("seed", 0, 1 << 128, text)
        real = isinstance(self.timeout, Real) and not isinstance(self.timeout, bool)
        if not real or not math.isfinite(self.timeout) or not 0 < self.timeout <= _LONGEST:
            raise OptionError(f"timeout={self.timeout!r}: must be a number of seconds above 0, and at most {_LONGEST:.0f}")
        object.__setattr__(self, "timeout", float(self.timeout))
        if self.network not in (None, *NETWORKS):
            raise OptionError(f"network={self.network!r}: must be one of {', '.join(map(repr, NETWORKS))}, or left out ('lan')")

    def _whole(self, name: str, low: int, high: int, text: str) -> None:
        """Check that an option is an integer (NumPy's count) from `low` to `high`."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
            raise OptionError(f"{name}={value!r}: {text}")
        object.__setattr__(self, name, int(value))

    @property
    def endpoints(self) -> int:
        """How many endpoints take part: the parties, and the dealer if the protocol has one."""
        return self.parties + (self.protocol_class.dealer() is not None)

    def keys(self) -> list[Keys]:
        return Keys.generate(self.parties, self.seed)


def play(job: Job, transport: Transport, keys: Keys, stream: StreamFactory = Stream) -> tuple[Any, Stats]:
    """Be one endpoint of a job, to the end: a party runs the program, the dealer serves. Returns (result, costs).

    An error is told to the peers by its type alone: its message may hold this party's data.
    """
    endpoint = Endpoint(transport, job.parties, keys, job.timeout, stream, job.network or NETWORKS[0])
    endpoint.meter.trace = Trace() if job.trace else None
    name = party_name(endpoint.index, job.parties)
    try:
        result = _serve(job, endpoint) if endpoint.index == job.parties else _run(job, endpoint)
        _refuse_secrets(result, name)
    except BaseException as error:
        if Standing.of(error) is not Standing.PEER:  # else the peers know already, and of the one that failed first
            transport.abort(f"{name} failed with {type(error).__name__}; its own error has the details")
        if isinstance(error, Exception):
            raise
        raise RunFailed(f"{name}'s program raised {type(error).__name__}({error}); let it return instead") from error
    transport.finish()
    return result, endpoint.meter.snapshot()


def _run(job: Job, endpoint: Endpoint) -> Any:
    protocol = job.protocol_class(endpoint)
    party = Party(protocol, job.fraction_bits)
    try:
        result = job.program(party, *job.args)
    finally:
        party.close_progress()
    protocol.finish()
    return result


def _serve(job: Job, endpoint: Endpoint) -> Any:
    dealer = job.protocol_class.dealer()
    assert dealer is not None
    return dealer(endpoint)  # None: the result of this endpoint


def _refuse_secrets(result: Any, name: str) -> None:
    """A secret tensor cannot leave the run: also not in a container."""
    if isinstance(result, Tensor):
        raise UsageError(f"{name}, the program's result: a secret tensor stays at its party; return tensor.reveal() instead")
    if isinstance(result, dict | list | tuple):
        for item in result.values() if isinstance(result, dict) else result:
            _refuse_secrets(item, name)


# ------------------------------------------------------------------ a job on its way to other processes


def pack_job(job: Job) -> tuple[Packed, Packed]:
    """What the parties get and what the dealer gets: it has no business with the program and its arguments."""
    with _by_value(job.program):
        try:
            return pack(job), pack(replace(job, program=_no_program, args=()))
        except Exception as error:
            raise OptionError(
                f"the program or one of its arguments cannot be sent to the parties: {type(error).__name__}: {error}. Open "
                "files, locks, connections and the like must be made inside the program."
            ) from error


def _no_program(party: Party) -> None:
    raise AssertionError("the dealer has no program")


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
