"""Every error that a user of mpc can cause. Each is an `mpc.Error` and, where one fits, a built-in exception too."""

from __future__ import annotations

import numpy as np


class Error(Exception):
    """Base of all errors of mpc. The message names the party, the operation and what to do."""


class RangeError(Error, ValueError):
    """A value does not fit the fixed-point range, or is NaN or infinite."""


class ShapeError(Error, ValueError):
    """Shapes that do not fit together."""


class AxisError(ShapeError, np.exceptions.AxisError):
    """An axis that a tensor does not have: NumPy's AxisError, a ValueError and an IndexError."""


class IndexingError(Error, IndexError):
    """An index beyond a tensor's axes or their lengths."""


class UsageError(Error, TypeError):
    """An operation that secret tensors do not have, or one called in a way that they cannot support."""


class MissingError(UsageError, AttributeError):
    """A name that NumPy's arrays, or PyTorch, have, and secret tensors or networks have not: the text says what to write."""


class OptionError(Error, ValueError):
    """An option of `run`, `simulate` or the command line with a value that cannot work."""


class ModelError(Error, ValueError):
    """A model from elsewhere that cannot be run. The message names the node."""


class StateError(Error, ValueError):
    """A share file, or its key, that is damaged, was altered, or belongs elsewhere."""


class ClusterError(Error, ValueError):
    """A cluster file, or something in it, that cannot be used. The message names the file, the table and what to do."""


class KeyFileError(Error, ValueError):
    """A party's key file that is missing, damaged, open to others, or in the way of a new one."""


class CheckpointError(StateError):
    """A checkpoint that cannot be written, or that this run cannot resume from."""


class DealtFileError(StateError):
    """A dealt file or its ledger that is damaged, was altered, is used up, or belongs to another program, party or deal."""


class DryRunError(Error, RuntimeError):
    """A program that needs a value while it runs on shapes alone. The message has the line."""


class CalibrationError(Error, ValueError):
    """A calibration of this machine that cannot be read, or one that cannot be made or kept."""


class ResultsError(Error, ValueError):
    """A file of `mpc bench --json` that cannot be read or written. The message names the file and what to do."""


class PackageError(Error, ImportError):
    """A package that is not installed, which only some of mpc needs."""


class ProtocolError(Error, RuntimeError):
    """A protocol that cannot be loaded, or one that lacks what the contract asks of it."""


class MaskReuseError(Error, RuntimeError):
    """A one-time mask was about to hide a second value. Nothing was sent."""


class FrameError(Error, ValueError):
    """Bytes from a peer that are not a message of this program."""


class DesyncError(Error, RuntimeError):
    """Two parties are not at the same operation: they run different programs, or branch on different values."""


class IntegrityError(Error, RuntimeError):
    """A message was altered, parties were told different things, or the dealer deals wrongly. Nothing of it was revealed."""


class PeerTimeout(Error, TimeoutError):
    """A peer did not send the next message in time."""

    def __init__(self, message: str, peer: int | None = None):
        super().__init__(message)
        self.peer = peer


class PeerFailed(Error, ConnectionError):
    """A peer raised an error or died, so this party cannot go on; it was waiting for `waited_for`, which may be another."""

    def __init__(self, message: str, peer: int | None = None, waited_for: int | None = None):
        super().__init__(message)
        self.peer = peer
        self.waited_for = waited_for


class LinkLost(PeerFailed):
    """The link to a peer broke: the peer died, its machine cannot be reached any more, or the network between was cut."""


class HandshakeError(Error, ConnectionError):
    """Parties that should run together do not fit: other versions, programs, configurations or keys, or one that never came."""


class RunFailed(Error, RuntimeError):
    """A party ended in a way that cannot be raised here as it was there; the cause or the message has its traceback."""


class PartyDied(Error, RuntimeError):
    """A party's process ended without a result: it was killed, or it crashed outside Python."""

    def __init__(self, message: str, party: int | None = None):
        super().__init__(message)
        self.party = party


class ServiceError(Error, RuntimeError):
    """A service (`mpc serve`) that cannot start or be reached, or that cannot take a job."""


class JobRefused(ServiceError):
    """A job that did not begin, because a host does not admit its program."""


class JobStopped(Error, RuntimeError):
    """A job that the service of this host ended: the service was stopped, or the job took longer than it may."""


def party_name(index: int, size: int) -> str:
    """How messages call an endpoint: the dealer has the index after the last party."""
    return "the dealer" if index == size else f"party {index}"
