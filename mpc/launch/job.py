"""What is to run: a program, its arguments and its options, checked before anything starts."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.contract import Protocol
from mpc.errors import OptionError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.launch.find import find_protocol
from mpc.party import DEFAULT_TIMEOUT, Endpoint, Keys, Stats
from mpc.randomness import Stream, StreamFactory
from mpc.session import Party
from mpc.transport import Transport

PROGRAM_MODULE = "mpc_program"


@dataclass(frozen=True)
class ProgramFile:
    """A program in a file with `def main(party)`; each party loads it for itself."""

    path: str

    def __call__(self, party: Party, *args: Any) -> Any:
        return self.load()(party, *args)

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
    """A program and its options, the same at every party."""

    program: Callable[..., Any]
    args: tuple[Any, ...] = ()
    parties: int = 2
    protocol: str | type[Protocol] = "additive"
    fraction_bits: int = 16
    network: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    seed: int | None = None
    protocol_class: type[Protocol] = field(init=False)

    def __post_init__(self) -> None:
        if not callable(self.program):
            raise OptionError(f"the program must be a function of the party, not {type(self.program).__name__}")
        protocol = find_protocol(self.protocol)
        object.__setattr__(self, "protocol_class", protocol)
        low, high = protocol.min_parties, protocol.max_parties
        if not isinstance(self.parties, int) or not low <= self.parties <= high:
            raise OptionError(f"parties={self.parties!r}: protocol '{protocol.name}' runs with {low} to {high} parties")
        if not isinstance(self.fraction_bits, int) or not 1 <= self.fraction_bits <= MAX_FRACTION_BITS:
            raise OptionError(f"fraction_bits={self.fraction_bits!r}: must be an integer from 1 to {MAX_FRACTION_BITS}")
        if not isinstance(self.timeout, int | float) or not self.timeout > 0:
            raise OptionError(f"timeout={self.timeout!r}: must be a number of seconds above 0")
        if self.network is not None:
            raise OptionError(f"network={self.network!r}: no network profiles are available; leave it out")
        if self.seed is not None and not isinstance(self.seed, int):
            raise OptionError(f"seed={self.seed!r}: must be an integer, or None for randomness from the operating system")

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
    endpoint = Endpoint(transport, job.parties, keys, job.timeout, stream)
    try:
        result = _serve(job, endpoint) if endpoint.index == job.parties else _run(job, endpoint)
    except BaseException as error:
        name = "the dealer" if endpoint.index == job.parties else f"party {endpoint.index}"
        transport.abort(f"{name} failed with {type(error).__name__}; its own error has the details")
        raise
    return result, endpoint.meter.snapshot()


def _run(job: Job, endpoint: Endpoint) -> Any:
    protocol = job.protocol_class(endpoint)
    result = job.program(Party(protocol, job.fraction_bits), *job.args)
    protocol.finish()
    return result


def _serve(job: Job, endpoint: Endpoint) -> None:
    dealer = job.protocol_class.dealer()
    assert dealer is not None
    dealer(endpoint)
