"""Are emulated links what was asked for? Rounds and bytes between processes of `mpc.run`, by the real clock.

Three patterns of ten messages: "rounds", each sent both ways at once, as protocols do; "to and fro", each the answer to the one
before; and "in a row", which share one latency. Asked: latencies and bytes / bandwidth alone. Measured: and what Python and the
processor take for a message, of which the last column gives an idea: the same where nothing is emulated.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import mpc
from mpc.network import Network
from mpc.testing import protocol_of

NETWORKS = ("lan", "wan", "20ms,100mbit")
SIZES = (10**3, 10**6, 10**7)
HEADER = 60  # bytes, about
COUNT = 10  # messages of a pattern
PATTERNS = ("rounds", "to and fro", "in a row")
SECONDS = 1.0  # of repetitions, at most about


def program(party: Any, nbytes: int, repeats: dict[str, int], latency: float) -> dict[str, list[float]]:
    """Seconds of each repetition of each pattern, until this party has everything."""
    endpoint, array = protocol_of(party).endpoint, np.zeros(nbytes, np.uint8)
    me, other = party.index, 1 - party.index

    def pass_on(*senders: int) -> None:
        for sender in senders:
            endpoint.exchange("one way", [array], [other] * (me == sender), [other] * (me != sender))

    def rounds() -> None:
        for _ in range(COUNT):
            endpoint.exchange("round", [array])

    actions = {
        "rounds": rounds,
        "to and fro": lambda: pass_on(*(0, 1) * (COUNT // 2)),
        "in a row": lambda: pass_on(*(1,) * COUNT),
    }
    return {name: [_timed(endpoint, actions[name], latency) for _ in range(repeats[name])] for name in PATTERNS}


def _timed(endpoint: Any, action: Callable[[], object], latency: float) -> float:
    """Seconds from a moment at which both parties begin, as they agree: processes of one machine share its clock."""
    mine = np.array([time.monotonic() + 2 * latency + 2e-3])
    begin = float(max(mine[0], endpoint.exchange("when", [mine])[0][0][0]))
    time.sleep(max(0.0, begin - time.monotonic() - 1e-3))
    while time.monotonic() < begin:
        pass
    action()
    return time.monotonic() - begin


def asked(network: Network, pattern: str, nbytes: int) -> float:
    return network.seconds(1 if pattern == "in a row" else COUNT, COUNT * (nbytes + HEADER))


@click.command()
@click.argument("networks", nargs=-1)
def main(networks: Sequence[str] = NETWORKS) -> None:
    """Measure NETWORKS, as for `mpc run --network`."""
    columns = "network", "bytes", "pattern", "asked ms", "median ms", "ratio", "fastest / asked", "median not emulated, ms"
    table = Table(*columns, title="emulated links between processes")
    for text in networks or NETWORKS:
        network = Network.parse(text)
        for nbytes in SIZES:
            expected = {pattern: asked(network, pattern, nbytes) for pattern in PATTERNS}
            repeats = {pattern: 1 + min(200, int(SECONDS / seconds)) for pattern, seconds in expected.items()}
            arguments = nbytes, repeats, network.latency
            measured = mpc.run(program, *arguments, protocol="plaintext", network=text)[0]
            bare = mpc.run(program, *arguments, protocol="plaintext")[0]
            for pattern in PATTERNS:
                wanted, median, least = expected[pattern], statistics.median(measured[pattern]), min(measured[pattern])
                figures = 1000 * wanted, 1000 * median, median / wanted, least / wanted, 1000 * statistics.median(bare[pattern])
                table.add_row(text, f"{nbytes:,}", pattern, *map("{:.3f}".format, figures))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
