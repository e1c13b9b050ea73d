"""PyTorch modules, by way of ONNX in the owner's memory."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from mpc.errors import ModelError, PackageError, UsageError
from mpc.onnx.loading import load
from mpc.onnx.model import Model
from mpc.session import Party


def from_torch(party: Party, module: Any, args: Any, owner: int, dynamic_batch: bool = True) -> Model:
    """The owner's torch.nn.Module, to be called with secret tensors by all parties, as `mpc.onnx.load`.

    `args` are example inputs: a tensor or an array, or a tuple of them; only their shapes and dtypes count. With `dynamic_batch`
    the first axis of the inputs may have another size in a call. Only the owner's `module` and `args` are read, pass None
    elsewhere; the module is exported as in evaluation mode. ModelError, which names the nodes, for what cannot be imported.
    """
    return load(party, export(module, args, dynamic_batch) if party.index == owner else None, owner)


def export(module: Any, args: Any, dynamic_batch: bool = True) -> Any:
    """The module as an onnx.ModelProto."""
    try:
        import onnxscript as _needed  # noqa: F401
        import torch
    except ModuleNotFoundError as error:
        raise PackageError(f"from_torch needs the package {error.name}: pip install 'mpc[torch]'") from None
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"from_torch: the owner's module must be a torch.nn.Module, not {type(module).__name__}")
    if args is None:
        raise UsageError("from_torch: args= must give example inputs, as in module(*args)")
    inputs = tuple(torch.as_tensor(value) for value in (args if isinstance(args, tuple | list) else (args,)))
    dynamic = dynamic_batch and all(value.ndim for value in inputs)
    if dynamic:
        inputs = tuple(_at_least_two(value) for value in inputs)
    shapes = _per_parameter(module, [{0: torch.export.Dim.AUTO} for _ in inputs]) if dynamic else None
    training = module.training
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(module.eval(), inputs, dynamo=True, verbose=False, dynamic_shapes=shapes)
    except Exception as error:
        raise ModelError(f"from_torch: PyTorch cannot export {type(module).__name__}: {error}") from error
    finally:
        module.train(training)
    assert program is not None
    return program.model_proto


def _per_parameter(module: Any, shapes: list[Any]) -> tuple[Any, ...]:
    """One entry for each parameter of forward: those of *args belong together."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    rest = next((k for k, parameter in enumerate(parameters) if parameter.kind is parameter.VAR_POSITIONAL), None)
    return tuple(shapes) if rest is None else (*shapes[:rest], tuple(shapes[rest:]))


def _at_least_two(value: Any) -> Any:
    """A batch of one is taken for a fixed size when a module is exported."""
    return value.repeat_interleave(2, 0) if value.shape[0] == 1 else value
