"""Every refusal of a cluster file, by its message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mpc
from mpc.cluster import Cluster
from mpc.errors import ClusterError

PARTY_2 = r"cluster\.toml: \[\[party\]\] 2 of 2"
KEY = "pub_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def refused(load, content, message):
    with pytest.raises(ClusterError, match=message) as caught:
        load(content)
    assert "cluster.toml" in str(caught.value) and "sec_A" not in str(caught.value)
    assert len(str(caught.value)) < 700


CHANGES = [  # (what stands in the valid file, what in its place, the message)
    # unknown and misplaced keys
    ("protocol =", "protocl =", r"cluster\.toml: 'protocl' is not known here; did you mean 'protocol'\? Known are: protocol, "),
    ("start = 60", "begin = 60", r"\[timeouts\]: 'begin' is not known here. Known are: start, message, heartbeat"),
    ("[timeouts]", "[timeout]", r"'timeout' is not known here; did you mean 'timeouts'\?"),
    ("listen =", "lissten =", r"\[\[party\]\] 1 of 2 \('hospital-a'\): 'lissten' .* did you mean 'listen'\?"),
    ("heartbeat = 2", 'heartbeat = 2\nprotocol = "x"', "'protocol' does not belong in this table; put it at the top"),
    ("protocol =", "x" * 500 + " =", r"xxx\.\.\.' is not known here"),
    # missing keys
    ('name = "hospital-b"\n', "", PARTY_2 + ": 'name' is missing; add name = \"hospital-a\""),
    ('address = "198.51.100.7:7000"\n', "", PARTY_2 + r" \('hospital-b'\): 'address' is missing; add address = \"HOST:PORT\""),
    ('name = "ministry"\n', "", r"cluster\.toml: \[dealer\]: 'name' is missing"),
    # types
    ('"additive"', "1", "'protocol' must be a text in quotes, as in protocol = \"additive\", not a number"),
    ('"wan"', "true", "'network' must be a text in quotes, .* not a truth value"),
    ('"hospital-b"', "[]", "'name' must be a text in quotes, .* not a list"),
    ('"hospital-b"', "{}", "'name' must be a text in quotes, .* not a table"),
    ('"hospital-b"', "2020-01-01", "'name' must be a text in quotes, .* not a date or time"),
    ("= 12", "= 12.0", "'fraction_bits' must be a whole number from 1 to 28, not 12.0"),
    ("= 12", "= true", "'fraction_bits' must be a whole number .* not a truth value"),
    ("= 12", '= "12"', "'fraction_bits' must be a whole number .* not a text"),
    ("start = 60", 'start = "60"', r"\[timeouts\]: 'start' must be a number of seconds from 1 to 1e\+06, not a text"),
    ("start = 60", "start = true", "'start' must be a number of seconds .* not a truth value"),
    ("[dealer]", "[[dealer]]", r"'dealer' must be one table: write \[dealer\] on a line of its own, once, not a list"),
    ("[timeouts]", "[[timeouts]]", "'timeouts' must be one table"),
    # numbers
    ("= 12", "= 0", "from 1 to 28, not 0"),
    ("= 12", "= 29", "from 1 to 28, not 29"),
    ("= 12", "= 1" + "0" * 400, "'fraction_bits' must be a whole number from 1 to 28$"),
    ("message = 1.5", "message = inf", "'message' must be a number of seconds .* not inf"),
    ("message = 1.5", "message = nan", "'message' must be a number of seconds .* not nan"),
    ("message = 1.5", "message = 0", "'message' must be a number of seconds from 0.1 .* not 0"),
    ("message = 1.5", "message = 1e7", "'message' must be a number of seconds .* not 10000000.0"),
    ("message = 1.5", "message = 1" + "0" * 400, r"'message' must be a number of seconds from 0.1 to 1e\+06$"),
    ("message = 1.5", "message = 1e400", "'message' must be a number of seconds .* not inf"),
    ("heartbeat = 2", "heartbeat = 4000", "'heartbeat' must be a number of seconds from 0.1 to 3600, not 4000"),
    ("heartbeat = 2", "heartbeat = -1", "'heartbeat' must be .* not -1"),
    # choices and names
    ('"wan"', '"wann"', r"cluster\.toml: network='wann': neither a name nor a latency in us, ms or s and .*; write lan, wan, "),
    ('"additive"', '""', "'protocol': '' is no name"),
    ('"hospital-b"', '"hospital b"', "'name': 'hospital b' is no name: use 1 to 64 letters"),
    ('"hospital-b"', r'"b\u0000"', r"'name': 'b\\x00' is no name"),
    ('"hospital-b"', r'"b\n"', r"'name': 'b\\n' is no name"),
    ('"hospital-b"', f'"{"b" * 65}"', "'name': 'b+.*' is no name"),
    # twins
    ('"hospital-b"', '"hospital-a"', r"\[\[party\]\] 1 \('hospital-a'\) and \[\[party\]\] 2 \('hospital-a'\) have the same name"),
    ('"ministry"', '"hospital-a"', r"\[\[party\]\] 1 \('hospital-a'\) and \[dealer\] \('hospital-a'\) have the same name"),
    ("198.51.100.7:7000", "mpc.hospital-A.EXAMPLE:7000", r"\('hospital-a'\) and .* \('hospital-b'\) have the same address"),
    ("198.51.100.7:7000", "[2001:db8::0:7]:7000", r"\('hospital-b'\) and \[dealer\] .* have the same address"),
    # addresses
    ("198.51.100.7:7000", "", "'address': '': give host:port, as in mpc.hospital-a.example:7000"),
    ("198.51.100.7:7000", "198.51.100.7", "'address': '198.51.100.7': give host:port"),
    ("198.51.100.7:7000", ":7000", "'address': ':7000': give host:port"),
    ("198.51.100.7:7000", "h" * 900 + ":7000", r"'address': 'h+\.\.\.': give host:port"),
    ("198.51.100.7:7000", "tcp://b.example:7000", "leave 'tcp://' out; give host:port"),
    ("198.51.100.7:7000", "b.example:", "after the last colon comes the port, a number from 1 to 65535"),
    ("198.51.100.7:7000", "b.example:0", "after the last colon comes the port"),
    ("198.51.100.7:7000", "b.example:65536", "after the last colon comes the port"),
    ("198.51.100.7:7000", "b.example:-1", "after the last colon comes the port"),
    ("198.51.100.7:7000", "b.example: 7000", "after the last colon comes the port"),
    ("198.51.100.7:7000", "b.example:\u0667", "after the last colon comes the port"),
    ("198.51.100.7:7000", "HOST:PORT", "after the last colon comes the port"),
    ("198.51.100.7:7000", "[::1]", "after the last colon comes the port"),
    ("198.51.100.7:7000", "::1:7000", r"put brackets around an IPv6 address, as in \[2001:db8::1\]:7000"),
    ("198.51.100.7:7000", "[fe80::1%eth0]:7000", "the part after % holds on one machine only"),
    ("198.51.100.7:7000", "[::x]:7000", "the host is no IP address"),
    ("198.51.100.7:7000", "[]:7000", "the host is no IP address"),
    ("198.51.100.7:7000", "198.51.100.256:7000", "the host is no IP address"),
    ("198.51.100.7:7000", "198.51.100:7000", "the host is no IP address"),
    ("198.51.100.7:7000", "198.51.100.07:7000", "the host is no IP address"),
    ("198.51.100.7:7000", "*:7000", r"others cannot connect to \*; .*\(\* is for 'listen'\)"),
    ("198.51.100.7:7000", "0.0.0.0:7000", "others cannot connect to 0.0.0.0; give this host's name or address"),
    ("198.51.100.7:7000", "[::]:7000", "others cannot connect to ::"),
    ("198.51.100.7:7000", "224.0.0.1:7000", "others cannot connect to 224.0.0.1"),
    ("198.51.100.7:7000", "-b.example:7000", "the host is no address and no name"),
    ("198.51.100.7:7000", "b..example:7000", "the host is no address and no name"),
    ("198.51.100.7:7000", "b.example.:7000", "the host is no address and no name"),
    ("198.51.100.7:7000", "b example:7000", "the host is no address and no name"),
    ("198.51.100.7:7000", "münchen.example:7000", "the host is no address and no name; .*xn--"),
    ("198.51.100.7:7000", "x" * 64 + ".example:7000", "the host is no address and no name"),
    ("198.51.100.7:7000", "b/etc:7000", "the host is no address and no name"),
    ("0.0.0.0:7001", "a.example:7001", "'listen': .* listening takes an address of this machine, .* not a name"),
    ("0.0.0.0:7001", "0.0.0.0", "'listen': '0.0.0.0': give host:port"),
    ("0.0.0.0:7001", "*:0", "'listen': .* after the last colon comes the port"),
    # TOML
    ("= 12", "=", r"cluster\.toml is not valid TOML: .*line 2"),
    ("= 12", "= 12\nfraction_bits = 13", "is not valid TOML"),
    ("= 12", "= " + "[" * 900 + "\n" + "[" * 900, "is not valid TOML: nested too deeply"),
    ("= 12", "= " + "1" * 5000, "line 2: it has .* characters; a line may have 1000"),
]


@pytest.mark.parametrize(("old", "new", "message"), CHANGES, ids=[f"{k}: {new[:20]}" for k, (_, new, _) in enumerate(CHANGES)])
def test_a_changed_file_is_refused(load, valid, old, new, message):
    assert valid.count(old) >= 1
    refused(load, valid.replace(old, new, 1), message)


def test_keys_that_are_none(load, valid, keys):
    for new, message in [
        (KEY, "'key': this is no public key that mpc keygen makes"),
        (keys[1][:-1], "'key': a public key is pub_ and 43 letters, .* not these 46 characters"),
        (keys[0], r"\('hospital-a'\) and .* \('hospital-b'\) have the same key; each has its own"),
        ("sec_AAA", "'key': this is a SECRET key"),
    ]:
        refused(load, valid.replace(keys[1], new), message)
    refused(load, valid.replace(f'key = "{keys[1]}"', ""), "'key' is missing; add key = \"pub_...\", which mpc keygen shows")


@pytest.mark.parametrize("place", ['key = "{}"', 'secret = "{}"', "# {}", "{} = 1", "]]] {}"])
def test_a_secret_key_anywhere_is_refused_loudly(load, valid, place):
    line = place.format("sec_" + "A" * 43)
    refused(load, valid.replace("network =", line + "\nnetwork ="), r"cluster\.toml, line 3: this is a SECRET key .* new one")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"it has 0 tables \[\[party\]\]; there must be 1 to 64"),
        (b"[party]\n", r"'party': write \[\[party\]\], with two brackets, on a line before each of them"),
        (b"party = 1", r"write \[\[party\]\], with two brackets"),
        (b"party = [1]", r"write \[\[party\]\], with two brackets"),
        (b"dealer = 1", r"'dealer' must be one table: .* not a number"),
        (b'protocol = "\xff"', r"cluster\.toml is not UTF-8 text, from byte 12 on; save it as UTF-8"),
        ('protocol = "x"'.encode("utf-16"), "is not UTF-8 text"),
        (b"\0", "is not valid TOML"),
        (b"PK\3\4", "is not valid TOML"),
        (b"#\n" * (1 << 17) + b"#", "is no cluster file: it has more than 256 KiB"),
    ],
)
def test_other_files_are_refused(load, content, message):
    refused(load, content, message)


def test_files_that_cannot_be_read(tmp_path):
    for path, message in [(tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), ("a\0b", "null")]:
        with pytest.raises(ClusterError, match=f"the cluster file .* cannot be read: .*{message}"):
            Cluster.load(path)


# ------------------------------------------------------------------ anything at all


def only_errors_of_mpc(path, content):
    path.write_bytes(content)
    try:
        cluster = Cluster.load(path)
    except mpc.Error as error:
        assert len(str(error)) < 700 + len(str(path))
        return
    assert cluster.digest() and [cluster.index_of(member.name) for member in cluster.endpoints]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "cluster.toml"


@given(content=st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_bytes(path, content):
    only_errors_of_mpc(path, content)


WORDS = [
    *"[]{}\"'=.,#\n \\\0",
    "[[",
    "]]",
    "party",
    "dealer",
    "timeouts",
    "listen",
    "inf",
    "nan",
    "1e999",
    "9" * 30,
    "sec_",
    "\\u0000",
]


@given(data=st.data())
def test_a_valid_file_with_changes(path, valid, data):
    text = valid
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=5))) + text[end:]
    only_errors_of_mpc(path, text.encode(errors="replace"))


SCALARS = ["1", "-1", "0.5", "nan", "true", '""', '"a:1"', '"[::1]:1"', "[]", "{}", "1979-05-27", "07:32:00", "[{}]", f'"{KEY}"']
NAMES = [
    "protocol",
    "fraction_bits",
    "network",
    "timeouts",
    "party",
    "dealer",
    "name",
    "address",
    "listen",
    "key",
    "start",
    "a.b",
]


@given(lines=st.lists(st.tuples(st.sampled_from([*NAMES, "[[party]]\nname", "[dealer]\nkey"]), st.sampled_from(SCALARS))))
def test_any_value_of_any_key(path, lines):
    only_errors_of_mpc(path, "\n".join(f"{name} = {value}" for name, value in lines).encode())
