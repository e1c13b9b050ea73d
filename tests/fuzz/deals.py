"""Dealt files and their ledgers: altered by anybody, and written by a hostile dealer."""

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from mpc.offline import Expectation, open_dealt
from mpc.offline.file import CORRECTIONS, LENGTH, MAGIC, REQUESTS, RING, VERSION, WORD, Header
from mpc.offline.ledger import Ledger
from mpc.offline.record import Record, correction_frame, request_entry
from mpc.offline.sealing import Keychain, SealedWriter, public_of
from tests.fuzz.disk import KEY, with_file
from tests.fuzz.source import pack, unpack
from tests.fuzz.wire import ARRAYS, SPECS

PARTY, DEALER, EPHEMERAL = bytes(range(1, 33)), bytes(range(2, 34)), bytes(range(3, 35))
DEAL = "ab" * 16
KEYS = {"ephemeral": public_of(EPHEMERAL).hex(), "to": public_of(PARTY).hex(), "dealer": public_of(DEALER).hex()}
SAYS = {"deal": DEAL, "party": "a", "index": 0, "parties": 2, "protocol": "additive", "program": "", "cluster": "", "runs": 1}
HEAD = Header(**SAYS, **KEYS, version=VERSION, ring=RING).encode()


def dealt(head, streams, index=None):
    """A dealt file of that header, those streams and that index, sealed as the dealer would."""
    file = io.BytesIO()
    keys = Keychain.of_sender(DEALER, EPHEMERAL, public_of(PARTY), head)

    def seal(name, content):
        writer = SealedWriter(file, keys, name)
        writer.write(content)
        return writer.close()

    file.write(MAGIC + LENGTH.pack(len(head)) + head)
    names = [f"{name} {run}" for run in range(len(streams) // 2) for name in (REQUESTS, CORRECTIONS)]
    lengths = [seal(name, content) for name, content in zip(names, streams, strict=True)]
    begin = file.tell()
    length = seal("index", b"".join(map(WORD.pack, lengths)) if index is None else index)
    file.write(WORD.pack(begin) + WORD.pack(length))
    return file.getvalue()


def opened(content, use):
    expected = Expectation(0, 2, "additive")

    def run(path):
        found = open_dealt(path, PARTY, public_of(DEALER), expected)
        try:
            use(found)
        finally:
            found.close()

    with_file(run, content)


def consume(found):
    """A run that asks for the same three times, after looking at all of it."""
    assert found.position() == 0
    record = Record(found._reader, 0)
    for number in range(3):
        record.joint_seed(number)
        record.request("deal.and", [ARRAYS[1]])
        for array, spec in zip(record.correction("deal.and", SPECS), SPECS, strict=True):
            assert array.shape == spec.shape
    found.verify()


def dealt_file(data):
    opened(data, lambda found: (found.verify(), consume(found)))


def dealt_header(data):
    opened(dealt(data, STREAMS), consume)


def dealt_streams(data):
    """What a hostile dealer writes: streams and their index."""
    index, requests, corrections = unpack(data, 3)
    opened(dealt(HEAD, [requests, corrections], index or None), consume)


def standings(data):
    """Where another party says that it is in its deal."""
    opened(DEALT, lambda found: found.agree([found.standing(), data]))


def ledger(data):
    """A file, or what a ledger holds, under the right key."""
    sealed, content = data[:1] == b"=", data[1:]
    with TemporaryDirectory() as folder:
        found = Ledger(Path(folder) / "f", DEAL, 0, 4, KEY)
        if sealed:
            try:
                position = json.loads(content)
                content = json.dumps({"deal": DEAL, "next": position, "tag": found._tag(position).hex()}).encode()
            except (ValueError, RecursionError):
                return
        found.path.write_bytes(content)
        assert 0 <= found.position() <= 4


FRAME = b"".join(bytes(part) for part in correction_frame(bytes.fromhex(DEAL), 2, 0, "deal.and", ARRAYS))
STREAMS = [bytes(64) + request_entry("deal.and", [ARRAYS[1]]), FRAME]
DEALT = dealt(HEAD, STREAMS)
DEALT_HEADERS = [HEAD, HEAD.replace(b'"runs":1', b'"runs":1048576'), HEAD.replace(b'"party":"a"', b'"party":"\\ud800"')]
DEALT_STREAMS = [
    pack(b"", *STREAMS),
    pack(b"", bytes(64) + b"\1\0\xff" + bytes(32), FRAME),
    pack(b"", bytes(9), b""),
    pack(WORD.pack(1 << 63) + WORD.pack((1 << 64) - 1), *STREAMS),
    pack(WORD.pack(len(STREAMS[0]) + len(FRAME) + 16) + WORD.pack(0), *STREAMS),
]
STANDINGS = [bytes.fromhex(DEAL) + WORD.pack(n) for n in (0, 1, 1 << 63)]
LEDGERS = [b"=0", b"=4", b'={"a": [NaN]}', b'\x00{"deal": "%s", "next": 0, "tag": "00"}' % DEAL.encode()]
