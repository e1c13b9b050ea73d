"""A company serves its trained model to a client: mpc run examples/model_service.py -n 2

    mpc run examples/model_service.py                a PyTorch network for scikit-learn's digits, trained and exported on the spot
    mpc run examples/model_service.py MODEL.onnx     one that was exported before, for images (batch, 1, 8, 8)

Party 0 has the model, as an ONNX file. Party 1 has images, and gets their classes: nothing else is revealed to anybody. So the
company never sees an image or an answer, and the client no weight. What operators the model has becomes public.
"""

import logging
import warnings

import numpy as np
from sklearn.datasets import load_digits

import mpc

IMAGES, LABELS = load_digits().images[:, None] / 16, load_digits().target
TRAIN, BATCH = 1500, 64


def main(party, path=None, count="256"):
    model = mpc.onnx.load(party, (path or exported()) if party.index in (0, -1) else None, owner=0)  # -1: a dry run, for shapes
    asked = slice(TRAIN, TRAIN + int(count))
    images = party.input(IMAGES[asked] if party.index == 1 else None, owner=1, shape=IMAGES[asked].shape)
    answers = []
    for start in party.track(range(0, len(images), BATCH), "requests"):
        with party.measure() as cost:
            answers.append(np.argmax(model(images[start : start + BATCH]), axis=1).reveal(to=1))
    if party.index == 1:
        right = np.mean(np.concatenate(answers) == LABELS[asked])
        print(f"test accuracy         {right:.4f}   ({len(images)} images, of which the company saw none)")
        print(f"the last batch took {cost.seconds:.2f} s, {cost.rounds} rounds and {cost.bytes_sent / 1e6:.2f} MB sent")


def exported():
    """At the company: a small convolutional network with batch norm, trained in the clear and exported by PyTorch."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    torch.set_num_threads(1)  # the client computes on the same machine
    layers = [nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    net = nn.Sequential(*layers, nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 10))
    x, y = torch.tensor(IMAGES, dtype=torch.float32), torch.tensor(LABELS)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(8):
        for rows in torch.randperm(TRAIN).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    right = (net(x[TRAIN:]).argmax(dim=1) == y[TRAIN:]).float().mean()
    print(f"PyTorch, in the clear {right:.4f}   (the company's own test, on {len(y) - TRAIN} images)")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it has much to say about its exporter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.onnx.export(net, (x[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False).model_proto
