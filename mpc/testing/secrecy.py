"""A statistical look at what the other parties receive: does it show the secrets?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Protocol, Reshape
from mpc.session import Party
from mpc.testing.conformance import PARTIES
from mpc.testing.recording import Message, Transcript
from mpc.testing.simulation import protocol_of, share_input, simulate
from mpc.testing.uniformity import check_jointly_uniform

Array = np.ndarray[Any, np.dtype[Any]]
SECRETS = (0, 1, (1 << 40) - 1)
_SHAPE = (64, 64)


def check_secrecy(protocol: type[Protocol], parties: Iterable[int] = PARTIES, seed: int = 0) -> None:
    """Check that transcripts do not show the secrets, for a protocol whose messages are masked or shared uniformly.

    Runs inputs, products, truncations and booleans on constant secrets, and a reveal. The messages' order, labels, dtypes
    and shapes must not depend on the secrets. All that n - 1 parties receive from the other one and from a dealer, and
    what all parties' messages of one round add up to, must be uniform, and so must the difference of every two of these:
    a mask that hides two values fails here. (The messages of a reveal are tested apart: given the result, they are a
    function of what the receivers hold.) The chance of a false alarm is below 1e-5, and none for a seed that has passed
    once. It cannot prove secrecy: it finds plain leaks.
    """
    for n in parties:
        if not protocol.min_parties <= n <= protocol.max_parties:
            continue
        outlines = []
        for value in SECRETS:
            hidden = _run(protocol, n, value, seed, reveal=False)
            shown = _run(protocol, n, value, seed, reveal=True)
            outlines.append([transcript.outline() for transcript in shown])
            for honest in range(n):
                before = hidden[honest].sent(to=_peer(honest))
                after = shown[honest].sent(to=_peer(honest))[len(before) :]
                dealt = hidden[n - 1].received(sender=n) if honest != n - 1 else []
                seen = _named([*before, *dealt], f"all parties but {honest}")
                _check([*seen, *_totals(hidden[:n])], 1e-6 / n)
                _check(_named(after, f"the receivers of party {honest}'s reveal"), 1e-6 / n)
        same = all(outline == outlines[0] for outline in outlines)
        assert same, f"protocol '{protocol.name}', {n} parties: labels or shapes of its messages depend on the secrets"


def _check(arrays: list[tuple[str, Array]], false_alarm: float) -> None:
    if arrays:  # who sends nothing shows nothing
        check_jointly_uniform(arrays, false_alarm)


def _run(protocol: type[Protocol], n: int, value: int, seed: int, reveal: bool) -> list[Transcript]:
    """The transcripts, whose masks are the same with a reveal at the end and without."""
    x, b = np.full(_SHAPE, value, np.uint64), np.full(8 * 4096, value % 2 == 1)

    def program(party: Party) -> None:
        p = protocol_of(party)
        first, second = share_input(p, x, 0), share_input(p, x, n - 1)
        flags = [share_input(p, b, owner) for owner in (0, n - 1)]
        product = p.bilinear(MULTIPLY, first, second)
        again = p.bilinear(MATMUL, p.view(first, Reshape(_SHAPE)), p.square(second))
        (short,) = p.truncate([(p.add(first, second), 16)])
        results = [product, again, p.bilinear(MULTIPLY, short, short), p.and_(*flags)]
        if reveal:
            p.reveal(results, range(n))

    return simulate(program, parties=n, protocol=protocol, seed=seed, record=True).transcripts


def _totals(transcripts: list[Transcript]) -> list[tuple[str, Array]]:
    """What the messages that every party sends at once add up to: the openings."""
    totals = []
    rounds = zip(*(transcript.sent(to=_peer(transcript.index)) for transcript in transcripts), strict=False)
    for i, messages in enumerate(rounds):
        if len({message.outline[2:] for message in messages}) == 1:
            for k, arrays in enumerate(zip(*(message.arrays for message in messages), strict=True)):
                add = np.bitwise_xor if arrays[0].dtype == np.uint8 else np.add
                totals.append((f"the total of array {k} of '{messages[0].label}' (message {i})", add.reduce(arrays)))
    return totals


def _peer(party: int) -> int:
    """Whose copy of a party's messages is looked at; the others get the same, or fewer."""
    return 1 if party == 0 else 0


def _named(messages: list[Message], receivers: str) -> list[tuple[str, Array]]:
    return [
        (f"array {k} of '{message.label}' (message {i} to {receivers})", array)
        for i, message in enumerate(messages)
        for k, array in enumerate(message.arrays)
        if array.dtype.kind == "u"
    ]
