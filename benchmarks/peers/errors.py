"""What can go wrong with a peer."""

from mpc.errors import Error


class PeerError(Error):
    """A peer that cannot be installed, is not, or failed. The message names it and what to do."""


class TooSlow(PeerError):
    """A measurement that took longer than it may; its processes were ended."""
