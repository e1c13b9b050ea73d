"""From what all parties begin: each tells what it has on disk, and all conclude the same."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Any

import numpy as np

from mpc.errors import CheckpointError, FrameError

Array = np.ndarray[Any, np.dtype[Any]]

ID_BYTES = 16
_LAYOUT = struct.Struct(f"<{ID_BYTES}sBBQ" + f"Q{ID_BYTES}s" * 2)
MOST_NUMBERS = 1 << 62  # numbers of a run


class Status(IntEnum):
    """Of a party's folder."""

    EMPTY = 0
    CUT_OFF = 1
    FINISHED = 2


@dataclass(frozen=True)
class Claim:
    """What one party has: checkpoints by number and attempt, and up to which number its randomness may have been used.

    The nonces of all make the name of this attempt. Checkpoints of one number and one attempt belong together.
    """

    nonce: bytes
    resume: bool
    status: Status
    used: int
    kept: tuple[tuple[int, bytes], ...]  # the latest two at most

    def encode(self) -> Array:
        kept = [*self.kept[-2:], (0, b""), (0, b"")][:2]
        packed = _LAYOUT.pack(self.nonce, self.resume, self.status, self.used, *(part for one in kept for part in one))
        return np.frombuffer(packed, np.uint8)

    @classmethod
    def decode(cls, array: Array) -> Claim:
        nonce, resume, status, used, *kept = _LAYOUT.unpack(array.tobytes())
        if status > Status.FINISHED or used > MOST_NUMBERS or max(kept[::2]) > MOST_NUMBERS:
            raise FrameError("a party announces checkpoints that cannot be")
        pairs = tuple((number, name) for number, name in zip(kept[::2], kept[1::2], strict=True) if number)
        return cls(nonce, bool(resume), Status(status), used, pairs)


@dataclass(frozen=True)
class Plan:
    """The name of this attempt, the number above which its randomness begins, and the checkpoint to go on from (0: none)."""

    attempt: bytes
    used: int
    checkpoint: int


def agree(claims: Sequence[Claim]) -> Plan:
    """The same at every party, or the same CheckpointError. `claims` are by party."""
    attempt = blake2b(b"".join(claim.nonce for claim in claims), digest_size=ID_BYTES, person=b"mpc attempt").digest()
    resuming = [claim.resume for claim in claims]
    if any(resuming) != all(resuming):
        told = ", ".join(f"party {k} {'resumes' if resume else 'begins anew'}" for k, resume in enumerate(resuming))
        raise CheckpointError(f"{told}: all parties must resume, or none")
    if not all(resuming):
        _refuse_to_overwrite(claims)
        return Plan(attempt, 0, 0)
    if all(claim.status is Status.FINISHED for claim in claims):
        raise CheckpointError("this run has finished, there is nothing to resume; run it anew without resuming")
    if all(claim.status is Status.EMPTY for claim in claims):
        raise CheckpointError("no party has anything to resume from: is this the folder that the run was given?")
    return Plan(attempt, max(claim.used for claim in claims), _latest_common(claims))


def _refuse_to_overwrite(claims: Sequence[Claim]) -> None:
    finished = all(claim.status is Status.FINISHED for claim in claims)
    holders = [k for k, claim in enumerate(claims) if claim.kept]
    if holders and not finished:
        raise CheckpointError(
            f"party {holders[0]} holds checkpoints of a run that was cut off: resume that, or delete the folder to begin anew"
        )


def _latest_common(claims: Sequence[Claim]) -> int:
    """The highest number that all have, of one attempt. None at all is possible only before all had the first."""
    common = set.intersection(*(set(claim.kept) for claim in claims))
    if common:
        return max(number for number, _ in common)
    for k, claim in enumerate(claims):
        if any(number > 1 for number, _ in claim.kept):
            told = "; ".join(f"party {i}: {[number for number, _ in c.kept] or 'none'}" for i, c in enumerate(claims))
            raise CheckpointError(
                f"the parties have no checkpoint in common ({told}), though party {k} is beyond the first: a folder is missing, "
                "was emptied, or is of another run"
            )
    return 0
