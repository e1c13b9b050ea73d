"""A valid cluster file to change."""

import pytest

from mpc.cluster import Cluster, Identity, public_text

KEYS = [public_text(Identity(f"p{k}", bytes([k + 1] * 32)).public) for k in range(4)]
VALID = f"""\
protocol = "additive"
fraction_bits = 12
network = "wan"

[timeouts]
start = 60
message = 1.5
heartbeat = 2

[[party]]
name = "hospital-a"
address = "mpc.Hospital-a.example:7000"
listen = "0.0.0.0:7001"
key = "{KEYS[0]}"

[[party]]
name = "hospital-b"
address = "198.51.100.7:7000"
key = "{KEYS[1]}"

[dealer]
name = "ministry"
address = "[2001:db8:0::7]:7000"
key = "{KEYS[2]}"
"""


@pytest.fixture
def load(tmp_path):
    """load(text or bytes): the cluster of a file cluster.toml with that content."""

    def loaded(content):
        path = tmp_path / "cluster.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Cluster.load(path)

    return loaded


@pytest.fixture(scope="session")
def valid():
    return VALID


@pytest.fixture(scope="session")
def keys():
    return KEYS
