"""From bytes to something with a structure: the same for both engines, which know nothing but bytes."""

import struct

_LENGTH = struct.Struct("<H")


def pack(*parts):
    """Parts as one input: what `unpack` takes apart. The last one needs no length."""
    *first, last = parts
    return b"".join(_LENGTH.pack(len(part)) + part for part in first) + last


def unpack(data, count):
    """So many parts: whatever the bytes are."""
    parts = []
    for _ in range(count - 1):
        length = int.from_bytes(data[: _LENGTH.size], "little")
        parts.append(data[_LENGTH.size : _LENGTH.size + length])
        data = data[_LENGTH.size + length :]
    return [*parts, data]


class Choices:
    """Decisions, made by bytes one after the other; once those are used up, always the first choice."""

    def __init__(self, data):
        self._data = iter(data)

    def below(self, n):
        return next(self._data, 0) % n

    def of(self, *options):
        return options[self.below(len(options))]

    def many(self, most, make):
        """Up to so many of what `make` makes."""
        return [make() for _ in range(self.below(most + 1))]

    def number(self):
        """A small whole number mostly; or one at an edge, or no whole number at all."""
        if self.below(8):
            return self.below(9)
        edges = (-1, 16, 63, 64, 255, 1 << 15, (1 << 33) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, 10**30)
        return self.of(*edges, True, None, 0.5, float("inf"), float("nan"), "1", (), (1,))
