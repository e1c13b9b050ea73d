"""Large arrays travel in several frames, and are put together again."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

from mpc.transport.base import Message
from mpc.transport.frames import Header

CHUNK = 1 << 20  # bytes of a frame


def chunks(view: memoryview) -> list[memoryview]:
    flat = view.cast("B") if view.nbytes else view
    return [flat[start : start + CHUNK] for start in range(0, max(1, view.nbytes), CHUNK)]


def whole(data: bytes, payload: list[Any]) -> list[Any]:
    """One buffer for each array of a message with this header. Whoever reads them says if something is wrong."""
    if all(memoryview(part).nbytes < CHUNK for part in payload):
        return payload
    arrays = Header.decode(data).arrays
    frames = b"".join(payload)  # one copy
    if sum(spec.nbytes for spec in arrays) != len(frames):
        return payload
    ends = list(accumulate((spec.nbytes for spec in arrays), initial=0))
    return [memoryview(frames)[start:end] for start, end in pairwise(ends)]


def size_of(message: Message) -> int:
    """What a message takes in memory, about."""
    data, payload = message
    return 200 + len(data) + sum(memoryview(part).nbytes for part in payload)
