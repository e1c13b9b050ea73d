"""A statistical look at what the other parties receive: does it show the secrets?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from mpc.contract import MATMUL, MULTIPLY, Exponential, Protocol, Reshape, Share, Waves
from mpc.session import Party
from mpc.testing.cases import provides
from mpc.testing.conformance import PARTIES
from mpc.testing.recording import Message, Transcript
from mpc.testing.simulation import protocol_of, share_input, simulate
from mpc.testing.uniformity import MIN_SAMPLES, check_jointly_uniform

Array = np.ndarray[Any, np.dtype[Any]]
_Program = Callable[[Protocol, int], list[Share]]
SECRETS = (0, 1, (1 << 40) - 1)
_SHAPE = (64, 64)


@dataclass(frozen=True)
class _Seen:
    """One array that somebody sees."""

    label: str
    name: str
    array: Array

    @property
    def content(self) -> tuple[str, tuple[int, ...], bytes]:
        return self.array.dtype.str, self.array.shape, self.array.tobytes()


def check_secrecy(protocol: type[Protocol], parties: Iterable[int] = PARTIES, seed: int = 0) -> None:
    """Check that transcripts do not show the secrets, for a protocol whose messages are masked or shared uniformly.

    Runs inputs, products, truncations and booleans, and then comparisons, selections and functions as far as the protocol has
    them, on constant secrets, and a reveal, for each of the numbers of parties that it supports. The messages' order, labels,
    dtypes and shapes must not depend on the secrets. All that n - 1 parties, each of them, receive from the other one and from
    a dealer, and what all parties' messages of one round add up to, must be uniform, and so must the difference of every two
    of these: a mask that hides two values fails here. (The messages of a reveal are tested apart: given the result, they are
    a function of what the receivers hold.) What a dealer receives must be uniform or the same for every secret. Small arrays
    are tested together with others of their label; what cannot be judged fails: other dtypes than unsigned integers, and
    labels with fewer than 1280 words. The chance of a false alarm is below 1e-5, and none for a seed that has passed once. It
    cannot prove secrecy: it finds plain leaks.
    """
    sizes = [n for n in parties if protocol.min_parties <= n <= protocol.max_parties]
    assert sizes, f"{protocol.name} runs with {protocol.min_parties} to {protocol.max_parties} parties, so nothing was checked"
    programs = [_products, *([_comparisons] if any(provides(protocol, name) for name in _OPTIONAL) else [])]
    false_alarm = 1e-6 / (len(sizes) * len(programs))
    for n, program in product(sizes, programs):
        outlines, asked = [], []
        for value in SECRETS:
            hidden = _run(protocol, n, program, value, seed, reveal=False)
            shown = _run(protocol, n, program, value, seed, reveal=True)
            outlines.append([transcript.outline() for transcript in shown])
            asked.append([seen for t in shown[:n] for seen in _arrays(t.sent(to=n), f"from party {t.index} to the dealer")])
            dealt = list(_arrays(hidden[n - 1].received(sender=n), "from the dealer"))
            _check_views(hidden[:n], shown[:n], dealt, false_alarm)
        same = all(outline == outlines[0] for outline in outlines)
        assert same, f"protocol '{protocol.name}', {n} parties: labels or shapes of its messages depend on the secrets"
        _check_dealer(asked, false_alarm)


def _check_views(hidden: list[Transcript], shown: list[Transcript], dealt: list[_Seen], false_alarm: float) -> None:
    """What any n - 1 parties see of the other one, before the reveal and in it."""
    n = len(hidden)
    totals = {receiver: list(_totals(hidden, receiver)) for receiver in range(n)}
    for honest in range(n):
        before, after = [], []
        receivers = [i for i in range(n) if i != honest]
        for receiver in receivers:
            sent = hidden[honest].sent(to=receiver)
            revealing = shown[honest].sent(to=receiver)[len(sent) :]
            before.append(list(_arrays(sent, f"from party {honest} to party {receiver}")))
            after.append(list(_arrays(revealing, f"from party {honest} to party {receiver}, revealing")))
        corrections = dealt if honest != n - 1 else []
        _check([*_union(before), *corrections, *_union(totals[i] for i in receivers)], false_alarm / n)
        _check(_union(after), false_alarm / n)


def _check_dealer(asked: list[list[_Seen]], false_alarm: float) -> None:
    """Requests are not uniform, but the same whatever the secrets are; what is not the same must be uniform."""
    differing = [arrays for arrays in zip(*asked, strict=True) if len({seen.content for seen in arrays}) > 1]
    for seen in zip(*differing, strict=True):
        _check(list(seen), false_alarm)


def _check(seen: list[_Seen], false_alarm: float) -> None:
    """Small arrays are tested with the others of their label: a secret need not be large to be one."""
    named, small = [], dict[tuple[str, np.dtype[Any]], list[Array]]()
    for each in seen:
        if each.array.size >= MIN_SAMPLES:
            named.append((each.name, each.array))
        elif each.array.size:
            small.setdefault((each.label, each.array.dtype), []).append(each.array.ravel())
    named += [(f"all small arrays of '{label}' together", np.concatenate(arrays)) for (label, _), arrays in small.items()]
    if named:  # who sends nothing shows nothing
        check_jointly_uniform(named, false_alarm)


def _run(protocol: type[Protocol], n: int, compute: _Program, value: int, seed: int, reveal: bool) -> list[Transcript]:
    """The transcripts, whose masks are the same with a reveal at the end and without."""

    def program(party: Party) -> None:
        p = protocol_of(party)
        results = compute(p, value)
        if reveal:
            p.reveal(results, range(n))

    return simulate(program, parties=n, protocol=protocol, seed=seed, record=True).transcripts


def _products(p: Protocol, value: int) -> list[Share]:
    n, x, b = p.endpoint.size, np.full(_SHAPE, value, np.uint64), np.full(8 * 4096, value % 2 == 1)
    first, second = share_input(p, x, 0), share_input(p, x, n - 1)
    flags = [share_input(p, b, owner) for owner in (0, n - 1)]
    elementwise = p.bilinear(MULTIPLY, first, second)
    again = p.bilinear(MATMUL, p.view(first, Reshape(_SHAPE)), p.square(second))
    (short,) = p.truncate([(p.add(first, second), 16)])
    return [elementwise, again, p.bilinear(MULTIPLY, short, short), p.and_(*flags)]


_OPTIONAL = ("at_least", "equal", "floor", "to_words", "select", "one_hot", "shuffle", "waves", "exponential")
_BITS = 8 * MIN_SAMPLES  # so many that their packed bits can be judged


def _comparisons(p: Protocol, value: int) -> list[Share]:
    n, x, b = p.endpoint.size, np.full(_BITS, value, np.uint64), np.full(_BITS, value % 2 == 1)
    first, second, third = (share_input(p, x, owner) for owner in (0, n - 1, 0))
    (short,) = p.truncate([(third, 16)])
    bits, series = share_input(p, b, 0), [Waves(32, (0.5, 1.0), (0.0, 0.5), 20)]
    results: dict[str, Callable[[], list[Share]]] = {
        "at_least": lambda: [p.at_least(first, np.stack([x, 0 * x])), p.less(p.negate(first), second)],
        "equal": lambda: [p.equal(first, second), p.equal(first, x)],
        "floor": lambda: p.floor([(p.add(first, second), 16)]),
        "to_words": lambda: [p.to_words(bits)],
        "select": lambda: p.select([(bits, second), (bits, first), (bits, short)]),
        "one_hot": lambda: [p.one_hot(p.negate(second), 4)],
        "shuffle": lambda: p.shuffle([p.negate(third), first]),
        "waves": lambda: p.waves(p.negate(first), series),
        "exponential": lambda: [p.exponential(p.negate(second), Exponential(36, 0, 35, 3, 20))],
    }
    shares = {name: results[name]() for name in _OPTIONAL if provides(type(p), name)}
    # Shares of functions may be multiples of public factors: hidden like any other, yet not uniform when they are revealed.
    return [share for name, several in shares.items() if name not in ("waves", "exponential") for share in several]


def _arrays(messages: Iterable[Message], way: str) -> Iterator[_Seen]:
    for i, message in enumerate(messages):
        for k, array in enumerate(message.arrays):
            yield _Seen(message.label, f"array {k} of '{message.label}' (message {i} {way})", array)


def _union(views: Iterable[list[_Seen]]) -> list[_Seen]:
    """What several receivers see together. A copy that two of them got counts once; one that the same got twice, twice."""
    union: list[_Seen] = []
    most: Counter[Any] = Counter()
    for view in views:
        counts: Counter[Any] = Counter()
        for seen in view:
            counts[seen.content] += 1
            if counts[seen.content] > most[seen.content]:
                most[seen.content] += 1
                union.append(seen)
    return union


def _totals(transcripts: list[Transcript], receiver: int) -> Iterator[_Seen]:
    """What the messages that every party sends at once add up to at one of them: the openings."""
    peer = 1 if receiver == 0 else 0  # who has the receiver's own part
    messages = [_by_place(t.sent(to=peer if t.index == receiver else receiver)) for t in transcripts]
    for place, first in messages[0].items():
        parts = [sent[place] for sent in messages if place in sent]
        if len(parts) < len(transcripts) or any(message.specs != first.specs for message in parts):
            continue
        for k, arrays in enumerate(zip(*(message.arrays for message in parts), strict=True)):
            add = np.bitwise_xor if arrays[0].dtype in (np.uint8, bool) else np.add
            name = f"the total of array {k} of '{first.label}' ({place[1]}) at party {receiver}"
            yield _Seen(f"the total of {first.label}", name, add.reduce(arrays))


def _by_place(messages: list[Message]) -> dict[tuple[str, int], Message]:
    """Messages by label and their number among those of that label: one round's have the same place at every party."""
    counts: Counter[str] = Counter()
    placed = {}
    for message in messages:
        placed[message.label, counts[message.label]] = message
        counts[message.label] += 1
    return placed
