"""Test tools for protocols and programs: simulations that record, chosen masks, strategies, and the conformance suite.

Names load when first used, so that simulations need neither hypothesis nor scipy. docs/testing-a-protocol.md is the tour.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpc.testing.conformance import check_protocol
    from mpc.testing.faults import FAULTS, Faulty
    from mpc.testing.masks import RING_EDGES, insecure_masks, masks_that_open
    from mpc.testing.random_programs import RandomProgram, programs
    from mpc.testing.recording import Message, Recorder, Transcript
    from mpc.testing.secrecy import check_secrecy
    from mpc.testing.simulation import Simulation, protocol_of, share_input, simulate
    from mpc.testing.strategies import (
        bits,
        broadcastable_shapes,
        matmul_shapes,
        ring_arrays,
        shapes,
        shares,
        signed_arrays,
    )
    from mpc.testing.transports import check_transport
    from mpc.testing.uniformity import check_jointly_uniform, check_uniform, uniform_p_value

_MODULES = {
    "conformance": ["check_protocol"],
    "faults": ["FAULTS", "Faulty"],
    "masks": ["RING_EDGES", "insecure_masks", "masks_that_open"],
    "random_programs": ["RandomProgram", "programs"],
    "recording": ["Message", "Recorder", "Transcript"],
    "secrecy": ["check_secrecy"],
    "simulation": ["Simulation", "protocol_of", "share_input", "simulate"],
    "strategies": [
        "bits",
        "broadcastable_shapes",
        "matmul_shapes",
        "ring_arrays",
        "shapes",
        "shares",
        "signed_arrays",
    ],
    "transports": ["check_transport"],
    "uniformity": ["check_jointly_uniform", "check_uniform", "uniform_p_value"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "FAULTS",
    "Faulty",
    "Message",
    "RING_EDGES",
    "RandomProgram",
    "Recorder",
    "Simulation",
    "Transcript",
    "bits",
    "broadcastable_shapes",
    "check_jointly_uniform",
    "check_protocol",
    "check_secrecy",
    "check_transport",
    "check_uniform",
    "insecure_masks",
    "masks_that_open",
    "matmul_shapes",
    "programs",
    "protocol_of",
    "ring_arrays",
    "shapes",
    "share_input",
    "shares",
    "signed_arrays",
    "simulate",
    "uniform_p_value",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mpc.testing' has no attribute {name!r}")
    try:
        return getattr(import_module(f"mpc.testing.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'mpc.testing.{name} needs {error.name}: pip install "mpc[test]"', name=error.name) from None


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
