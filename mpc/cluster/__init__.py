"""Parties on machines of their own: who they are (keys), and the file that all of them share."""

from mpc.cluster.file import MOST_PARTIES, Cluster
from mpc.cluster.keys import Identity, check_name, fingerprint, parse_public, public_text
from mpc.cluster.members import Member

__all__ = ["Cluster", "Identity", "MOST_PARTIES", "Member", "check_name", "fingerprint", "parse_public", "public_text"]
