"""A job that has begun, as the service of this host keeps it and tells of it, to its end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from mpc.launch.failures import exit_text
from mpc.serve.lines import Message
from mpc.serve.queue import FAILED, Submission
from mpc.serve.workplace import Workplace


class Tell(Protocol):
    def __call__(self, name: str, text: str = "", **facts: object) -> None: ...


class Running:
    """`submission` is set where this host has asked for the job, `facts` are what the worker said of it.

    What cannot be kept of it (the disk is full, the program removed its folder) is told, and the job and the service go on.
    """

    def __init__(self, workplace: Workplace, prepared: Path, facts: Message, submission: Submission | None, tell: Tell):
        self._workplace, self._submission, self._tell = workplace, submission, tell
        self._begun = {key: facts[key] for key in ("digest", "by", "session")} | {"began": round(time.time(), 3)}
        self._folder = prepared
        try:
            self._folder = workplace.begin(prepared)
        except OSError as error:
            self._unkept(f"its folder cannot be kept: {error.strerror}")
        if submission is not None:
            submission.tell("begins", log=str(self._folder / "log.txt"))
        tell("begins", f"job {self._folder.name}: sha256:{facts['digest']}, asked for by {facts['by']}", **self._begun)

    def end(self, said: Message, code: int, lost: str) -> None:
        """Its process has ended, with that code; `said` is the outcome by its own words, `lost` why its log is not whole."""
        died = {"error": "PartyDied", "text": f"this host's process of the job {exit_text(code)}"}
        outcome = {**self._begun, "ended": round(time.time(), 3), **(said or died)}
        if lost:
            self._unkept(f"its log is not whole: {lost}")
        try:
            self._workplace.end(self._folder, outcome)
        except OSError as error:
            self._unkept(f"its outcome could not be kept: {error.strerror}")
        text = str(outcome.pop("text"))
        self._tell("ended", f"job {self._folder.name}: {text or 'ended well'}", job=self._folder.name, **outcome)
        if self._submission is not None:
            self._submission.end(FAILED if outcome["error"] or lost else 0, text)

    def _unkept(self, why: str) -> None:
        self._tell("unkept", f"job {self._folder.name}: {why}", job=self._folder.name)
        if self._submission is not None:
            self._submission.tell("unkept", f"at this host, {why}")
