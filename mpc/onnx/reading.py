"""A model file at its owner: read, checked, and brought to nodes of ONNX's own operators."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, helper, inliner, shape_inference

from mpc.errors import ModelError, UsageError
from mpc.onnx.graph import default_opset
from mpc.onnx.operators import OPERATORS
from mpc.onnx.public import PUBLIC_ONLY

OLDEST = 11
NEWEST = onnx.defs.onnx_opset_version()
_MOST_INLINING = 8  # functions in functions
_PUBLIC = PUBLIC_ONLY | {"Bernoulli"}  # never of a secret: evaluated as they are, or refused


def read(source: Any) -> ModelProto:
    """The checked model of a path, of bytes, or of a ModelProto; with the weights of its external files."""
    model = _parsed(source)
    try:
        onnx.checker.check_model(os.fspath(source) if isinstance(source, str | os.PathLike) else model)
        if model.functions:
            model = inliner.inline_local_functions(model)
    except Exception as error:
        raise ModelError(f"{_name(source)} is no valid ONNX model: {str(error).strip()}") from None
    for sparse in model.graph.sparse_initializer:
        raise ModelError(
            f"{_name(source)}: the constant '{sparse.values.name}' is sparse, which is not available; store it dense"
        )
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not OLDEST <= opset.version <= NEWEST:
            raise ModelError(
                f"{_name(source)} has opset {opset.version}; {OLDEST} to {NEWEST} can be imported. Export it again with one of "
                "those (opset_version=), or convert it with onnx.version_converter."
            )
    return named(expanded(model))


def _parsed(source: Any) -> ModelProto:
    if isinstance(source, ModelProto):
        copy = ModelProto()
        copy.CopyFrom(source)  # what follows changes it, and the caller keeps its own
        return copy
    if not isinstance(source, str | os.PathLike | bytes):
        raise UsageError(f"a model is the path of an ONNX file, its bytes, or a ModelProto, not {type(source).__name__}")
    try:
        return onnx.load_model_from_string(source) if isinstance(source, bytes) else onnx.load(Path(source))
    except FileNotFoundError as error:
        what = "file" if isinstance(source, bytes) or not Path(source).exists() else "external weights"
        raise ModelError(f"{_name(source)}: the {what} cannot be found: {error}") from None
    except onnx.checker.ValidationError as error:
        raise ModelError(f"{_name(source)}: the external weights cannot be read: {error}") from None
    except Exception as error:
        raise ModelError(f"{_name(source)} cannot be read as an ONNX model: {type(error).__name__}: {error}") from None


def _name(source: Any) -> str:
    return f"'{source}'" if isinstance(source, str | os.PathLike) else "the model"


def expanded(model: ModelProto) -> ModelProto:
    """With the operators that we lack, but ONNX defines by others (Attention, ...), written out in those."""
    for _ in range(_MOST_INLINING):
        missing = {node.op_type for node in model.graph.node if node.domain in ("", "ai.onnx")} - OPERATORS.keys() - _PUBLIC
        wanted = sorted(op for op in missing if _is_function(op, default_opset(model)))
        if not wanted:
            break
        for node in model.graph.node:
            if node.op_type in wanted:
                _fill_in(node, default_opset(model))
        try:
            model = inliner.inline_selected_functions(_typed(model), [("", op) for op in wanted], False, True)
        except Exception:  # they stay, and are named as what is not supported
            break
    return model


def _fill_in(node: NodeProto, opset: int) -> None:
    """The defaults of attributes: some definitions forget them."""
    given = {attribute.name for attribute in node.attribute}
    for name, attribute in onnx.defs.get_schema(node.op_type, opset).attributes.items():
        if name not in given and attribute.default_value.name:
            node.attribute.append(attribute.default_value)


def _typed(model: ModelProto) -> ModelProto:
    """With the types of all values, on which some definitions depend."""
    known = {proto.name for proto in (*model.graph.value_info, *model.graph.input)}
    for proto in model.graph.initializer:
        if proto.name not in known:
            model.graph.value_info.append(helper.make_tensor_value_info(proto.name, proto.data_type, proto.dims))
    return shape_inference.infer_shapes(model)


def _is_function(op: str, opset: int) -> bool:
    if not onnx.defs.has(op, opset):
        return False
    schema: Any = onnx.defs.get_schema(op, opset)
    return bool(schema.has_function or schema.has_context_dependent_function)


def named(model: ModelProto) -> ModelProto:
    """With a name for each node: its own, or its operator and what it makes. Names may repeat in a file; here they do not."""
    seen: Counter[str] = Counter()
    for node in model.graph.node:
        name = node.name or f"{node.op_type} of {next(iter(node.output), 'nothing')}"
        seen[name] += 1
        node.name = name if seen[name] == 1 else f"{name} #{seen[name]}"
    return model
