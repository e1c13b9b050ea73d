"""What an owner announces of its input is data from a peer: the others check it."""

import numpy as np
import pytest

import mpc
from mpc.errors import FrameError
from mpc.transport import ArraySpec


def announced(dtype, parties, protocol, shape=(3,)):
    """The errors of the parties to which owner 0 announces an array of this dtype and shape."""

    def program(party):
        if party.index == 0:
            return party._endpoint.announce("input", 0, ArraySpec(dtype, shape))
        with pytest.raises(mpc.Error) as caught:
            party.input(None, owner=0)
        return caught.type, str(caught.value)

    return mpc.simulate(program, parties=parties, protocol=protocol, timeout=10)[1:]


@pytest.mark.parametrize("protocol", ["additive", "plaintext"])
@pytest.mark.parametrize("dtype", ["uint64", "uint8", "uint16", "uint32"])
def test_an_announced_dtype_that_no_tensor_has_is_refused(dtype, protocol):
    for kind, text in announced(dtype, 3, protocol):
        assert kind is FrameError and f"party 0 announces an array of dtype {dtype}" in text


@pytest.mark.parametrize("protocol", ["additive", "plaintext"])
@pytest.mark.parametrize(("dtype", "shape"), [("int64", (1 << 50,)), ("float64", (1 << 20, 1 << 11)), ("bool", (1 << 34,))])
def test_an_announced_shape_that_nobody_has_room_for_is_refused(dtype, shape, protocol):
    for kind, text in announced(dtype, 3, protocol, shape):
        assert kind is FrameError and f"party 0 announces {dtype}{list(shape)}" in text


def test_a_dtype_that_no_array_may_have_does_not_leave_the_owner():
    def program(party):
        party._endpoint.announce("input", 0, ArraySpec.of(np.zeros(3, np.complex128)) if party.index == 0 else None)

    with pytest.raises(mpc.Error, match="complex128 cannot be sent"):
        mpc.simulate(program, timeout=10)
