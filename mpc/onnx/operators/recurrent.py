"""LSTM, GRU and RNN. Both directions, and all gates of a step, share their rounds.

tanh(x) is 2 sigmoid(2 x) - 1, so one sigmoid serves all gates of an LSTM. The products of the inputs with the weights are made
once, for all steps. The backward direction is one more batch, of the steps in reverse order. A step takes 13 rounds of an LSTM,
14 of a GRU, 5 of an RNN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mpc import functions
from mpc.onnx.graph import Array, Node
from mpc.onnx.operators.table import Table, integers, is_secret

TABLE = Table()

_DEFAULT = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"], "RNN": ["tanh"]}
_NOTE = "activations Sigmoid, Tanh (RNN: Relu too); public sequence_lens; no clip"


def _refused(node: Node) -> str | None:
    for name in ("clip", "input_forget"):
        if node.get(name):
            return f"{name} is not available"
    chosen = [name.lower() for name in node.get("activations", ())]
    directions = 2 if node.get("direction") == "bidirectional" else 1
    if chosen and chosen != _DEFAULT[node.op] * directions and not (node.op == "RNN" and set(chosen) == {"relu"}):
        return f"the activations {chosen} are not available; only {_DEFAULT[node.op]} are"
    return None


@TABLE.add("LSTM", "GRU", "RNN", public=(4,), refuses=_refused, note=_NOTE)
def recurrent(
    node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None, p: Any = None
) -> Any:
    """x (steps, batch, features), w (directions, gates * hidden, features). Outputs Y, Y_h and, of an LSTM, Y_c."""
    batch_first = bool(node.get("layout", 0))
    if batch_first:
        x, h, c = (None if v is None else np.swapaxes(v, 0, 1) for v in (x, h, c))
    steps, batch = x.shape[:2]
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[node.get("direction", "forward")]
    hidden = r.shape[-1]
    cell = _Cell(node, np.swapaxes(r, 1, 2), None if b is None else b[:, None, b.shape[1] // 2 :], p, hidden)
    inputs = np.matmul(x.reshape((1, steps * batch, -1)), np.swapaxes(w, 1, 2)).reshape((len(backwards), steps, batch, -1))
    if b is not None:
        inputs = inputs + b[:, None, None, : b.shape[1] // 2]
    ends = np.full(batch, steps) if lengths is None else np.array(integers(lengths))
    zeros = np.zeros((len(backwards), batch, hidden))
    state = (zeros if h is None else h, zeros if c is None else c)
    y, h, c = _over(cell, _turned(inputs, backwards), ends, state, backwards)
    y = np.transpose(_turned(y, backwards), (1, 0, 2, 3))
    results = [y, h, c]
    if batch_first:
        results = [np.transpose(y, (2, 0, 1, 3)), np.swapaxes(h, 0, 1), np.swapaxes(c, 0, 1)]
    return tuple(results[: len(node.outputs)])


def _turned(x: Any, backwards: list[bool]) -> Any:
    """(directions, steps, ...) with the steps of backward directions in reverse order."""
    if len(backwards) == 1:
        return x[:, ::-1] if backwards[0] else x
    return np.concatenate([x[:1], x[1:, ::-1]])


def _over(cell: _Cell, inputs: Any, ends: Array, state: tuple[Any, Any], backwards: list[bool]) -> tuple[Any, Any, Any]:
    """All outputs (directions, steps, batch, hidden), the last ones, and the last cells."""
    steps = inputs.shape[1]
    h, c = state
    zeros, outputs = np.zeros((*inputs.shape[2:3], cell.hidden)), []
    for k in range(steps):
        new_h, new_c = cell.step(inputs[:, k], h, c)
        active = np.array([[steps - 1 - k if back else k] for back in backwards]) < ends
        if active.all():
            h, c, output = new_h, new_c, new_h
        else:  # what has ended keeps its state, and gives 0
            h, c, output = (_chosen(active, new, old) for new, old in ((new_h, h), (new_c, c), (new_h, zeros)))
        outputs.append(output)
    return np.stack(outputs, axis=1), h, c


def _chosen(active: Array, new: Any, old: Any) -> Any:
    if not is_secret(new) and not is_secret(old):
        return np.where(active[..., None], new, old)
    return np.where(np.broadcast_to(active[..., None], new.shape), new, old)


@dataclass(frozen=True)
class _Cell:
    """One step, of all directions: inputs (directions, batch, gates * hidden), state (directions, batch, hidden)."""

    node: Node
    r: Any
    bias: Any
    peephole: Any
    hidden: int

    def step(self, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        if self.node.op == "GRU":
            return self._gru(x, h), c
        z = x + self._recurrence(h, slice(None))
        if self.node.op == "LSTM":
            return self._lstm(z, c)
        relu = (self.node.get("activations") or ["Tanh"])[0].lower() == "relu"
        return (functions.relu(z) if relu else np.tanh(z)), c

    def _recurrence(self, h: Any, gates: slice) -> Any:
        """h r + bias, for these gates."""
        bias = 0.0 if self.bias is None else self.bias[..., gates]
        return bias if _is_zero(h) else np.matmul(h, self.r[..., gates]) + bias

    def _gate(self, values: Any, number: int) -> Any:
        return values[..., number * self.hidden : (number + 1) * self.hidden]

    def _seen(self, c: Any, number: int) -> Any:
        """What a gate sees of the cell."""
        return 0.0 if self.peephole is None or _is_zero(c) else c * self._gate(self.peephole, number)[:, None]

    def _lstm(self, z: Any, c: Any) -> tuple[Any, Any]:
        """Gates i, o, f, c; peepholes i, o, f."""
        i, o, f, g = (self._gate(z, k) for k in range(4))
        if self.peephole is not None:
            z = np.concatenate([i + self._seen(c, 0), o, f + self._seen(c, 2), g], axis=-1)
        curves = functions.sigmoid(z * np.repeat([1, 1, 1, 2], self.hidden))
        i, o_alone, f, half = (self._gate(curves, k) for k in range(4))
        new = i * (half * 2 - 1.0)
        new = new if _is_zero(c) else f * c + new
        o = o_alone if self.peephole is None else functions.sigmoid(o + self._seen(new, 1))
        return o * np.tanh(new), new

    def _gru(self, x: Any, h: Any) -> Any:
        """Gates z, r, h."""
        n, last = self.hidden, slice(2 * self.hidden, None)
        both = functions.sigmoid(x[..., : 2 * n] + self._recurrence(h, slice(0, 2 * n)))
        update, reset = both[..., :n], both[..., n:]
        if self.node.get("linear_before_reset", 0):
            candidate = np.tanh(x[..., last] + reset * self._recurrence(h, last))
        else:
            candidate = np.tanh(x[..., last] + self._recurrence(h if _is_zero(h) else reset * h, last))
        return candidate + update * (h - candidate)


def _is_zero(value: Any) -> bool:
    return not is_secret(value) and not value.any()
