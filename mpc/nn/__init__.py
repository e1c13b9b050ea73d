"""Neural networks on secret tensors, with PyTorch's names: modules, losses, optimisers, and gradients by `loss.backward()`."""

from mpc.nn import functional, init
from mpc.nn.layers.activations import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from mpc.nn.layers.linear import Flatten, Identity, Linear
from mpc.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from mpc.nn.module import Buffer, Module, ModuleList, Parameter, Sequential
from mpc.nn.optim import SGD, Optimizer
from mpc.nn.tape import Variable, no_grad

__all__ = [
    "BCEWithLogitsLoss",
    "Buffer",
    "CrossEntropyLoss",
    "Flatten",
    "GELU",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "Optimizer",
    "Parameter",
    "ReLU",
    "SGD",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Variable",
    "functional",
    "init",
    "no_grad",
]
