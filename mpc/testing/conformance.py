"""The conformance suite: does a protocol do what the contract says, for every number of parties?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mpc.contract import Protocol
from mpc.errors import RangeError
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job
from mpc.session import Party
from mpc.testing.cases import Case, Expected, Near, Truncated, boolean_cases, booleans, keeping_cases, local_cases, words
from mpc.testing.order_cases import bit_cases, curve_cases, order_cases
from mpc.testing.product_cases import product_cases, truncation_cases
from mpc.testing.simulation import protocol_of, share_input

Array = np.ndarray[Any, np.dtype[Any]]
Run = Callable[[Job], Sequence[Any]]

PARTIES = (2, 3, 5)


def in_memory(job: Job) -> list[Any]:
    """The results of a job's parties, run as threads of this process."""
    return [result for result, _ in simulate_job(job)[: job.parties]]


def check_protocol(
    protocol: type[Protocol],
    parties: Iterable[int] = PARTIES,
    run: Run = in_memory,
    seed: int = 0,
) -> None:
    """Check every operation of the contract against NumPy, for each of the numbers of parties that `protocol` supports.

    Operations that the protocol leaves to the base class, which refuses them, are left out.

    Values, shapes and views come from `seed`; `run` may carry the job over another transport. Words cover the range that
    truncation needs, and then the whole ring, where alone RangeError is an accepted answer. AssertionError says which
    protocol, number of parties, case and party was wrong. Takes a few seconds a number of parties.
    """
    sizes = [n for n in parties if protocol.min_parties <= n <= protocol.max_parties]
    assert sizes, f"{protocol.name} runs with {protocol.min_parties} to {protocol.max_parties} parties, so nothing was checked"
    for n in sizes:
        random = np.random.default_rng(seed)
        in_range = [*local_cases(random, 40), *product_cases(random, 24), *boolean_cases(random), *truncation_cases(random)]
        in_range += [*order_cases(random), *bit_cases(random), *curve_cases(random), *keeping_cases(random)]
        _check_cases(protocol, n, run, [case for case in in_range if case.applies_to(protocol)])
        try:
            _check_cases(protocol, n, run, [*local_cases(random, 64), *product_cases(random, 64)])
        except RangeError:
            assert not protocol.secure, f"{protocol.name}: a secure protocol cannot know that a value leaves the range"
        _check_targets(protocol, n, run)


def _check_cases(protocol: type[Protocol], n: int, run: Run, cases: list[Case]) -> None:
    def program(party: Party) -> list[tuple[Any, list[Array | None]]]:
        return [_play(protocol_of(party), case) for case in cases]

    for party, results in enumerate(run(Job(program, parties=n, protocol=protocol))):
        for case, (sent, values) in zip(cases, results, strict=True):
            where = f"protocol '{protocol.name}', {n} parties, party {party}, case '{case.name}'"
            assert not (case.local and sent), f"{where}: the contract says no communication, and it took {sent}"
            assert len(values) == len(case.expected), f"{where}: {len(values)} results instead of {len(case.expected)}"
            for k, (value, expected) in enumerate(zip(values, case.expected, strict=True)):
                _compare(value, expected, f"{where}, result {k}")


def _play(protocol: Protocol, case: Case) -> tuple[Any, list[Array | None]]:
    try:
        size = protocol.endpoint.size
        shares = [share_input(protocol, secret, k % size) for k, secret in enumerate(case.secrets)]
        with protocol.endpoint.meter.measure() as cost:
            results = case.compute(protocol, *shares)
        sent = (cost.rounds, cost.bytes_sent) if cost.rounds or cost.bytes_sent else None
        return sent, protocol.reveal(results, range(size))
    except Exception as error:
        error.add_note(f"in the conformance case '{case.name}' of protocol '{protocol.name}'")
        raise


def _compare(value: Array | None, expected: Expected, where: str) -> None:
    words = _like(expected)
    assert isinstance(value, np.ndarray), f"{where}: an ndarray was expected, not {type(value).__name__}"
    assert value.dtype == words.dtype, f"{where}: dtype {value.dtype} instead of {words.dtype}"
    assert value.shape == words.shape, f"{where}: shape {value.shape} instead of {words.shape}"
    if isinstance(expected, Near):
        ratio = np.max(np.abs(value.view(np.int64) - expected.values) / expected.error, initial=0.0)
        assert ratio <= 1, f"{where}: an error of {ratio:.6g} times the one that the contract allows"
    elif isinstance(expected, Truncated):
        unit = 1 << expected.bits
        errors = value.view(np.int64).astype(object) * unit - words.view(np.int64).astype(object)
        worst = max((abs(int(e)) for e in np.ravel(errors)), default=0)
        assert worst < unit, f"{where}: an error of {worst / unit:.6g} units in the last place; it must be under 1"
    else:
        wrong = np.argwhere(value != words)
        assert not len(wrong), f"{where}: {len(wrong)} of {words.size} elements differ, the first at {tuple(wrong[0])}"


def _like(expected: Expected) -> Array:
    """An array of the dtype and shape that the result must have."""
    if isinstance(expected, Near):
        return np.empty(expected.values.shape, np.uint64)
    return expected.words if isinstance(expected, Truncated) else expected


def _check_targets(protocol: type[Protocol], n: int, run: Run) -> None:
    """Reveals to some parties only, to none, and of many shares at once."""
    random = np.random.default_rng(n)
    x, b = words(random, (3,), 40), booleans(random, (9,))
    targets = [[], [0], [n - 1], list(range(1, n)), list(range(n))]

    def program(party: Party) -> list[list[Array | None]]:
        p = protocol_of(party)
        shares = [share_input(p, x, 0), share_input(p, b, n - 1)]
        return [p.reveal(shares, to) for to in targets]

    for party, results in enumerate(run(Job(program, parties=n, protocol=protocol))):
        for to, values in zip(targets, results, strict=True):
            where = f"protocol '{protocol.name}', {n} parties, party {party}, reveal to {to}"
            assert len(values) == 2, f"{where}: {len(values)} results instead of 2"
            for value, expected in zip(values, (x, b), strict=True):
                if party in to:
                    _compare(value, expected, where)
                else:
                    assert value is None, f"{where}: this party must get None"
