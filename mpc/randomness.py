"""Randomness: AES-128 in counter mode, keyed from the operating system. Nothing else feeds a mask or a share.

A `Stream` belongs to one seed, which two endpoints may share. Each array drawn from it is named by a purpose and a
number: the purpose gives the AES key, BLAKE2b(purpose) keyed with the seed, and the number is the upper half of the
counter block (NIST SP 800-38A, 6.5 and appendix B). So no two names ever share a block of keystream (domain
separation), and any array can be derived again from its name alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Words = np.ndarray[Any, np.dtype[np.uint64]]
Array = np.ndarray[Any, np.dtype[Any]]

SEED_BYTES = 32
_ZEROS = memoryview(bytes(1 << 18))


def new_seed() -> bytes:
    """256 bits from the operating system."""
    return os.urandom(SEED_BYTES)


def derive_seed(seed: bytes, name: str) -> bytes:
    """A further seed, bound to `name`; it tells nothing about `seed`."""
    return hashlib.blake2b(name.encode(), key=seed, digest_size=SEED_BYTES, person=b"mpc seed").digest()


class Stream:
    """Uniform arrays that every holder of one seed derives alike."""

    def __init__(self, seed: bytes):
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        self._seed = seed
        self._keystreams: dict[str, Any] = {}  # purpose -> AES-CTR context

    def __repr__(self) -> str:
        return "Stream(<secret seed>)"

    def __reduce__(self) -> Any:
        raise TypeError("a Stream holds a secret seed and is never pickled")

    def draw(self, purpose: str, number: int, shape: tuple[int, ...], dtype: Any = np.uint64) -> Array:
        """The uniform array of unsigned integers named (purpose, number): the same at every call.

        Not for two threads at once. Cost: local; about one pass over the result, by AES instructions.
        """
        keystream = self._keystreams.get(purpose) or self._open(purpose)
        keystream.reset_nonce(number.to_bytes(8, "big") + bytes(8))
        out = np.empty(shape, dtype)
        if not out.nbytes:
            return out
        view = out.data.cast("B")
        for start in range(0, len(view), len(_ZEROS)):
            part = view[start : start + len(_ZEROS)]
            keystream.update_into(_ZEROS[: len(part)], part)
        return out

    def _open(self, purpose: str) -> Any:
        key = hashlib.blake2b(purpose.encode(), key=self._seed, digest_size=16, person=b"mpc stream").digest()
        keystream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        self._keystreams[purpose] = keystream
        return keystream


StreamFactory = Callable[[bytes], Stream]
