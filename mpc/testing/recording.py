"""What an endpoint sent and received, message by message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mpc.errors import FrameError
from mpc.party.links import plain
from mpc.transport import ArraySpec, Header, Kind, Transport, as_arrays
from mpc.transport import Message as Frames
from mpc.transport.wrapper import Wrapper

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Message:
    """One message of a transcript. An announcement describes arrays (`specs`) and carries none."""

    direction: Literal["sent", "received"]
    peer: int
    label: str
    specs: tuple[ArraySpec, ...]
    arrays: tuple[Array, ...] = field(repr=False)

    @property
    def outline(self) -> tuple[str, int, str, tuple[ArraySpec, ...]]:
        """All but the values: what must not depend on a secret."""
        return self.direction, self.peer, self.label, self.specs


@dataclass
class Transcript:
    """Everything that passed one endpoint, in order. The dealer's index is the number of parties."""

    index: int
    messages: list[Message] = field(default_factory=list)

    def sent(self, label: str = "", to: int | None = None) -> list[Message]:
        """The messages sent whose label begins with `label`, to one peer or to all."""
        return self._select("sent", label, to)

    def received(self, label: str = "", sender: int | None = None) -> list[Message]:
        return self._select("received", label, sender)

    def outline(self) -> list[tuple[str, int, str, tuple[ArraySpec, ...]]]:
        """Directions, peers, labels, dtypes and shapes, without values."""
        return [message.outline for message in self.messages]

    def _select(self, direction: str, label: str, peer: int | None) -> list[Message]:
        return [
            message
            for message in self.messages
            if message.direction == direction and message.label.startswith(label) and peer in (None, message.peer)
        ]


class Recorder(Wrapper):
    """A transport that passes everything on, and keeps a copy in `transcript`: give it as `wrap` of simulate_job."""

    def __init__(self, inner: Transport):
        super().__init__(inner)
        self.transcript = Transcript(inner.index)

    def send(self, to: int, header: bytes, payload: Sequence[Any] = ()) -> None:
        self._record("sent", to, header, payload)
        self.inner.send(to, header, payload)

    def receive(self, sender: int, timeout: float | None) -> Frames:
        header, payload = self.inner.receive(sender, timeout)
        self._record("received", sender, header, payload)
        return header, payload

    def _record(self, direction: Literal["sent", "received"], peer: int, data: bytes, payload: Sequence[Any]) -> None:
        try:
            header = Header.decode(data)
            arrays = as_arrays(header, payload) if header.kind is Kind.DATA else []
        except FrameError:
            return  # whoever reads it says what is wrong with it
        copies = tuple(array.copy() for array in arrays)  # not the buffers: a recording must not keep openings alive
        self.transcript.messages.append(Message(direction, peer, plain(header.label), header.arrays, copies))
