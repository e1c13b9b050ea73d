"""The dealer: derives masks from the seeds that it shares with each party, and sends corrections to the last one.

It needs to remember nothing per tensor (it keeps the latest masks for speed), sees no opening and no share of data. It
answers each number once.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mpc.contract import codec
from mpc.errors import DesyncError, FrameError
from mpc.party import Cost, Endpoint
from protocols.additive.correlations import Correlation
from protocols.additive.source import digest, portions
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
            requests = [self._endpoint.receive_request(i) for i in range(self._endpoint.size)]
            begin = time.perf_counter()
            label = self._agreed(requests)
            if label == "deal.end":
                return
            self._answer(label, requests[0][1])
            self._endpoint.meter.count(label, Cost(seconds=time.perf_counter() - begin))

    def _agreed(self, requests: list[tuple[str, list[Array]]]) -> str:
        """The label on which all parties agree, and their digests too."""
        label, parts = requests[0]
        expected = digest(parts)
        for party, (other, theirs) in enumerate(requests[1:], 1):
            same = label == other and (label == "deal.end" or (len(theirs) == 1 and theirs[0].tobytes() == expected.tobytes()))
            if not same:
                raise DesyncError(
                    f"the dealer refuses a request: party 0 asks for {label!r} and party {party} for {other!r}, or for other "
                    "shapes or values of it. Every party must run the same program on the same public values."
                )
        return label

    def _answer(self, label: str, parts: list[Array]) -> None:
        dealt = (self._deal(number, correlation) for number, correlation in _parse(parts))
        for portion in portions(dealt, lambda arrays: sum(array.nbytes for array in arrays)):
            corrections = [array for arrays in portion for array in arrays]
            self._endpoint.send_correction(self._endpoint.size - 1, label, corrections)

    def _deal(self, number: int, correlation: Correlation) -> list[Array]:
        """The corrections of one correlation, in all versions."""
        if number <= self._answered:
            raise DesyncError(f"the dealer refuses correlation {number}: it has answered up to {self._answered} already")
        self._answered = number
        return [array for dealing in self._dealings for array in dealing.corrections(number, correlation)]


def _parse(parts: list[Array]) -> list[tuple[int, Correlation]]:
    """The numbers and correlations of one message."""
    requests = codec.decode(parts)
    if not isinstance(requests, tuple) or not requests or not all(isinstance(r, tuple) and len(r) == 2 for r in requests):
        raise FrameError("the dealer got a message that is no list of requests")
    for number, correlation in requests:
        if not isinstance(correlation, Correlation):
            raise FrameError("the dealer got a request for something that is no correlation")
        if not isinstance(number, int) or not 0 < number < 1 << 64:
            raise FrameError(f"a request for {correlation.label} numbered {number!r}")
    return list(requests)


def serve(endpoint: Endpoint) -> None:
    Dealer(endpoint).serve()
