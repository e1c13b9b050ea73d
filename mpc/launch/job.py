"""What is to run: a program, its arguments and its options, checked before anything starts."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from mpc.contract import Protocol
from mpc.errors import OptionError
from mpc.fixed import MAX_FRACTION_BITS
from mpc.launch.find import find_protocol
from mpc.launch.program import ProgramFile, name_of
from mpc.network import Network
from mpc.offline import DealtAt, Expectation
from mpc.party import DEFAULT_TIMEOUT, Keys

MAX_VERSIONS = 15
_LONGEST = 1e6  # seconds; more than any wait, and less than what sockets take


@dataclass(frozen=True)
class Job:
    """A program and its options, the same at every party. With `trace`, its costs tell more: a `mpc.party.Profile`.

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
        Network.parse(self.network)

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
    def links(self) -> Network:
        """What `network` says."""
        return Network.parse(self.network)

    @property
    def digest(self) -> str:
        """The program's text as a hash: parties that run other programs find out before they begin."""
        return self.program.digest if isinstance(self.program, ProgramFile) else ""

    def keys(self) -> list[Keys]:
        return Keys.generate(self.parties, self.seed)


def job_digest(job: Job) -> str:
    """A hash of what decides, with arguments and shapes, what a run asks of the dealer: program and options.

    Not the arguments, which differ between hosts, as paths do: requests are compared one by one.
    """
    program, protocol, links = job.digest or name_of(job.program), job.protocol_class.name, job.links.figures
    facts = [program, job.fraction_bits, links, job.parties, protocol, job.check_dealer]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def expectation(job: Job, index: int, party: str | None = None, cluster: str | None = None) -> Expectation:
    """What a party's dealt file must be for. `party`, `cluster`: its name, and its cluster's digest, where it has one."""
    return Expectation(index, job.parties, job.protocol_class.name, job_digest(job), party, cluster)
