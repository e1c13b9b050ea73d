"""What the tests of protocols share."""

import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from mpc.launch.simulate import simulate_job
from mpc.testing import protocol_of, simulate
from mpc.transport.zeromq import ZeroMQTransport
from protocols.additive import Additive

TOKEN = b"a token of these tests, 32 bytes"


def zeromq_job(job):
    """A job's results, carried over loopback sockets between the threads of this process."""
    job = replace(job, seed=1)  # so that the keys, and with them the session, are known here
    transports, addresses = {}, {}
    ready = threading.Barrier(job.endpoints, timeout=30)

    def over_zeromq(inner):
        transport = ZeroMQTransport(inner.index, job.keys()[0].session, TOKEN)
        transports[inner.index], addresses[inner.index] = transport, transport.address
        ready.wait()
        transport.connect(addresses)
        return transport

    with ExitStack() as stack:
        stack.callback(lambda: [transport.close() for transport in transports.values()])
        return [result for result, _ in simulate_job(job, wrap=over_zeromq)[: job.parties]]


@pytest.fixture
def over_zeromq():
    return zeromq_job


@pytest.fixture(scope="session")
def contract_of():
    """Run `program(protocol)` at each party, on the contract itself: its results, or with full=True the Simulation."""

    def run(program, n=2, protocol=Additive, full=False, **options):
        simulation = simulate(lambda party: program(protocol_of(party)), parties=n, protocol=protocol, **options)
        return simulation if full else simulation.results

    return run


@pytest.fixture
def contract(contract_of):
    return contract_of
