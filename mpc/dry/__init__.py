"""Programs on shapes alone: for what a run will cost, and to deal for it ahead of time."""

from mpc.dry.dealing import Dealing, Recipient, deal
from mpc.dry.endpoint import Request
from mpc.dry.run import Dry, dry_run
from mpc.dry.unknown import Unknown

__all__ = ["Dealing", "Dry", "Recipient", "Request", "Unknown", "deal", "dry_run"]
