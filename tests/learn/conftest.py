"""Estimators on secret tensors: what a function of them reveals."""

import numpy as np
import pytest

import mpc


def compute(function, *arrays, protocol="plaintext", **options):
    """function(*tensors) reveals a tuple of tensors; public results stay as they are."""

    def program(party):
        results = function(*(party.input(array if party.index == 0 else None, 0) for array in arrays))
        return [r.reveal() if isinstance(r, mpc.Tensor) else r for r in results]

    parties = 1 if protocol == "plaintext" else 2
    first, *others = mpc.simulate(program, parties=parties, protocol=protocol, **options)
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    return first


def rounds(function, *arrays):
    """How many rounds function(*tensors) takes on the additive protocol; and that it reveals nothing."""

    def program(party):
        tensors = [party.input(array if party.index == 0 else None, 0) for array in arrays]
        with party.measure() as cost:
            function(*tensors)
        assert "reveal" not in party.stats.operations
        return cost.rounds

    first, second = mpc.simulate(program)
    assert first == second
    return first


@pytest.fixture(name="compute")
def compute_fixture():
    return compute


@pytest.fixture(name="rounds")
def rounds_fixture():
    return rounds
