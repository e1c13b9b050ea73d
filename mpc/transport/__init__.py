"""How endpoints exchange messages: one contract, in-memory and ZeroMQ implementations."""

from mpc.transport.base import Message, PeerFinished, Transport
from mpc.transport.frames import ArraySpec, Header, Kind, as_arrays
from mpc.transport.memory import MemoryHub, MemoryTransport

__all__ = ["ArraySpec", "Header", "Kind", "MemoryHub", "MemoryTransport", "Message", "PeerFinished", "Transport", "as_arrays"]
