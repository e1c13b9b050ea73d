"""The cluster file: what a valid one says, and what hosts must have alike."""

import re
import socket
from pathlib import Path

import pytest
import zmq

from mpc.cluster import Cluster, Member, parse_public
from mpc.errors import ClusterError
from mpc.party import DEFAULT_TIMEOUT

PAGE = Path(__file__).parents[2] / "docs" / "across-machines.md"


def test_everything_that_it_says(load, valid, keys):
    publics = [parse_public(key) for key in keys]
    assert load(valid) == Cluster(
        members=(
            Member("hospital-a", "mpc.hospital-a.example", 7000, publics[0], "0.0.0.0", 7001),
            Member("hospital-b", "198.51.100.7", 7000, publics[1], "*", 7000),
        ),
        dealer=Member("ministry", "2001:db8::7", 7000, publics[2], "*", 7000),
        protocol="additive",
        fraction_bits=12,
        network="wan",
        start=60.0,
        message=1.5,
        heartbeat=2.0,
    )


def test_defaults_are_those_of_runs_on_one_machine(load, keys):
    cluster = load(f'[[party]]\nname = "a"\naddress = "localhost:7000"\nkey = "{keys[0]}"')
    assert cluster == Cluster(cluster.members)
    assert (cluster.protocol, cluster.fraction_bits, cluster.network, cluster.dealer) == ("additive", 16, "lan", None)
    assert (cluster.start, cluster.message, cluster.heartbeat) == (600, DEFAULT_TIMEOUT, 2.5)


@pytest.mark.parametrize("network", ["lan", "wan", "20ms,100mbit", "wan,dealer=lan"])
def test_every_text_that_describes_links(load, valid, network):
    assert load(valid.replace('"wan"', f'"{network}"')).network == network


def test_the_page_shows_a_valid_file(load):
    example = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.S)[0]
    assert [member.name for member in load(example).endpoints] == ["hospital-a", "hospital-b", "ministry"]


def test_a_file_of_windows(load, valid):
    """Its line ends, and the mark at its beginning."""
    assert load(b"\xef\xbb\xbf" + valid.replace("\n", "\r\n").encode()) == load(valid)


def test_sixty_four_parties(load):
    from mpc.cluster import Identity, public_text

    def table(k):
        key = public_text(Identity("p", bytes([k] * 32)).public)
        return f'[[party]]\nname = "p{k}"\naddress = "10.0.0.{k}:7000"\nkey = "{key}"\n'

    assert len(load("".join(map(table, range(64)))).members) == 64
    with pytest.raises(ClusterError, match=r"it has 65 tables \[\[party\]\]; there must be 1 to 64"):
        load("".join(map(table, range(65))))


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("localhost:1", "tcp://localhost:1"),
        ("A.Example:65535", "tcp://a.example:65535"),
        ("party_0:7000", "tcp://party_0:7000"),
        ("127.0.0.1:07000", "tcp://127.0.0.1:7000"),
        ("[::1]:7000", "tcp://[::1]:7000"),
        ("[2001:DB8:0:0::8]:7000", "tcp://[2001:db8::8]:7000"),
    ],
)
def test_addresses(load, valid, address, endpoint):
    member = load(valid.replace("198.51.100.7:7000", address)).members[1]
    assert member.endpoint == endpoint
    assert member.listen_endpoint == f"tcp://*:{member.port}"


@pytest.mark.parametrize(
    ("listen", "endpoint"),
    [
        ("*:7000", "tcp://*:7000"),
        ("10.0.0.5:1", "tcp://10.0.0.5:1"),
        ("[::]:7000", "tcp://[::]:7000"),
        ("[0::1]:7000", "tcp://[::1]:7000"),
    ],
)
def test_what_it_listens_at(load, valid, listen, endpoint):
    assert load(valid.replace("0.0.0.0:7001", listen)).members[0].listen_endpoint == endpoint


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_zeromq_takes_these_endpoints(load, valid, host):
    with socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET) as free:
        try:
            free.bind((host.strip("[]"), 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        port = free.getsockname()[1]
    text = valid.replace("0.0.0.0:7001", f"{host}:{port}").replace("mpc.Hospital-a.example:7000", f"{host}:{port}")
    member = load(text).members[0]
    with zmq.Context() as context, context.socket(zmq.PULL) as inbox, context.socket(zmq.PUSH) as outbox:
        inbox.ipv6 = outbox.ipv6 = True
        inbox.bind(member.listen_endpoint)
        outbox.connect(member.endpoint)
        outbox.send(b"here")
        assert inbox.poll(10_000) and inbox.recv() == b"here"


# ------------------------------------------------------------------ members by name


def test_members_by_index_and_name(load, valid):
    cluster = load(valid)
    assert [cluster.index_of(member.name) for member in cluster.endpoints] == [0, 1, 2]
    alone = load(valid[: valid.index("[dealer]")])
    assert alone.endpoints == alone.members == cluster.members
    with pytest.raises(ClusterError, match=r"'ministry' is not in this cluster\. Its members: hospital-a, hospital-b$"):
        alone.index_of("ministry")
    with pytest.raises(ClusterError, match=r"did you mean 'ministry'\? Its members: hospital-a, hospital-b, ministry$"):
        cluster.index_of("minstry")


# ------------------------------------------------------------------ what hosts must have alike


def test_the_agreement_in_full(load, valid, keys):
    assert load(valid).agreement() == {
        "protocol": "additive",
        "fraction_bits": "12",
        "network": "wan",
        "parties": "2",
        "timeouts, message": "1.5 s",
        "timeouts, heartbeat": "2.0 s",
        "party 0, name": "hospital-a",
        "party 0, address": "mpc.hospital-a.example:7000",
        "party 0, key": keys[0],
        "party 1, name": "hospital-b",
        "party 1, address": "198.51.100.7:7000",
        "party 1, key": keys[1],
        "dealer, name": "ministry",
        "dealer, address": "[2001:db8::7]:7000",
        "dealer, key": keys[2],
    }


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("additive", "plaintext", "protocol"),
        ("= 12", "= 13", "fraction_bits"),
        ("wan", "lan", "network"),
        ("1.5", "1.25", "timeouts, message"),
        ("heartbeat = 2", "heartbeat = 3", "timeouts, heartbeat"),
        ("hospital-b", "hospital-c", "party 1, name"),
        ("198.51.100.7", "198.51.100.8", "party 1, address"),
        ("[2001:db8:0::7]:7000", "[2001:db8:0::7]:7001", "dealer, address"),
    ],
)
def test_a_difference_is_told_by_its_name(load, valid, old, new, name):
    one, other = load(valid), load(valid.replace(old, new))
    assert {key for key, _ in one.agreement().items() ^ other.agreement().items()} == {name}
    assert one.digest() != other.digest()


def test_keys_the_order_and_the_dealer_are_agreed_on(load, valid, keys):
    swapped = valid.replace(keys[0], "?").replace(keys[1], keys[0]).replace("?", keys[1])
    other_key = valid.replace(keys[2], keys[3])
    no_dealer = valid[: valid.index("[dealer]")]
    assert len({load(text).digest() for text in (valid, swapped, other_key, no_dealer)}) == 4
    assert load(no_dealer).agreement()["dealer"] == "none"


def test_what_is_a_hosts_own_affair_is_not_agreed_on(load, valid):
    other = valid.replace("start = 60", "start = 5").replace("0.0.0.0:7001", "*:9") + "# a comment\n"
    assert load(other).digest() == load(valid.replace("Hospital", "hospital")).digest()
