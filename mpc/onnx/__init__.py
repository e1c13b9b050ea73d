"""Models from elsewhere, by ONNX: `model = mpc.onnx.load(party, path_or_None, owner=)`, then `model(x)` on secret tensors."""

from mpc.errors import PackageError

try:
    import onnx as _onnx  # noqa: F401
except ModuleNotFoundError:
    raise PackageError("mpc.onnx needs the package onnx, which is not installed: pip install 'mpc[onnx]'") from None

from mpc.onnx.loading import load
from mpc.onnx.model import Model
from mpc.onnx.pytorch import from_torch

__all__ = ["Model", "from_torch", "load"]
