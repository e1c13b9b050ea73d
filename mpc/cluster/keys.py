"""Who a party is: a key pair of X25519, which is what CURVE links are made of, and the file that keeps it.

A key is any 32 random bytes, and its public key is the base point times it (RFC 7748, 6.1).
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from mpc.errors import ClusterError, KeyFileError
from mpc.files import read_private, write_private
from mpc.randomness import new_seed

KEY_BYTES = 32
_KEY = "[A-Za-z0-9_-]{43}"  # 32 bytes in base64url without padding
SECRET_KEY = re.compile(f"sec_{_KEY}")
_NAME = re.compile("[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_LARGEST = 1 << 12  # bytes of a key file
_PRIME = 2**255 - 19  # the coordinates of public keys are below it


def check_name(name: str) -> str:
    """The name of a party or dealer, if it can be one; else ClusterError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = repr(name if len(str(name)) <= 64 else f"{str(name)[:61]}...")
        raise ClusterError(f"{shown} is no name: use 1 to 64 letters, digits, - and _, and do not begin with -")
    return name


@dataclass(frozen=True, eq=False, repr=False)
class Identity:
    """A party's name and key pair. The secret half stays at this party: it is not shown and not pickled."""

    name: str
    secret: bytes
    public: bytes = field(init=False)  # made of the secret, so that it fits

    def __post_init__(self) -> None:
        check_name(self.name)
        key = X25519PrivateKey.from_private_bytes(self.secret)
        object.__setattr__(self, "public", key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Identity({self.name!r}, {public_text(self.public)}, <secret key>)"

    def __reduce__(self) -> Any:
        raise TypeError("an Identity holds a secret key and is never pickled")

    @classmethod
    def generate(cls, name: str) -> Identity:
        """A new one, of randomness from the operating system."""
        return cls(name, new_seed())

    def save(self, path: str | Path) -> None:
        """Write the key file, which only its owner may read; KeyFileError if there is a file already, which stays."""
        try:
            write_private(Path(path), [self._text().encode()], replace=False)
        except FileExistsError:
            raise KeyFileError(f"{path} exists already and may be in use; move it away, or write to another file") from None
        except (OSError, ValueError) as error:
            raise KeyFileError(f"the key file {path} cannot be written: {_reason(error)}") from None

    def _text(self) -> str:
        return (
            f"# The SECRET key of {self.name}. Never send this file, nor any line of it, to anybody.\n"
            f"# The others need the public key only.\n"
            f'name = "{self.name}"\npublic = "{public_text(self.public)}"\nsecret = "sec_{_encoded(self.secret)}"\n'
        )

    @classmethod
    def load(cls, path: str | Path) -> Identity:
        """Read a key file; KeyFileError if it is missing, open to others or damaged. No message shows what is in it."""
        try:
            content = read_private(Path(path), _LARGEST)
        except FileNotFoundError:
            raise KeyFileError(f"there is no key file {path}; mpc keygen NAME makes one") from None
        except (OSError, ValueError) as error:
            raise KeyFileError(f"the key file {path} cannot be read: {_reason(error)}") from None
        try:
            found = tomllib.loads(content.decode())
            if found.keys() != {"name", "public", "secret"}:
                raise ValueError
            identity = cls(found["name"], _parse_secret(found["secret"]))
        except (ValueError, TypeError, RecursionError):
            raise KeyFileError(f"the key file {path} is damaged, or is no key file; take a copy that mpc keygen wrote") from None
        if found["public"] != public_text(identity.public):
            raise KeyFileError(
                f"the key file {path} is damaged: its public key does not belong to its secret key; take a copy that is not"
            )
        return identity


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


# ---------------------------------------------------------------------------------------- text


def public_text(public: bytes) -> str:
    """A public key as people exchange it."""
    return f"pub_{_encoded(public)}"


def parse_public(text: str) -> bytes:
    """The public key that a text says. ClusterError for any other text, which the message does not repeat: it may be a secret."""
    if text.startswith("sec_"):
        raise ClusterError(
            "this is a SECRET key (sec_...), which must never leave its owner's machine. Whoever saw it can pose as its owner: "
            "take it out, let the owner make a new one (mpc keygen), and use the new public key (pub_...)"
        )
    if not re.fullmatch(f"pub_{_KEY}", text):
        raise ClusterError(
            f"a public key is pub_ and 43 letters, digits, - and _, not these {len(text)} characters; "
            "copy the whole line that mpc keygen showed"
        )
    key = _decoded(text[4:])
    if key is None or int.from_bytes(key, "little") >= _PRIME or _has_low_order(key):
        raise ClusterError("this is no public key that mpc keygen makes; copy the whole line that it showed")
    return key


def fingerprint(key: bytes) -> str:
    """80 bits of a hash, to compare by eye or by telephone."""
    digits = hashlib.sha256(key).hexdigest()[:20]
    return "-".join(digits[k : k + 4] for k in range(0, 20, 4))


def _parse_secret(text: str) -> bytes:
    key = _decoded(text[4:]) if SECRET_KEY.fullmatch(text) else None
    if key is None:
        raise ValueError("no secret key")
    return key


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _decoded(text: str) -> bytes | None:
    """The bytes of 43 characters; None where the last has bits too many, so that each key has one text."""
    key = base64.urlsafe_b64decode(text + "=")
    return key if _encoded(key) == text else None


def _has_low_order(public: bytes) -> bool:
    """Whether it is one of the few points that make every secret key agree on zero: anybody could speak for it.

    A secret key is a multiple of 8, which is a multiple of all small orders, so any of them shows it.
    """
    try:
        X25519PrivateKey.from_private_bytes(bytes(KEY_BYTES)).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return True
    return False
