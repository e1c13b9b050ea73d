"""mpc keygen and mpc cluster show."""

import stat

import pytest
from click.testing import CliRunner

from mpc.cli import main
from mpc.cluster import Identity, fingerprint, public_text


@pytest.fixture
def mpc_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_keygen_writes_a_key_and_shows_what_the_cluster_file_takes(mpc_command, tmp_path, load):
    shown = [mpc_command("keygen", name) for name in ("hospital-a", "hospital-b")]
    assert [result.exit_code for result in shown] == [0, 0]
    blocks = [result.stdout.replace("HOST:PORT", f"10.0.0.{k}:7000") for k, result in enumerate(shown)]
    cluster = load("".join(blocks))
    for name, member, result in zip(("hospital-a", "hospital-b"), cluster.members, shown, strict=True):
        identity = Identity.load(tmp_path / f"{name}.key")
        assert (identity.name, identity.public) == (name, member.public) and member.name == name
        assert stat.S_IMODE((tmp_path / f"{name}.key").stat().st_mode) == 0o600
        assert "sec_" not in result.output and fingerprint(identity.public) in result.stderr
        assert f'\nkey = "{public_text(identity.public)}"\n' in result.stdout


def test_keygen_out(mpc_command, tmp_path):
    assert mpc_command("keygen", "a", "--out", "own.key").exit_code == 0
    assert Identity.load(tmp_path / "own.key").name == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["own.key"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a",), "a.key exists already and may be in use"),
        (("a/b",), "'a/b' is no name"),
        (("b", "--out", "none/b.key"), "the key file none/b.key cannot be written: No such file"),
    ],
)
def test_keygen_refuses(mpc_command, tmp_path, arguments, message):
    (tmp_path / "a.key").write_text("precious")
    result = mpc_command("keygen", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mpc: ") and message in result.stderr
    assert (tmp_path / "a.key").read_text() == "precious"


def test_cluster_show(mpc_command, load, valid):
    cluster = load(valid.replace("2001:db8", "fd00"))  # brackets around letters are markup to some
    result = mpc_command("cluster", "show", "cluster.toml")
    assert result.exit_code == 0, result.output
    for member in cluster.endpoints:
        (line,) = [line for line in result.stdout.splitlines() if member.name in line and member.address in line]
        assert fingerprint(member.public) in line and member.listen_address in line
    assert "protocol additive, 12 fraction bits, network wan" in result.stdout
    assert "60 s for a start, 1.5 s for a message, 2 s of silence" in result.stdout
    assert fingerprint(cluster.digest()) in result.stdout and "dealt files" not in result.stdout


def test_cluster_show_without_a_dealer(mpc_command, load, valid):
    load(valid[: valid.index("[dealer]")])
    assert "no dealer: add one for protocols" in mpc_command("cluster", "show", "cluster.toml").stdout


def test_cluster_show_refuses(mpc_command):
    result = mpc_command("cluster", "show", "none.toml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mpc: the cluster file none.toml cannot be read: No such file")


@pytest.mark.parametrize("command", [("cluster", "check", "cluster.toml"), ("run", "--cluster", "cluster.toml")])
def test_a_mistyped_name_is_no_missing_key(mpc_command, load, valid, command):
    load(valid)
    result = mpc_command(*command, "--as", "hospital-d")
    assert result.exit_code == 1 and "'hospital-d' is not in this cluster" in result.stderr
