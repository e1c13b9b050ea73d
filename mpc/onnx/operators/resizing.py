"""Resize: along each axis a choice of elements, or a product with a public matrix, as the reference makes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mpc.onnx.graph import Array, Node
from mpc.onnx.operators.table import Table

TABLE = Table()

_PER_AXIS = ("coordinate_transformation_mode", "cubic_coeff_a", "mode", "nearest_mode", "exclude_outside", "extrapolation_value")


def _refused(node: Node) -> str | None:
    if node.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        return "coordinate_transformation_mode='tf_crop_and_resize' is not available; crop with Slice first"
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        return "keep_aspect_ratio_policy is not available; give the sizes themselves"
    return "antialias is not available" if node.get("antialias", 0) else None


@TABLE.add(
    "Resize",
    public=(1, 2, 3),
    refuses=_refused,
    note="nearest (local), linear and cubic (a product with a public matrix for each axis); no antialias, no crop",
)
def resize(node: Node, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    by_size = scales is None or not len(scales)
    wanted = sizes if by_size else scales
    for axis, value in zip(node.get("axes", range(x.ndim)), wanted, strict=True):
        same = int(value) == x.shape[axis] if by_size else float(value) == 1
        if not same:
            x = _along(x, axis % x.ndim, _matrix(node, x.shape[axis], value, by_size), node.get("mode", "nearest"))
    return x


def _matrix(node: Node, n: int, value: Any, by_size: bool) -> Array:
    """What the reference makes of the unit vectors of an axis: (n, new size)."""
    attributes = {name: node.attributes[name] for name in _PER_AXIS if name in node.attributes}
    inputs = ("x", "", "", "sizes") if by_size else ("x", "", "scales")
    single = replace(node, inputs=inputs, outputs=("y",), attributes=attributes)
    other = np.array([n, int(value)], np.int64) if by_size else np.array([1, value], np.float32)
    feeds = [None, None, None, other] if by_size else [None, None, other]
    return np.asarray(single.evaluate(np.eye(n, dtype=np.float32), *feeds[1:])[0])


def _along(x: Any, axis: int, matrix: Array, mode: str) -> Any:
    if mode == "nearest":
        return np.take(x, np.argmax(matrix, axis=0), axis)
    return np.moveaxis(np.matmul(np.moveaxis(x, axis, -1), matrix), -1, axis)
