"""Key pairs and their files: round trips, permissions, and every refusal."""

import base64
import copy
import os
import pickle
import stat
import subprocess
import sys
from contextlib import suppress

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from mpc.cluster import Identity, fingerprint, parse_public, public_text
from mpc.errors import ClusterError, KeyFileError

PRIME = 2**255 - 19
LOW_ORDER = [  # all of them, in every way to write them with 32 bytes: cr.yp.to/ecdh.html#validate
    0,
    1,
    PRIME - 1,
    PRIME,
    PRIME + 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]


def text_of(number):
    return public_text(number.to_bytes(32, "little"))


# ------------------------------------------------------------------ key pairs


def test_keys_are_those_of_curve_links():
    """ZeroMQ makes the same public key of the secret one."""
    for _ in range(20):
        identity = Identity.generate("a")
        assert zmq.curve_public(z85.encode(identity.secret)) == z85.encode(identity.public)


def test_generated_keys_differ():
    assert len({Identity.generate("a").secret for _ in range(10)}) == 10


def test_a_secret_is_not_shown_and_not_pickled():
    identity = Identity.generate("a")
    for shown in (repr(identity), str(identity), f"{identity}"):
        assert repr(identity.secret) not in shown and base64.urlsafe_b64encode(identity.secret).decode()[:9] not in shown
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            leave(identity)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "-a", "a\n", "a\0", "ä", "x" * 65, "../x", "a/b", None, 3])
def test_names_that_are_none(name):
    with pytest.raises(ClusterError, match="is no name: use 1 to 64 letters, digits, - and _"):
        Identity.generate(name)


@pytest.mark.parametrize("name", ["a", "Hospital-A_2", "_", "0", "x" * 64])
def test_names(name):
    assert Identity.generate(name).name == name


# ------------------------------------------------------------------ public keys as text


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_there_and_back(secret):
    public = Identity("a", secret).public
    text = public_text(public)
    assert parse_public(text) == public and len(text) == 47


@pytest.mark.parametrize("number", LOW_ORDER + [number + 2**255 for number in LOW_ORDER])
def test_low_order_points_are_refused(number):
    with pytest.raises(ClusterError, match="no public key that mpc keygen makes"):
        parse_public(text_of(number % 2**256))


def test_a_key_has_one_text():
    """Neither a coordinate above the prime, nor the bit that X25519 ignores, nor bits behind the last byte."""
    parse_public(text_of(9))
    for other in (9 + PRIME, 9 + 2**255):
        with pytest.raises(ClusterError, match="no public key that mpc keygen makes"):
            parse_public(text_of(other))
    spare = text_of(9)[:-1] + "B"
    assert base64.urlsafe_b64decode(spare[4:] + "=") == (9).to_bytes(32, "little")
    with pytest.raises(ClusterError, match="no public key that mpc keygen makes"):
        parse_public(spare)


def test_a_secret_key_in_place_of_a_public_one_is_refused_loudly_and_not_repeated():
    secret = "sec_" + public_text(Identity.generate("a").public)[4:]
    for text in (secret, secret[:-3], secret + "AAA", "sec_"):
        with pytest.raises(ClusterError, match=r"this is a SECRET key .* make a new one \(mpc keygen\)") as caught:
            parse_public(text)
        assert secret[4:20] not in str(caught.value)


@pytest.mark.parametrize("edit", [lambda t: t[:-1], lambda t: t + "A", lambda t: t + "=", lambda t: t[:-1] + "+", lambda t: ""])
@pytest.mark.parametrize("tail", ["", "\n", " "])
def test_other_texts_are_refused_and_not_repeated(edit, tail):
    text = public_text(Identity.generate("a").public)
    with pytest.raises(ClusterError, match="a public key is pub_ and 43 letters") as caught:
        parse_public(edit(text) + tail)
    assert text[5:20] not in str(caught.value)


@given(st.one_of(st.text(), st.text(st.sampled_from("ABab09-_=é"), min_size=43, max_size=43).map("pub_".__add__)))
def test_any_text_is_a_key_with_that_text_or_refused(text):
    with suppress(ClusterError):
        assert public_text(parse_public(text)) == text


