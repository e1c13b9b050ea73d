"""The links between endpoints as a protocol plans for them, and as a local run may emulate them: latency and bandwidth."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace

from mpc.errors import OptionError

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {"kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8}  # of a second; tc's mbps are megabytes, other people's are not
_QUANTITY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([a-z]+)", re.ASCII)
_EXAMPLES = "write lan, wan, a latency and a bandwidth as in '20ms,100mbit', or 'wan,dealer=lan' where the dealer is nearer"


@dataclass(frozen=True)
class Network:
    """Every link of a run: `latency` seconds one way, so that a round costs it once, and `bandwidth` bytes a second each way.

    `name` is the text that it was parsed from; `dealer`: the links to the dealer, where they are others than those between
    parties. `emulated`: whether a local run holds its messages back as these links would; else the machine is as fast as it
    is, and the figures are to plan with. Networks are equal where all but their names are.
    """

    name: str = field(compare=False)
    latency: float
    bandwidth: float = math.inf
    dealer: Network | None = None
    emulated: bool = True

    @classmethod
    def parse(cls, text: str | None) -> Network:
        """The network that a text describes; None: LOOPBACK, the machine itself, where nothing is emulated.

        A text is "lan", "wan", "none" (as None), or a latency and a bandwidth as `tc netem` takes them, in us, ms or s and in
        kbit, mbit or gbit (a second): "20ms,100mbit"; one alone leaves the other free. "dealer=" after that says how the
        dealer's links are, as one of lan, wan, none (not emulated): "wan,dealer=lan", "40ms,352mbit,dealer=none".
        OptionError for anything else.
        """
        if text is None:
            return LOOPBACK
        parts = [part.strip().lower() for part in text.split(",")] if isinstance(text, str) else []
        dealer = _named(text, parts.pop().removeprefix("dealer=")) if parts and parts[-1].startswith("dealer=") else None
        links = NAMED[parts[0]] if len(parts) == 1 and parts[0] in NAMED else cls(text, *_figures(text, parts))
        return replace(links, name=text, dealer=dealer) if dealer else links

    @property
    def figures(self) -> tuple[float, ...]:
        """Latency and bandwidth, and those of the dealer's links if they are others: all that a protocol may choose by."""
        return self.latency, self.bandwidth, *(self.dealer.figures if self.dealer else ())

    def seconds(self, rounds: float, nbytes: float) -> float:
        """How long so many rounds, and bytes in one direction of one link, take where nothing overlaps."""
        return rounds * self.latency + nbytes / self.bandwidth


LAN = Network("lan", 0.15e-3, 3e9 / 8)
WAN = Network("wan", 40e-3, 352e6 / 8)
LOOPBACK = Network("loopback", 75e-6, 1.4e9, emulated=False)  # ZeroMQ over TCP within a machine, nominally
NAMED = {"lan": LAN, "wan": WAN, "none": LOOPBACK, "loopback": LOOPBACK}


def _refusal(text: object, why: str) -> OptionError:
    shown = repr(text) if len(repr(text)) <= 66 else f"{repr(text)[:63]}...'"
    return OptionError(f"network={shown}: {why}; {_EXAMPLES}")


def _named(text: str, name: str) -> Network:
    if name not in NAMED:
        raise _refusal(text, "the links to the dealer must be one of lan, wan, none")
    return NAMED[name]


def _figures(text: str, parts: list[str]) -> tuple[float, float]:
    """The latency and the bandwidth among the parts of a text."""
    found: dict[str, float] = {}
    for part in parts or [""]:
        match = _QUANTITY.fullmatch(part)
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        if unit in _SECONDS:
            quantity, value = "latency", number * _SECONDS[unit]
        elif unit in _BYTES and not number:
            raise _refusal(text, "a bandwidth must be above 0")
        elif unit in _BYTES:
            quantity, value = "bandwidth", number * _BYTES[unit]
        else:
            raise _refusal(text, "neither a name nor a latency in us, ms or s and a bandwidth in kbit, mbit or gbit")
        if quantity in found:
            raise _refusal(text, f"two parts give its {quantity}")
        found[quantity] = value
    return found.get("latency", 0.0), found.get("bandwidth", math.inf)
