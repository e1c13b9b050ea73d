"""The dealer: derives masks from the seeds that it shares with each party, and sends corrections to the last one.

It needs to remember nothing per tensor (it keeps the latest masks for speed), sees no opening and no share of data. It
answers each number once.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mpc.errors import DesyncError
from mpc.party import Cost, Endpoint
from protocols.additive import requests
from protocols.additive.requests import Asked
from protocols.additive.source import portions
from protocols.additive.spot_check import dealings, version_streams

Array = np.ndarray[Any, np.dtype[Any]]


class Dealer:
    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._dealings = dealings([version_streams(endpoint, party) for party in range(endpoint.size)])
        self._answered = 0

    def serve(self) -> None:
        """Answer requests until every party has finished."""
        while True:
            messages = [self._endpoint.receive_request(i) for i in range(self._endpoint.size)]
            begin = time.perf_counter()
            label = self._agreed(messages)
            if label == "deal.end":
                return
            self._answer(label, messages[0][1])
            self._endpoint.meter.count(label, Cost(seconds=time.perf_counter() - begin))

    def _agreed(self, messages: list[tuple[str, list[Array]]]) -> str:
        """The label on which all parties agree, and their digests too."""
        label, parts = messages[0]
        expected = requests.digest(parts)
        for party, (other, theirs) in enumerate(messages[1:], 1):
            same = label == other and (label == "deal.end" or (len(theirs) == 1 and theirs[0].tobytes() == expected.tobytes()))
            if not same:
                raise DesyncError(
                    f"the dealer refuses a request: party 0 asks for {label!r} and party {party} for {other!r}, or for other "
                    "shapes or values of it. Every party must run the same program on the same public values."
                )
        return label

    def _answer(self, label: str, parts: list[Array]) -> None:
        dealt = map(self._deal, requests.decode(parts))
        for portion in portions(dealt, lambda arrays: sum(array.nbytes for array in arrays)):
            corrections = [array for arrays in portion for array in arrays]
            self._endpoint.send_correction(self._endpoint.size - 1, label, corrections)

    def _deal(self, asked: Asked) -> list[Array]:
        """The corrections of one correlation, in all versions."""
        if asked.number <= self._answered:
            raise DesyncError(f"the dealer refuses correlation {asked.number}: it has answered up to {self._answered} already")
        self._answered = asked.number
        return [array for dealing in self._dealings for array in dealing.corrections(asked)]


def serve(endpoint: Endpoint) -> None:
    Dealer(endpoint).serve()
