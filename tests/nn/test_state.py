"""Share files, and networks that one party gets or brings in."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

import mpc
from mpc import nn
from mpc.errors import OptionError, StateError, UsageError

KEYS = [bytes([k + 1]) * 32 for k in range(3)]


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def torch_network():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))


def secrets(party):
    """A tensor of each kind, and a product that is not truncated."""
    mine = party.index == 0
    x = party.input(np.array([[1.5, -2.0], [0.25, 4.0]]) if mine else None, owner=0)
    return {
        "product": x * x,
        "counts": party.input(np.arange(5) if mine else None, owner=0),
        "flags": party.input(np.arange(11) % 3 == 0 if mine else None, owner=0),
        "empty": x[:0],
        "scalar": x[0, 1],
    }


EXPECTED = {
    "product": np.array([[2.25, 4.0], [0.0625, 16.0]]),
    "counts": np.arange(5),
    "flags": np.arange(11) % 3 == 0,
    "empty": np.zeros((0, 2)),
    "scalar": np.array(-2.0),
}


def save(path, parties=2, **options):
    return mpc.simulate(lambda party: str(nn.save(secrets(party), path)), parties=parties, **options)


def load(path, parties=2, **options):
    return mpc.simulate(lambda party: nn.reveal(nn.load(party, path)), parties=parties, **options)


@pytest.mark.parametrize(("protocol", "parties"), [("additive", 2), ("additive", 3), ("plaintext", 1)])
def test_what_is_saved_is_loaded_in_another_run(tmp_path, protocol, parties):
    path = tmp_path / "state"
    assert save(path, parties, protocol=protocol) == [f"{path}.{k}" for k in range(parties)]
    for state in load(path, parties, protocol=protocol):
        assert list(state) == list(EXPECTED)
        for name, value in EXPECTED.items():
            np.testing.assert_allclose(state[name], value, atol=2**-16)
            assert state[name].dtype == value.dtype
            assert state[name].shape == value.shape


def test_a_network_goes_on_where_it_was_saved(tmp_path):
    """Loaded parameters are tensors like any others: the same gradient step gives the same network."""
    x, y = np.ones((4, 3)), np.zeros((4, 2))

    def step(party, net):
        optimizer = nn.SGD(net.parameters(), lr=0.5)
        nn.MSELoss()(net(party.constant(x)), y).backward()
        optimizer.step()
        return nn.reveal(net)

    def first(party):
        net = network().to(party)
        with party.measure() as cost:
            nn.save(net, tmp_path / "net", key=KEYS[party.index])
        assert (cost.rounds, cost.bytes_sent) == (1, 32)
        return step(party, net)

    def second(party):
        net = network().to(party)
        with party.measure() as cost:
            net.load_state_dict(nn.load(party, tmp_path / "net", key=KEYS[party.index]))
        assert (cost.rounds, cost.bytes_sent) == (1, 32)
        return step(party, net)

    there, here = mpc.simulate(first, parties=2)[0], mpc.simulate(second, parties=2)[1]
    for name, value in there.items():
        np.testing.assert_allclose(here[name], value, atol=2**-13)
    assert not list(tmp_path.glob("*.key"))


def test_files_are_private_encrypted_and_replaced_at_once(tmp_path):
    path = tmp_path / "state"
    share = mpc.simulate(lambda p: [nn.save(secrets(p), path), secrets(p)["counts"].share.value.tobytes()][1], parties=2)
    for _ in range(2):
        save(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.0", "state.0.key", "state.1", "state.1.key"]
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert all(part not in file.read_bytes() for part in share)
    first, second = ((tmp_path / f"state.{k}.key").read_bytes() for k in (0, 1))
    assert first != second and len(first) == 32


def test_shares_at_rest_look_random(tmp_path):
    """Plainly saved under a known key and opened again: one party's part of constant secrets tells nothing of them."""
    from mpc import share_files
    from mpc.testing import check_jointly_uniform

    def program(party):
        x = party.input(np.full(4096, 3.0) if party.index == 0 else None, owner=0)
        nn.save({"x": x}, tmp_path / "x", key=KEYS[party.index])

    mpc.simulate(program, parties=3, seed=3)
    parts = [share_files.read(tmp_path / f"x.{k}", KEYS[k], lambda header: None)[1][0] for k in range(3)]
    assert np.all(np.add.reduce(parts) == 3 << 16)
    for missing in range(3):
        check_jointly_uniform([(f"party {k}", part) for k, part in enumerate(parts) if k != missing])


# ------------------------------------------------------------------ refusals


def refused(path, text, parties=2, **options):
    with pytest.raises(StateError, match=text) as caught:
        load(path, parties, **options)
    return caught.value


