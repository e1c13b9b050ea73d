"""What is to run: a program, its arguments and its options, checked before anything starts."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from mpc.checkpoints import Checkpoints, Folder
from mpc.contract import Protocol
from mpc.errors import CheckpointError, OptionError, RunFailed, UsageError, party_name
from mpc.fixed import MAX_FRACTION_BITS
from mpc.launch.channel import Packed, pack
from mpc.launch.failures import settle
from mpc.launch.find import find_protocol
from mpc.offline import DealtAt, Expectation, Record, claim_together, open_dealt
from mpc.party import DEFAULT_TIMEOUT, NETWORKS, Endpoint, Keys, Stats, Trace
from mpc.randomness import Stream, StreamFactory
from mpc.session import Party
from mpc.tensor import Tensor
from mpc.transport import Transport

PROGRAM_MODULE = "mpc_program"
MAX_VERSIONS = 15
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


@dataclass(frozen=True)
class Job:
    """A program and its options, the same at every party. With `trace`, its costs tell when each message and scope was.

    `integrity` and `check_dealer` are those of `mpc.party.Endpoint`. `checkpoints` is the folder of `party.checkpoint`;
    `skips`, for tests, is as for `mpc.checkpoints.Checkpoints`.
    """

    program: Callable[..., Any]
    args: tuple[Any, ...] = ()
    parties: int = 2
    protocol: str | type[Protocol] = "additive"
    fraction_bits: int = 16
    network: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    seed: int | None = None
    trace: bool = False
    integrity: bool = False
    check_dealer: int = 0
    checkpoints: str | os.PathLike[str] | None = None
    resume: bool = False
    skips: Mapping[int, int] | None = None
    dealt: tuple[DealtAt, ...] | None = field(default=None, repr=False)
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
        self._check_integrity(protocol)
        self._check_checkpoints()
        self._check_dealt()
        real = isinstance(self.timeout, Real) and not isinstance(self.timeout, bool)
        if not real or not math.isfinite(self.timeout) or not 0 < self.timeout <= _LONGEST:
            raise OptionError(f"timeout={self.timeout!r}: must be a number of seconds above 0, and at most {_LONGEST:.0f}")
        object.__setattr__(self, "timeout", float(self.timeout))
        if self.network not in (None, *NETWORKS):
            raise OptionError(f"network={self.network!r}: must be one of {', '.join(map(repr, NETWORKS))}, or left out ('lan')")

    def _check_integrity(self, protocol: type[Protocol]) -> None:
        if not isinstance(self.integrity, bool):
            raise OptionError(f"integrity={self.integrity!r}: must be True or False")
        self._whole("check_dealer", 0, MAX_VERSIONS, f"must be an integer from 0 to {MAX_VERSIONS}: how many versions to look at")
        if self.check_dealer and not protocol.checks_dealer:
            raise OptionError(f"check_dealer={self.check_dealer}: protocol '{protocol.name}' has no dealer that it can check")

    def _check_checkpoints(self) -> None:
        if not isinstance(self.resume, bool):
            raise OptionError(f"resume={self.resume!r}: must be True or False")
        if self.checkpoints is not None:
            if not isinstance(self.checkpoints, str | os.PathLike):
                raise OptionError(f"checkpoints={self.checkpoints!r}: must be the path of a folder, or None")
            object.__setattr__(self, "checkpoints", str(Path(self.checkpoints).absolute()))
        elif self.resume:
            raise OptionError("resume=True needs checkpoints=, the folder of the run to go on with")

    def _check_dealt(self) -> None:
        if self.dealt is not None and len(self.dealt) != self.parties:
            raise OptionError(f"dealt: {len(self.dealt)} dealt files for {self.parties} parties; each has its own")
        if self.dealt is not None and self.resume:
            raise OptionError(
                "a dealt file has whole runs: one that was cut off is burnt, and cannot be resumed; leave out resume"
            )

    def _whole(self, name: str, low: int, high: int, text: str) -> None:
        """Check that an option is an integer (NumPy's count) from `low` to `high`."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
            raise OptionError(f"{name}={value!r}: {text}")
        object.__setattr__(self, name, int(value))

    @property
    def endpoints(self) -> int:
        """How many endpoints take part: the parties, and the dealer if the protocol has one that did not deal before."""
        return self.parties + (self.dealt is None and self.protocol_class.dealer() is not None)

    @property
    def digest(self) -> str:
        """The program's text as a hash: parties that run other programs find out before they begin."""
        return self.program.digest if isinstance(self.program, ProgramFile) else ""

    def keys(self) -> list[Keys]:
        return Keys.generate(self.parties, self.seed)


def play(
    job: Job, transport: Transport, keys: Keys, stream: StreamFactory = Stream, record: Record | None = None
) -> tuple[Any, Stats]:
    """Be one endpoint of a job, to the end: a party runs the program, the dealer serves. Returns (result, costs).

    `record`: the run of a dealt file that all parties have agreed on and claimed, in place of a dealer.
    Where parties settle upon one failure, all of them raise that, each with its own error as the cause.
    """
    network = job.network or NETWORKS[0]
    endpoint = Endpoint(transport, job.parties, keys, job.timeout, stream, network, job.integrity, job.check_dealer)
    endpoint.meter.trace = Trace() if job.trace else None
    name = party_name(endpoint.index, job.parties)
    try:
        with _dealt(job, endpoint, stream, record):
            result = _serve(job, endpoint) if endpoint.index == job.parties else _run(job, endpoint)
        _refuse_secrets(result, name)
        transport.finish()
    except BaseException as error:
        settle(transport, endpoint, error)
        if isinstance(error, Exception):
            raise
        raise RunFailed(f"{name}'s program raised {type(error).__name__}({error}); let it return instead") from error
    return result, endpoint.meter.snapshot()


@contextmanager
def _dealt(job: Job, endpoint: Endpoint, stream: StreamFactory, record: Record | None) -> Iterator[None]:
    """Where a dealt file takes the dealer's place: agree with the other parties on a run of it, before anything else."""
    if record is not None:
        endpoint.use(record, stream)
    elif job.dealt is not None:
        at = job.dealt[endpoint.index]
        with closing(open_dealt(at.path, at.secret, at.dealer, expectation(job, endpoint.index))) as dealt:
            endpoint.use(claim_together(endpoint, dealt), stream)
            yield
            return
    yield


def _run(job: Job, endpoint: Endpoint) -> Any:
    protocol = job.protocol_class(endpoint)
    checkpoints = Checkpoints(protocol, _folder(job, endpoint.index), job.skips)
    try:
        checkpoints.begin(job.resume)
        result = _perform(job, Party(protocol, job.fraction_bits, checkpoints))
        endpoint.confirm()  # the program may return what was announced, or have kept its shares in a file
        protocol.finish()
        checkpoints.end()
    finally:
        checkpoints.close()
    return result


def job_digest(job: Job) -> str:
    """A hash of what decides, with arguments and shapes, what a run asks of the dealer: program and options.

    Not the arguments, which differ between hosts, as paths do: requests are compared one by one.
    """
    program, protocol, network = job.digest or _name(job.program), job.protocol_class.name, job.network or NETWORKS[0]
    facts = [program, job.fraction_bits, network, job.parties, protocol, job.check_dealer]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def expectation(job: Job, index: int, party: str | None = None, cluster: str | None = None) -> Expectation:
    """What a party's dealt file must be for. `party`, `cluster`: its name, and its cluster's digest, where it has one."""
    return Expectation(index, job.parties, job.protocol_class.name, job_digest(job), party, cluster)


def _perform(job: Job, party: Party) -> Any:
    try:
        return job.program(party, *job.args)
    finally:
        party.close_progress()


def _folder(job: Job, party: int) -> Folder | None:
    """This party's folder of the run. What is said of the run there must be the same where it is resumed."""
    if job.checkpoints is None:
        return None
    protocol, fraction_bits = job.protocol_class.name, job.fraction_bits
    facts = {"program": _name(job.program), "parties": job.parties, "protocol": protocol, "fraction_bits": fraction_bits}
    return Folder(Path(job.checkpoints), party, facts)


def mark_finished(job: Job, parties: Iterable[int]) -> None:
    """The results of these parties are known: there is nothing to resume. Not earlier: what dies last may lose them.

    Without the mark a resumed run repeats the end; an error here would cost the results.
    """
    with suppress(CheckpointError):
        for party in parties:
            folder = _folder(job, party)
            if folder is not None:
                with closing(folder):
                    folder.finish()


def _name(program: Callable[..., Any]) -> str:
    if isinstance(program, ProgramFile):
        return Path(program.path).name
    function = getattr(program, "func", program)  # of a partial
    return getattr(function, "__qualname__", None) or type(function).__qualname__


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
            return pack(job), pack(replace(job, program=no_program, args=()))
        except Exception as error:
            raise OptionError(
                f"the program or one of its arguments cannot be sent to the parties: {type(error).__name__}: {error}. Open "
                "files, locks, connections and the like must be made inside the program."
            ) from error


def no_program(party: Party) -> None:
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
