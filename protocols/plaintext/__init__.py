"""The reference: the same fixed-point semantics in the clear, with every intermediate value's range checked."""

from protocols.plaintext.protocol import Plaintext

__all__ = ["Plaintext"]
