"""Runs without a dealer: files of what it would have sent, and the ledgers that keep each run from being used twice."""

from mpc.offline.dealt import Dealt, DealtAt, Expectation, agree, claim_together, open_dealt
from mpc.offline.record import Record

__all__ = ["Dealt", "DealtAt", "Expectation", "Record", "agree", "claim_together", "open_dealt"]
