"""Neural networks on secret tensors, with PyTorch's names: modules, losses, optimisers, and gradients by `loss.backward()`."""

from importlib import import_module
from typing import Any

from mpc.nn import data, functional, init
from mpc.nn.containers import ModuleDict, ModuleList, Sequential
from mpc.nn.data import DataLoader, TensorDataset
from mpc.nn.layers.activations import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from mpc.nn.layers.attention import MultiheadAttention
from mpc.nn.layers.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from mpc.nn.layers.dropout import Dropout
from mpc.nn.layers.embedding import Embedding
from mpc.nn.layers.linear import Flatten, Identity, Linear
from mpc.nn.layers.normalisation import BatchNorm1d, BatchNorm2d, LayerNorm
from mpc.nn.layers.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from mpc.nn.layers.transformer import TransformerEncoderLayer
from mpc.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from mpc.nn.module import Buffer, Module, Parameter
from mpc.nn.optim import (
    SGD,
    Adam,
    AdamW,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    Optimizer,
    StepLR,
    clip_grad_norm_,
    clip_grad_value_,
)
from mpc.nn.recording import no_grad
from mpc.nn.state import from_numpy, load, reveal, save
from mpc.nn.tape import Variable

__all__ = [
    "Adam",
    "AdamW",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineAnnealingLR",
    "CrossEntropyLoss",
    "DataLoader",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "Flatten",
    "GELU",
    "Identity",
    "L1Loss",
    "LRScheduler",
    "LambdaLR",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearLR",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiStepLR",
    "MultiheadAttention",
    "Optimizer",
    "Parameter",
    "ReLU",
    "SGD",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "StepLR",
    "Tanh",
    "TensorDataset",
    "TransformerEncoderLayer",
    "Variable",
    "clip_grad_norm_",
    "clip_grad_value_",
    "data",
    "from_numpy",
    "functional",
    "init",
    "load",
    "no_grad",
    "reveal",
    "save",
]


def __getattr__(name: str) -> Any:
    if name == "from_torch":  # a model of somebody else's, which is a later room
        return import_module("mpc.onnx").from_torch
    raise AttributeError(f"module 'mpc.nn' has no attribute '{name}'")