def change(path, edit):
    path.write_bytes(edit(bytearray(path.read_bytes())))


def flip(place):
    def edit(data):
        data[place] ^= 1
        return data

    return edit


def test_a_file_that_was_altered_anywhere_is_refused(tmp_path):
    """One bit in every part of the file; its end missing; something behind it."""
    save(tmp_path / "state")
    file = tmp_path / "state.1"
    whole = file.read_bytes()
    places = {"magic": 3, "length": 15, "header": whole.index(b'"scale"') + 3, "shape": whole.index(b"[2,2]") + 1}
    places |= {"nonce": whole.index(b'"version":1}') + 12, "shares": -60, "tag": -1}
    for place in places.values():
        change(file, flip(place))
        refused(tmp_path / "state", r"state\.1 (is damaged, was altered|is no share file)")
        file.write_bytes(whole)
    for edit in (lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:40], lambda data: b""):
        change(file, edit)
        refused(tmp_path / "state", r"state\.1 (is damaged, was altered|is no share file)")
        file.write_bytes(whole)
    load(tmp_path / "state")


def test_a_header_that_lies_is_refused(tmp_path):
    """A file of three parties whose header was made to say two: what it claims is checked against the tag."""
    save(tmp_path / "state", parties=3)
    for k in (0, 1):
        change(tmp_path / f"state.{k}", lambda data: data.replace(b'"parties":3', b'"parties":2'))
    refused(tmp_path / "state", "was altered")


def test_another_partys_file_is_refused(tmp_path):
    save(tmp_path / "state")
    for suffix in ("", ".key"):
        first, second = (tmp_path / f"state.{k}{suffix}" for k in (0, 1))
        data = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(data)
    refused(tmp_path / "state", "party [01], operation 'load': .*state.[01] is a file of party [01] in place of [01]")


@pytest.mark.parametrize(
    ("saved", "loaded", "text"),
    [
        ({"parties": 3}, {"parties": 2}, "parties 3 in place of 2"),
        ({"protocol": "plaintext"}, {}, "protocol 'plaintext' in place of 'additive'"),
        ({"fraction_bits": 12}, {}, "fraction_bits 12 in place of 16"),
    ],
)
def test_files_of_other_options_are_refused(tmp_path, saved, loaded, text):
    save(tmp_path / "state", **saved)
    refused(tmp_path / "state", text, **loaded)


def test_files_of_two_saves_are_not_loaded_together(tmp_path):
    """Also of two runs with one seed, whose shares are the same."""
    save(tmp_path / "state", seed=1)
    old = (tmp_path / "state.0").read_bytes()
    save(tmp_path / "state", seed=1)
    (tmp_path / "state.0").write_bytes(old)
    refused(tmp_path / "state", "are not of one save")


def test_a_file_that_is_replaced_while_it_is_read_is_one_or_the_other(tmp_path, monkeypatch):
    """What is loaded is what was authenticated: a file is read once."""
    for name, value in (("old", 1.5), ("new", 2.5)):
        mpc.simulate(lambda p, n=name, v=value: str(nn.save({"x": p.constant(v)}, tmp_path / n, KEYS[p.index])), parties=2)
    read_bytes, reads = Path.read_bytes, []

    def replaced(path):
        data = read_bytes(path)
        reads.append(path.name)
        path.write_bytes(read_bytes(path.with_name("new" + path.suffix)))
        return data

    monkeypatch.setattr(Path, "read_bytes", replaced)
    (state, _) = mpc.simulate(lambda p: nn.reveal(nn.load(p, tmp_path / "old", KEYS[p.index])), parties=2)
    assert sorted(reads) == ["old.0", "old.1"] and state["x"] == 1.5


def test_keys(tmp_path):
    save(tmp_path / "state")
    key = tmp_path / "state.0.key"
    good = key.read_bytes()
    key.chmod(0o640)
    refused(tmp_path / "state", "chmod 600")
    key.chmod(0o600)
    key.write_bytes(good[:-1])
    refused(tmp_path / "state", "31 bytes")
    key.write_bytes(KEYS[0])
    refused(tmp_path / "state", "another key")
    key.unlink()
    refused(tmp_path / "state", r"key file .*state\.0\.key cannot be read")
    assert not key.exists()  # loading makes none
    with pytest.raises(StateError, match="32 bytes, not 5"):
        mpc.simulate(lambda p: nn.save(secrets(p), tmp_path / "other", key=b"short"), parties=2)