def test_fingerprints_have_eighty_bits():
    first, second = (fingerprint(Identity.generate("a").public) for _ in range(2))
    assert first != second and len(first.replace("-", "")) == 20


# ------------------------------------------------------------------ key files


@pytest.fixture
def saved(tmp_path):
    identity = Identity.generate("hospital-a")
    identity.save(tmp_path / "a.key")
    return identity, tmp_path / "a.key"


def refused(path, text):
    with pytest.raises(KeyFileError, match=text) as caught:
        Identity.load(path)
    assert caught.value.__context__ is None or caught.value.__suppress_context__  # a traceback shows no more
    return str(caught.value)


def test_a_key_file_there_and_back(saved):
    identity, path = saved
    again = Identity.load(str(path))
    assert (again.name, again.secret, again.public) == (identity.name, identity.secret, identity.public)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["a.key"]
    assert path.read_text().startswith("# The SECRET key of hospital-a. Never send this file")


def test_a_key_file_is_private_whatever_the_umask(tmp_path):
    code = "import os, sys; from mpc.cluster import Identity; os.umask(0); Identity.generate('a').save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.key")], check=True)
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


def test_a_key_file_is_never_overwritten(saved):
    _, path = saved
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match=r"a\.key exists already and may be in use; move it away"):
        Identity.generate("b").save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["a.key"]


def test_a_link_to_elsewhere_is_not_followed_by_writing(tmp_path):
    (tmp_path / "a.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists already"):
        Identity.generate("a").save(tmp_path / "a.key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("place", ["no folder/a.key", "file/a.key", "a\0.key"])
def test_what_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match=r"the key file .*key cannot be written: "):
        Identity.generate("a").save(tmp_path / place)
    assert [p.name for p in tmp_path.rglob("*")] == ["file"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_file_that_is_open_to_others_is_refused(saved, mode):
    saved[1].chmod(mode)
    refused(saved[1], f"it is open to others \\(mode {mode:o}\\); chmod 600 .*a.key")


def test_what_is_no_plain_file_is_refused_at_once(tmp_path):
    refused(tmp_path / "a.key", "there is no key file .*a.key; mpc keygen NAME makes one")
    refused(tmp_path, "cannot be read: (Is a directory|it is no plain file)")
    os.mkfifo(tmp_path / "pipe", 0o600)
    refused(tmp_path / "pipe", "it is no plain file")
    refused("a\0b", "cannot be read")
    large = tmp_path / "large"
    large.write_bytes(bytes(5000))
    large.chmod(0o600)
    refused(large, "more than 4096 bytes")


def test_a_file_of_two_keys_is_refused(saved):
    identity, path = saved
    path.write_text(path.read_text().replace(public_text(identity.public), public_text(Identity.generate("b").public)))
    refused(path, "its public key does not belong to its secret key")


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: "",
        lambda t: "\0",
        lambda t: t[: t.index("secret")],
        lambda t: t[:-2],
        lambda t: t.replace("sec_", "pub_"),
        lambda t: t.replace('name = "', 'name = "/'),
        lambda t: t.replace('name = "hospital-a"', "name = 3"),
        lambda t: t.replace('public = "', 'public = "x'),
        lambda t: t + "more = 1\n",
        lambda t: t[:-5] + '+++"\n',
        lambda t: f"secret = {'[' * 4000}",
    ],
)
def test_a_damaged_key_file_is_refused_and_shows_nothing(saved, edit):
    _, path = saved
    secret = path.read_text().partition("sec_")[2][:43]
    path.write_text(edit(path.read_text()))
    assert secret[:10] not in refused(path, "is damaged")


@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_no_changed_byte_gives_another_key(tmp_path_factory, place, byte):
    """It is refused, or was in a comment or the name."""
    identity = Identity("hospital-a", bytes(range(32)))
    path = tmp_path_factory.mktemp("keys") / "a.key"
    identity.save(path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data)
    with suppress(KeyFileError):
        assert Identity.load(path).secret == identity.secret
