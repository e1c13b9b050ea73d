"""What `party.checkpoint` does, at one party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mpc.checkpoints.agreement import ID_BYTES, Claim, agree
from mpc.checkpoints.folder import Folder
from mpc.checkpoints.outline import Outline, difference, outline, place
from mpc.checkpoints.state import dump, load
from mpc.contract import Protocol
from mpc.errors import CheckpointError, DesyncError, FrameError, OptionError, UsageError
from mpc.party import JointRandom
from mpc.randomness import new_seed
from mpc.tensor.base import Context

Array = np.ndarray[Any, np.dtype[Any]]


class Checkpoints:
    """Keeps states in a folder, if there is one, and gives back the last that all parties have, where a run is resumed.

    1. Before a run: the parties tell what they have (1 round, 74 bytes), and agree on a checkpoint, and above which number
       randomness begins. All numbers up to the highest that any of them may have used are burnt.
    2. A checkpoint: each party writes its file, durably; then all say so (1 round, 8 bytes); then older files go.

    `skips`, for tests: at the checkpoint of that number (0: the beginning) go on above a number of one-time randomness, as a
    resumed run did.
    """

    def __init__(self, protocol: Protocol, folder: Folder | None = None, skips: Mapping[int, int] | None = None):
        self._protocol, self._folder, self._skips = protocol, folder, skips or {}
        self._attempt = b""
        self._calls = 0
        self._number = 0  # of the last checkpoint
        self._first: Outline = None  # of the state that the program began with
        self._waiting: list[Array] | None = None  # what the first call gives back

    @property
    def _who(self) -> str:
        return f"party {self._protocol.endpoint.index}, operation 'checkpoint'"

    def begin(self, resume: bool) -> None:
        """Agree with the others on where to begin: before the first number is drawn. CheckpointError, at all parties alike."""
        if self._folder is not None:
            self._agree(self._folder, resume)
        self._skip()

    def _agree(self, folder: Folder, resume: bool) -> None:
        endpoint = self._protocol.endpoint
        mine = Claim(new_seed()[:ID_BYTES], resume, folder.status, folder.used, folder.kept())
        try:
            claims = [Claim.decode(arrays[0]) for arrays in endpoint.exchange("checkpoints", [mine.encode()])]
            plan = agree([*claims[: endpoint.index], mine, *claims[endpoint.index :]])
        except (CheckpointError, FrameError) as error:
            raise type(error)(f"{self._who}: {error}") from None
        self._attempt, self._number = plan.attempt, plan.checkpoint
        if plan.checkpoint:
            self._waiting = folder.read(plan.checkpoint)[1]
        claimed = folder.begin(plan.used, plan.checkpoint)
        self._protocol.skip_to(plan.used)
        endpoint.keep_claims(claimed, folder.claim)

    def __call__(self, context: Context, state: Any, every: int) -> Any:
        """The state to go on from: the one that was kept, or what a restored run would have of the one given."""
        self._check(state, every)
        if self._waiting is not None:
            return self._restored(context, state)
        due = self._calls % every == 0
        self._calls += 1
        if not due:
            return state
        self._number += 1
        whole = {"calls": self._calls, "random": JointRandom.common(self._protocol.endpoint), "state": state}
        arrays = dump(whole, context)
        if self._folder is not None:
            self._keep(self._folder, arrays)
        self._protocol.at_checkpoint(self._number)
        self._skip()
        return place(whole, load(arrays, context))["state"]

    def _skip(self) -> None:
        if self._number in self._skips:
            self._protocol.skip_to(self._skips[self._number])

    def _check(self, state: Any, every: int) -> None:
        if isinstance(every, bool) or not isinstance(every, int | np.integer) or every < 1:
            raise OptionError(f"{self._who}: every={every!r} must be a whole number from 1 on")
        try:
            shape = outline(state)
        except RecursionError:
            raise UsageError(f"{self._who}: the state contains itself, or is nested too deeply") from None
        if shape is None:
            raise UsageError(f"{self._who}: the state is None; give what the program is to go on from")
        self._first = shape if self._first is None else self._first
        changed = difference(self._first, shape)
        if changed:
            raise CheckpointError(f"{self._who}: {changed}, as it was at the first checkpoint; a resumed run could not take it")

    def _keep(self, folder: Folder, arrays: list[Array]) -> None:
        """On disk at this party; then at all; then without the older ones."""
        endpoint = self._protocol.endpoint
        endpoint.confirm()  # what was altered on its way must not be taken over: no later run would notice
        folder.write(self._number, self._attempt, arrays)
        written = np.array([self._number], np.uint64)
        for peer, (theirs,) in zip(endpoint.peers, endpoint.exchange("checkpoint", [written]), strict=True):
            if theirs[0] != self._number:
                raise DesyncError(f"{self._who}: this is number {self._number}, and party {peer} is at number {theirs[0]}")
        folder.forget_before(self._number)

    def _restored(self, context: Context, state: Any) -> Any:
        assert self._waiting is not None
        whole, self._waiting = load(self._waiting, context), None
        random = JointRandom.common(self._protocol.endpoint)
        if not isinstance(whole, dict) or whole.keys() != {"calls", "random", "state"}:
            raise CheckpointError(f"{self._who}: checkpoint {self._number} holds no state of a program")
        changed = difference(self._first, outline(whole["state"]))
        if changed:
            text = f"in checkpoint {self._number} {changed}, as the program begins; it has changed since, or is another"
            raise CheckpointError(f"{self._who}: {text}")
        self._calls = whole["calls"]
        kept = place({"calls": 0, "random": random, "state": state}, whole)
        self._protocol.skip_to(self._protocol.position())  # so that a run which skips can be told one number
        return kept["state"]

    def end(self) -> None:
        """The program has ended."""
        if self._waiting is not None:
            raise CheckpointError(f"{self._who}: this run was resumed, but the program never called party.checkpoint(state)")

    def close(self) -> None:
        if self._folder is not None:
            self._folder.close()