def test_a_named_key_file_is_made_once_and_used_again(tmp_path):
    def program(party):
        own = tmp_path / f"key of {party.index}"
        nn.save(secrets(party), tmp_path / "a", key=own)
        made = own.read_bytes()
        nn.save(secrets(party), tmp_path / "b", key=str(own))
        assert own.read_bytes() == made
        return nn.load(party, tmp_path / "b", key=own)["counts"].reveal()

    assert np.array_equal(mpc.simulate(program, parties=2)[0], np.arange(5))
    assert not list(tmp_path.glob("*.key"))


def test_what_cannot_be_written_or_read_is_named(tmp_path):
    refused(tmp_path / "nothing", r"nothing\.[01] cannot be read: No such file")
    with pytest.raises(StateError, match="cannot be written"):
        mpc.simulate(lambda p: nn.save(secrets(p), tmp_path / "no folder" / "x", key=KEYS[p.index]), parties=2)
    (tmp_path / "text.0").write_text(json.dumps({"party": 0}))
    (tmp_path / "text.1").write_bytes(os.urandom(100))
    refused(tmp_path / "text", "no share file")


@pytest.mark.parametrize("bad", [{}, {"x": np.ones(3)}, {1: None}])
def test_only_tensors_by_name_are_saved(tmp_path, bad):
    with pytest.raises(UsageError, match="save: "):
        mpc.simulate(lambda p: nn.save(bad, tmp_path / "x"), parties=2, protocol="plaintext")


# ------------------------------------------------------------------ to and from PyTorch


def test_a_revealed_network_is_pytorchs():
    """One round to one party, whose PyTorch network then computes the same."""
    x = np.linspace(-1, 1, 15).reshape(5, 3)

    def program(party):
        net = network().to(party)
        with nn.no_grad():
            outputs = net(party.constant(x)).reveal()
        with party.measure() as cost:
            state = nn.reveal(net, to=1)
        assert cost.rounds == 1
        return outputs, state

    (outputs, nothing), (_, state) = mpc.simulate(program, parties=2)
    assert nothing is None
    theirs = torch_network()
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    np.testing.assert_allclose(theirs(torch.tensor(x, dtype=torch.float32)).detach(), outputs, atol=2**-12)


def test_a_pytorch_network_of_one_party_is_used_by_all():
    torch.manual_seed(0)
    theirs, x = torch_network(), np.linspace(-1, 1, 15).reshape(5, 3)
    own = {name: value.numpy() for name, value in theirs.state_dict().items()}

    def program(party):
        net = network().to(party)
        with party.measure() as cost:
            net.load_state_dict(nn.from_numpy(party, own if party.index == 1 else None, owner=1))
        assert cost.rounds == 2
        with nn.no_grad():
            return net(party.constant(x)).reveal()

    for outputs in mpc.simulate(program, parties=2):
        np.testing.assert_allclose(outputs, theirs(torch.tensor(x, dtype=torch.float32)).detach(), atol=2**-12)


def every_kind(nn):
    """Layers by PyTorch's names, with parameters and buffers; `nn` is torch.nn or ours."""

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolutions = nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 2, bias=False)
            )
            self.embedding, self.norm = nn.Embedding(5, 4), nn.LayerNorm(4)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.last = nn.Sequential(nn.Conv1d(2, 2, 1), nn.BatchNorm1d(2), nn.Linear(4, 1))

    return Network()


def test_every_kind_of_layer_has_pytorchs_names_there_and_back(tmp_path):
    """PyTorch's state of one party, as secrets, through share files, and revealed to the other: loaded strictly."""
    theirs = every_kind(torch.nn).state_dict()
    own = {name: value.numpy() for name, value in theirs.items()}

    def program(party):
        net = every_kind(nn).to(party)
        net.load_state_dict(nn.from_numpy(party, own if party.index == 0 else None, owner=0))
        nn.save(net, tmp_path / "net")
        again = every_kind(nn).to(party)
        again.load_state_dict(nn.load(party, tmp_path / "net"))
        return nn.reveal(again, to=1)

    back = every_kind(torch.nn)
    back.load_state_dict({name: torch.from_numpy(value) for name, value in mpc.simulate(program, parties=2)[1].items()})
    for name, value in back.state_dict().items():
        np.testing.assert_allclose(value, theirs[name], atol=2**-17, err_msg=name)


@pytest.mark.parametrize(("state", "owner", "error"), [(None, 0, UsageError), ({3: 1}, 0, UsageError), ({}, 2, OptionError)])
def test_what_is_no_state_is_refused(state, owner, error):
    with pytest.raises(error, match="from_numpy"):
        mpc.simulate(lambda p: nn.from_numpy(p, state if p.index == 0 else None, owner=owner), parties=2, protocol="plaintext")
