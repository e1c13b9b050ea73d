"""The operators that run on secret tensors, by ONNX's names. `python -m mpc.onnx.page` writes them to docs/onnx.md."""

from mpc.onnx.operators import arithmetic, elementwise, products, quantised, recurrent, reductions, resizing, shapes
from mpc.onnx.operators.table import Operator

TOPICS: dict[str, dict[str, Operator]] = {
    "Functions of each element": elementwise.TABLE,
    "Arithmetic, comparison, selection": arithmetic.TABLE,
    "Products, convolutions and pools": products.TABLE,
    "Reductions and normalisations": reductions.TABLE,
    "Shapes and elements": {**shapes.TABLE, **resizing.TABLE},
    "Recurrent": recurrent.TABLE,
    "Quantised": quantised.TABLE,
}
OPERATORS: dict[str, Operator] = {name: operator for table in TOPICS.values() for name, operator in table.items()}
