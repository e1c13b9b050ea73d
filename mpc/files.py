"""Files with secrets: nobody but their owner may read them, and they appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path


def write_private(path: Path, parts: Iterable[bytes], replace: bool) -> None:
    """Write a file of mode 0600 under a hidden name first, then, once it is on the disk, give it its own.

    Raises OSError; FileExistsError where there is one already and `replace` is false. Then nothing has changed.
    """
    hidden = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(hidden, path)
        else:
            os.link(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
    keep_name(path.parent)


def read_private(path: Path, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes that nobody but its owner may read. Raises OSError for any other.

    Its `strerror` says what to do.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a named pipe must not hold us up
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)  # of the file that is read, not of what has its name by now
        mode = stat.S_IMODE(found.st_mode)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if os.name == "posix" and mode & 0o077:
            raise PermissionError(errno.EPERM, f"it is open to others (mode {mode:o}); chmod 600 {path}")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes, so it is something else")
    return content


def keep_name(folder: Path) -> None:
    """A new name survives a power cut only once its folder, too, is on the disk."""
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
