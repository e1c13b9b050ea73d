"""Trains the networks of test_models.py and exports each by both of PyTorch's exporters: `python tests/onnx/make_models.py`.

The files lie beside, in models/, so that the tests need not train and export: that takes minutes.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

FOLDER = Path(__file__).parent / "models"
TESTED = 200  # the first images are for the tests


class Residual(nn.Module):
    """Two stages with batch norm; the second halves the image, with a convolution beside it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.first = nn.Sequential(self.block(8, 8, 1), nn.ReLU(), self.block(8, 8, 1))
        self.second = nn.Sequential(self.block(8, 16, 2), nn.ReLU(), self.block(16, 16, 1))
        self.beside = self.block(8, 16, 2)
        self.last = nn.Linear(16, 10)

    @staticmethod
    def block(channels, out, stride):
        return nn.Sequential(nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        x = self.stem(x.reshape(-1, 1, 8, 8))
        x = torch.relu(x + self.first(x))
        x = torch.relu(self.second(x) + self.beside(x))
        return self.last(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Encoder(nn.Module):
    """The rows of an image as tokens, with learned positions."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.places = nn.Parameter(torch.zeros(1, 8, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        return self.last(self.encoder(self.embed(x.reshape(-1, 8, 8)) + self.places).mean(1))


def mlp():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 32), nn.Sigmoid(), nn.Linear(32, 10))


def lenet():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 12, 3),
        nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 10),
    )  # fmt: skip


MODELS = {"mlp": mlp, "lenet": lenet, "residual": Residual, "encoder": Encoder}


def trained(name: str) -> nn.Module:
    images, labels = load_digits(return_X_y=True)
    x, y = torch.as_tensor(images[TESTED:] / 16, dtype=torch.float32), torch.as_tensor(labels[TESTED:])
    torch.manual_seed(0)
    network = MODELS[name]()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.003)
    for _ in range(15):
        for batch in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimiser.step()
    return network.eval()


def main() -> None:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    example = torch.as_tensor(np.zeros((2, 64), np.float32))
    for name in MODELS:
        network = trained(name)
        shapes = ({0: torch.export.Dim.AUTO},)
        file = FOLDER / f"{name}-dynamo.onnx"
        torch.onnx.export(network, (example,), file, dynamo=True, dynamic_shapes=shapes, verbose=False, external_data=False)
        options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}, "opset_version": 17}
        torch.onnx.export(network, (example,), FOLDER / f"{name}-torchscript.onnx", dynamo=False, **options)


if __name__ == "__main__":
    main()
