"""What happens during a run, told on standard error: as lines for people, or one JSON object a line."""

from __future__ import annotations

import sys
from typing import Any

import click

from mpc.progress import json_line


class Log:
    def __init__(self, as_json: bool):
        self._json = as_json
        self._shown = ""

    def event(self, name: str, text: str = "", **facts: Any) -> None:
        """Something happened. `text` is for people (nothing is shown if empty), `facts` for programs."""
        if self._json:
            click.echo(json_line(name, text, **facts), err=True)
        elif text:
            click.echo(f"mpc: {text}", err=True)
        sys.stderr.flush()

    def detail(self, text: str) -> None:
        """What only this host is told, as it is: it may hold its data."""
        if text and self._json:
            self.event("detail", text)
        elif text:
            click.echo(text, err=True)

    def once(self, name: str, text: str, **facts: Any) -> None:
        """The same, unless it is what was told last."""
        if text != self._shown:
            self._shown = text
            self.event(name, text, **facts)
