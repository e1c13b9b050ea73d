"""Files: of a cluster, of keys, of shares, of checkpoints. Some are sealed anew, as who has the key could."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import mpc
from mpc import nn, share_files
from mpc.checkpoints import Folder
from mpc.checkpoints.outline import difference, outline
from mpc.checkpoints.state import dump, load
from mpc.cluster import Cluster, Identity
from mpc.cluster.keys import fingerprint, parse_public, public_text
from mpc.offline.sealing import public_of
from tests.fuzz.source import pack, unpack
from tests.fuzz.wire import ARRAYS

KEY = bytes(range(32))


def with_file(use, data):
    """use(path) of a private file with that content."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        path.chmod(0o600)
        return use(path)


# ------------------------------------------------------------------ clusters and keys


def cluster(data):
    found = with_file(Cluster.load, data)
    assert len(found.digest()) == 32 and all(found.index_of(m.name) == k for k, m in enumerate(found.endpoints))


def member(name, port):
    key = public_text(public_of(bytes([port]) * 32))
    return f'name = "{name}"\naddress = "127.0.0.1:{port}"\nlisten = "*:{port}"\nkey = "{key}"\n'


TABLES = (
    f"[timeouts]\nstart = 60\nmessage = 1.5\n[[party]]\n{member('a', 1)}[[party]]\n{member('b', 2)}[dealer]\n{member('d', 3)}"
)
CLUSTERS = [
    f'protocol = "additive"\nfraction_bits = 12\nnetwork = "wan"\n{TABLES}'.encode(),
    TABLES.encode(),
    b"a" + b".a" * 400 + b" = 1",
    b"a = " + b"[" * 900,
]


def key_file(data):
    repr(with_file(Identity.load, data))


KEY_FILES = [Identity("a", KEY)._text().encode(), b"name = 1\npublic = []\nsecret = {}\n"]


def public_key(data):
    key = parse_public(data.decode(errors="replace"))
    assert public_text(key).encode() == data and len(fingerprint(key)) == 24


PUBLIC_KEYS = [public_text(public_of(KEY)).encode(), b"sec_" + b"A" * 43]

# ------------------------------------------------------------------ files of shares


def sealed(head, plain):
    """A share file of that header and content, under the right key."""
    begin = share_files.MAGIC + len(head).to_bytes(4, "little") + head
    return begin + bytes(12) + AESGCM(KEY).encrypt(bytes(12), plain, begin)


def share_file(data):
    with_file(lambda path: share_files.read(path, KEY, lambda header: None), data)


def sealed_share_file(data):
    share_file(sealed(*unpack(data, 2)))


ALIKE = json.dumps({"arrays": [["uint64", [2, 3]], ["uint8", [5]], ["bool", [3]]]}).encode()
PLAIN = b"".join(array.tobytes() for array in ARRAYS)
SHARE_FILES = [sealed(ALIKE, PLAIN), sealed(b"[" * 3000, b""), share_files.MAGIC + b"\xff\xff\xff\xff{}"]
SEALED = [
    pack(ALIKE, PLAIN),
    pack(b'{"arrays": [["uint8", [1152921504606846976]], ["O", []]]}', b""),
    pack(b'{"arrays": [["uint64", [-1]]]}', PLAIN),
    pack(b'{"arrays": [["float64", [1]]]}', PLAIN),
    pack(b"{}", b""),
]


def alone():
    """A party of a run in the clear, by itself."""
    found = []
    mpc.simulate(found.append, parties=1, protocol="plaintext")
    return found[0]


LONER = alone()
CONTEXT = LONER._context
FACTS = {"version": 1, "party": 0, "parties": 1, "protocol": "plaintext", "fraction_bits": 16}


def merged(facts, head):
    """The facts, with what is said beside or in place of them; anything that is no object stays as it is."""
    try:
        said = json.loads(head)
    except (ValueError, RecursionError):
        return head
    return json.dumps(facts | said).encode() if isinstance(said, dict) else head


def network(data):
    """A file of nn.save, from whoever has its key."""
    head, plain = unpack(data, 2)
    with TemporaryDirectory() as folder:
        (Path(folder) / "net.0").write_bytes(sealed(merged(FACTS, head), plain))
        for tensor in nn.load(LONER, Path(folder) / "net", KEY).values():
            assert tensor.shape is not None


NET = {"save": "ab" * 32, "arrays": [["uint64", [2, 3]]]}
WEIGHT = {"name": "weight", "kind": "float", "scale": 16, "shape": [2, 3], "arrays": 1}
NETWORKS = [
    pack(json.dumps(NET | {"tensors": [WEIGHT]}).encode(), ARRAYS[0].tobytes()),
    pack(json.dumps(NET | {"tensors": [WEIGHT | {"kind": "x", "arrays": 2}]}).encode(), ARRAYS[0].tobytes()),
    pack(json.dumps({"save": 1, "arrays": []}).encode(), b""),
]

# ------------------------------------------------------------------ checkpoints

RUN = {"version": "checkpoint 1", "party": 0, "program": "p"}
STATE = {"n": 1, "x": np.arange(3.0), "t": (None, b"ab", np.int8(3)), "s": LONER.constant(np.ones((2, 2)))}


def checkpoints(data):
    """A party's folder: what it says of the run, and a state."""
    run, head, tree, content = unpack(data, 4)
    described = {"arrays": [["uint8", [len(tree)]], ["uint8", [len(content) // 2]], ["uint64", [len(content) // 2 // 8]]]}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "party-0"
        path.mkdir()
        (path / "key").write_bytes(KEY)
        (path / "key").chmod(0o600)
        (path / "run").write_bytes(sealed(merged(RUN | {"arrays": []}, run), b""))
        (path / "checkpoint-3").write_bytes(sealed(merged(RUN | described, head), tree + content))
        found = Folder(Path(folder), 0, {"program": "p"})
        try:
            assert found.used >= 0 and found.status in (1, 2)
            for number, attempt in found.kept():
                state = load(found.read(number)[1], CONTEXT)
                assert len(attempt) == 16 and (difference(outline(STATE), outline(state)) or True)
        finally:
            found.close()


def checkpoint():
    tree, *arrays = dump(STATE, CONTEXT)
    described = [[array.dtype.name, list(array.shape)] for array in (tree, *arrays)]
    head = json.dumps({"number": 3, "attempt": "ab" * 16, "arrays": described}).encode()
    return pack(b'{"used": 65536, "finished": false}', head, tree.tobytes(), b"".join(array.tobytes() for array in arrays))


CHECKPOINTS = [
    checkpoint(),
    pack(b'{"used": 1, "finished": true}', b'{"number": 3, "attempt": %d}' % 10**31, b"", b""),
    pack(b'{"used": 1, "finished": true}', b'{"number": 3, "attempt": "%s"}' % (b"a" * 32), b'["list", [["bytes"]]]', b"ab"),
    pack(b'{"used": 1, "finished": false}', b'{"number": 3, "attempt": "%s"}' % (b"a" * 32), b'["tensor"]' + b"[" * 900, b""),
]
