"""The state of a network: kept as shares, revealed to one party, or brought in by one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mpc import share_files
from mpc.errors import DryRunError, FrameError, StateError, UsageError
from mpc.nn.module import Module
from mpc.randomness import new_seed
from mpc.session import Party
from mpc.share_files import Key
from mpc.tensor import Tensor
from mpc.tensor.base import DTYPES, Context, truncate
from mpc.tensor.revealing import Parties, party_number
from mpc.tensor.revealing import reveal as reveal_all

Array = np.ndarray[Any, np.dtype[Any]]
State = Module | Mapping[str, Any]

VERSION = 1


def save(net_or_state: State, path: str | Path, key: Key = None) -> Path:
    """Write this party's shares of a network, or of a dict of tensors, to a file; `load` is the inverse. Returns its path.

    All parties call it; each writes one file, `path` with its own number at the end (model.shares.0), in place of an older
    one and all at once. The file is encrypted and authenticated under a key of this party: 32 bytes, or the path of a key
    file, which is made if there is none (readable by its owner only); by default the file's path with .key at the end. Who
    has one party's file and key has that party's shares, which tell nothing without those of all the others; who has all
    parties' has the network. Keep keys away from backups of the files.

    What is saved has a common random number, so that files of different saves are not loaded together.
    Cost: 1 round, 32 bytes; 1 more for products, which are truncated. Optimisers' state is kept by `party.checkpoint` only.
    """
    state = _state(net_or_state, "save")
    tensors = truncate(list(state.values()))
    context = tensors[0].context
    place = _place(path, context)
    if context.protocol.endpoint.dry:
        _common_number(context)
        return place
    secret = share_files.key_of(key, place, create=True)
    context.protocol.endpoint.confirm()  # what was altered on its way must not be kept: no later run would notice
    exported = [context.protocol.export(t.share) for t in tensors]
    header = _facts(context) | {
        "save": _common_number(context),
        "tensors": [
            {"name": name, "kind": t.kind, "scale": t.scale, "shape": list(t.shape), "arrays": len(arrays)}
            for name, t, arrays in zip(state, tensors, exported, strict=True)
        ],
    }
    share_files.write(place, secret, header, [array for arrays in exported for array in arrays])
    return place


def load(party: Party, path: str | Path, key: Key = None) -> dict[str, Tensor]:
    """What `save` wrote, as tensors by name: `net.load_state_dict(nn.load(party, path))`.

    StateError for a file that is damaged or altered, or not this party's, or of other numbers of parties or fraction bits, or
    another protocol; and where the parties' files are not of one save. Cost: 1 round, 32 bytes.
    """
    context = party._context
    place = _place(path, context)
    if context.protocol.endpoint.dry:
        raise DryRunError(
            "load: a dry run has no share files, and does not know what is in them; bring a network in by nn.from_numpy or "
            "party.input, with shapes, or run this program with a live dealer"
        )
    header, contents = share_files.read(place, key, lambda claimed: _check(place, claimed, context))
    try:
        number, loaded = bytes.fromhex(header["save"]), dict(_restored(context, header["tensors"], contents))
    except (LookupError, TypeError, ValueError, AttributeError):
        raise StateError(
            f"{context.who}, operation 'load': {place} is not as this version writes it; load it with the one that saved it"
        ) from None
    _same_save(context, number)
    return loaded


def _restored(context: Context, entries: list[dict[str, Any]], contents: list[Array]) -> Iterator[tuple[str, Tensor]]:
    """The tensors that a header describes. LookupError, TypeError, ValueError or AttributeError where it does not."""
    for entry in entries:
        kind, shape, count = entry["kind"], tuple(entry["shape"]), entry["arrays"]
        if kind not in DTYPES or type(entry["scale"]) is not int or not 0 < count <= len(contents):
            raise ValueError("no tensor")
        parts, contents = contents[:count], contents[count:]
        share = context.protocol.restore(parts, shape, kind == "bool")
        yield str(entry["name"]), Tensor(context, share, kind, entry["scale"])


def reveal(net_or_state: State, to: Parties = None) -> dict[str, Array] | None:
    """The values of a network by name, as NumPy arrays: at every party, or only at those in `to`, None elsewhere.

    `torch_net.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})` takes them: names and shapes are
    PyTorch's. Cost: 1 round and 8 bytes an element, for all tensors together.
    """
    state = _state(net_or_state, "reveal")
    values = reveal_all(list(state.values()), to)
    if values[0] is None:
        return None
    return {name: np.asarray(value) for name, value in zip(state, values, strict=True)}


def from_numpy(party: Party, state: Mapping[str, Any] | None, owner: int) -> dict[str, Tensor]:
    """Arrays that one party has by name, such as a PyTorch state_dict, as secret tensors: for `net.load_state_dict`.

    Only the owner's `state` is read; pass None elsewhere. Names, shapes and dtypes become public. Cost: 2 rounds.
    """
    what = f"{party._context.who}, operation 'from_numpy'"
    party_number(what, "owner", owner, party.size)
    dry = party._context.protocol.endpoint.dry  # then whoever has the state may tell names and shapes
    mine = state is not None if dry else party.index == owner
    if mine and not (isinstance(state, Mapping) and all(isinstance(name, str) for name in state)):
        raise UsageError(f"{what}: this party is the owner, and its state is {type(state).__name__}, no dict of arrays by name")
    text = json.dumps(list(state)).encode() if mine and state is not None else None
    told = party.announce(None if text is None else np.frombuffer(text, np.uint8), owner)
    tensors = party.inputs(None if state is None else [np.asarray(value) for value in state.values()], owner)
    try:
        names = [str(name) for name in json.loads(told.tobytes())]
    except (ValueError, TypeError, RecursionError):
        names = []
    if len(set(names)) != len(tensors):
        raise FrameError(f"{what}: party {owner} announces {len(names)} names for {len(tensors)} arrays")
    return dict(zip(names, tensors, strict=True))


# ---------------------------------------------------------------------------------------- what files say


def _state(net_or_state: State, operation: str) -> dict[str, Tensor]:
    state = net_or_state.state_dict() if isinstance(net_or_state, Module) else dict(net_or_state)
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise UsageError(
                f"{operation}: {name!r} is {type(value).__name__}; give a network, or a dict of secret tensors by name"
            )
    if not state:
        raise UsageError(f"{operation}: there are no tensors: nothing has parameters or buffers")
    return state


def _place(path: str | Path, context: Context) -> Path:
    return Path(f"{path}.{context.protocol.endpoint.index}")


def _facts(context: Context) -> dict[str, Any]:
    """What must be the same where a file is loaded."""
    endpoint = context.protocol.endpoint
    return {
        "version": VERSION,
        "party": endpoint.index,
        "parties": endpoint.size,
        "protocol": context.protocol.name,
        "fraction_bits": context.fraction_bits,
    }


def _check(place: Path, header: dict[str, Any], context: Context) -> None:
    """Refuse a file of other parties or options; whether what it says is authentic is checked afterwards."""
    expected = _facts(context)
    differ = [
        f"{name} {header.get(name)!r} in place of {value!r}" for name, value in expected.items() if header.get(name) != value
    ]
    if differ:
        raise StateError(
            f"{context.who}, operation 'load': {place} is a file of {', '.join(differ)}; load the file that this party saved, "
            "in a run with the same parties and options"
        )


def _common_number(context: Context) -> str:
    """32 bytes drawn by all parties together, in hexadecimal."""
    endpoint = context.protocol.endpoint
    mine = np.frombuffer(new_seed(), np.uint8)
    received = [arrays[0] for arrays in endpoint.exchange("save", [mine])]
    received.insert(endpoint.index, mine)
    return hashlib.blake2b(b"".join(part.tobytes() for part in received), digest_size=32, person=b"mpc save").hexdigest()


def _same_save(context: Context, number: bytes) -> None:
    endpoint = context.protocol.endpoint
    received = endpoint.exchange("load", [np.frombuffer(number, np.uint8)])
    others = [peer for peer, (theirs,) in zip(endpoint.peers, received, strict=True) if theirs.tobytes() != number]
    if others:
        raise StateError(
            f"{context.who}, operation 'load': the files of parties {endpoint.index} and {', '.join(map(str, others))} are not "
            "of one save; each party must load the file that the same call of nn.save wrote"
        )
