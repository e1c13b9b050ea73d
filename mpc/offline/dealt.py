"""A dealt file that its party has opened: what it was dealt for, which runs are left, and how all parties agree on one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from mpc.errors import DealtFileError
from mpc.offline.ledger import Ledger, used_up
from mpc.offline.reader import Reader
from mpc.offline.record import Record
from mpc.party import Endpoint

_STANDING = struct.Struct("<16sQ")  # deal, position


@dataclass(frozen=True)
class DealtAt:
    """Where a party's dealt file is, its secret key, and the dealer's public one."""

    path: str
    secret: bytes = field(repr=False)
    dealer: bytes


@dataclass(frozen=True)
class Expectation:
    """What a party is about to run; a dealt file must have been made for that. None: anything."""

    index: int
    parties: int
    protocol: str
    program: str | None = None
    party: str | None = None
    cluster: str | None = None


_MEANS = {
    "index": "party number",
    "party": "party",
    "parties": "number of parties",
    "protocol": "protocol",
    "program": "program, or for other options",
    "cluster": "cluster file",
}


class Dealt:
    """An opened dealt file: `position`, `claim`."""

    def __init__(self, reader: Reader):
        self._reader = reader
        self.header = reader.header
        header, key = reader.header, reader.keys.key("ledger")
        self._ledger = Ledger(reader.path, header.deal, header.index, header.runs, key)

    @property
    def runs(self) -> int:
        return self.header.runs

    def position(self) -> int:
        """The first run that this party has not used."""
        return self._ledger.position()

    def standing(self) -> bytes:
        """24 bytes for the other parties, who tell theirs: which deal, and the position. Not secret."""
        return _STANDING.pack(bytes.fromhex(self.header.deal), self.position())

    def agree(self, standings: Sequence[bytes]) -> int:
        """The run to claim, from the standings of all parties (this one's too, in any order)."""
        told = [_STANDING.unpack(bytes(standing)) for standing in standings if len(standing) == _STANDING.size]
        if len(told) != self.header.parties or any(deal.hex() != self.header.deal for deal, _ in told):
            raise DealtFileError(
                f"the parties have dealt files of different deals (this one's, {self._reader.path}, is {self.header.deal[:8]}); "
                "take the files that one `mpc deal` wrote, at every party"
            )
        return agree([position for _, position in told], self)

    def claim(self, run: int) -> Record:
        """Burn `run` and all below, on the disk, and only then hand out what it has. DealtFileError if it is used."""
        self._ledger.claim(run)
        return Record(self._reader, run)

    def verify(self) -> None:
        """Read the whole file and check that all of it is what the dealer wrote."""
        self._reader.verify()

    def close(self) -> None:
        self._reader.close()


def open_dealt(path: str | Path, secret: bytes, dealer_public: bytes, expected: Expectation) -> Dealt:
    """A party's dealt file. `secret`: the party's X25519 key; `dealer_public`: the key of the dealer that it trusts.

    DealtFileError for a file that is damaged or altered, of another dealer or party, or for something else than is expected.
    """
    reader = Reader(Path(path), secret, dealer_public)
    try:
        for each in fields(expected):
            wanted, found = getattr(expected, each.name), getattr(reader.header, each.name)
            if wanted is not None and wanted != found:
                shown = "" if each.name in ("program", "cluster") else f" ({found!r}, and this run has {wanted!r})"
                raise DealtFileError(f"{path} was dealt for another {_MEANS[each.name]}{shown}; deal anew for what is to run")
    except BaseException:
        reader.close()
        raise
    return Dealt(reader)


def agree(positions: Sequence[int], dealt: Dealt) -> int:
    """The run that all go on with: the first that none of them has used. So the ledger of one party is enough to keep a run
    from being used again."""
    run = max(positions)
    if run >= dealt.runs:
        raise used_up(dealt._reader.path, dealt.runs)
    return run


def claim_together(endpoint: Endpoint, dealt: Dealt) -> Record:
    """Agree with the other parties on a run, before anything else, and claim it. Cost: 1 round of 24 bytes."""
    mine = np.frombuffer(dealt.standing(), np.uint8)
    others = endpoint.exchange("deal.position", [mine])
    return dealt.claim(dealt.agree([mine.tobytes(), *(arrays[0].tobytes() for arrays in others)]))
