"""Two owners train a network on the images that they have together: mpc run examples/mnist.py -n 2

    mpc run examples/mnist.py                     an MLP on scikit-learn's digits (8 x 8), 10 epochs
    mpc run examples/mnist.py lenet 20            a LeNet, 20 epochs
    mpc run examples/mnist.py mlp 5 FOLDER        on MNIST-10k: FOLDER holds images-idx3-ubyte.gz and labels-idx1-ubyte.gz

Each owner has every second image, with its label. Images, labels, weights, activations and gradients stay secret; revealed are
the loss of each epoch's last batch, and the accuracy on the test images: not which of them were right.
"""

import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import mpc
from mpc import nn

BATCH, RATE, MOMENTUM = {8: 64, 28: 128}, 0.1, 0.9  # batches for images of 8 x 8 and of 28 x 28


def load(folder):
    """Images in [0, 1], labels, and how many of them are for training."""
    if folder is None:
        digits = load_digits()
        return digits.images / 16, digits.target, 1500
    images, labels = (
        np.frombuffer(gzip.decompress((Path(folder) / f"{name}-ubyte.gz").read_bytes()), np.uint8)
        for name in ("images-idx3", "labels-idx1")
    )
    return images[16:].reshape(-1, 28, 28) / 255, labels[8:].astype(int), (len(labels) - 8) * 4 // 5


def network(model, size):
    """For images (1, size, size), where size is 8 or 28."""
    if model == "mlp":
        hidden = 64 if size == 8 else 128
        first, second, last = nn.Linear(size * size, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 10)
        return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), last)
    if model != "lenet":
        raise mpc.errors.OptionError(f"model={model!r} must be mlp or lenet")
    if size == 8:
        first, second, head = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1), [nn.Linear(64, 64)]
    else:
        first, second, head = (
            nn.Conv2d(1, 6, 5, padding=2),
            nn.Conv2d(6, 16, 5),
            [nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84)],
        )
    features = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return nn.Sequential(features, *head, nn.ReLU(), nn.Linear(head[-1].out_features, 10))


def shared(party, array):
    """Every second row from each owner: what it would read from its own disk."""
    shapes = [array[owner::2].shape for owner in (0, 1)]
    return nn.data.by_rows(party, array[party.index :: 2], owners=[0, 1], shapes=shapes, dtype=array.dtype)


def main(party, model="mlp", epochs="10", folder=None):
    images, labels, count = load(folder)
    images, epochs = images[:, None], int(epochs)
    train = nn.TensorDataset(*(shared(party, a[:count]) for a in (images, labels)))
    test = nn.TensorDataset(*(shared(party, a[count:]) for a in (images, labels)))

    size = images.shape[-1]
    net, criterion = network(model, size).to(party), nn.CrossEntropyLoss()
    loader = nn.DataLoader(train, batch_size=BATCH[size], shuffle=True)
    optimizer = nn.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM)
    for epoch in range(epochs):
        for x, y in party.track(loader, f"epoch {epoch + 1}"):
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
        shown = loss.reveal()
        if party.index == 0:
            print(f"epoch {epoch + 1}: loss of the last batch {shown:.4f}")

    with nn.no_grad():
        right = [np.argmax(net(x), axis=1) == y for x, y in nn.DataLoader(test, batch_size=500)]
    accuracy = np.concatenate(right).mean().reveal()
    if party.index == 0:
        report(model, images.reshape(len(images), -1), labels, count, epochs, accuracy)


def report(model, X, y, count, epochs, accuracy):
    size, hidden, data = (8, 64, "scikit-learn's digits") if X.shape[1] == 64 else (28, 128, "MNIST-10k")
    sizes = {"hidden_layer_sizes": (hidden, hidden), "batch_size": BATCH[size]}
    plain = MLPClassifier(solver="sgd", alpha=0, learning_rate_init=RATE, momentum=MOMENTUM, **sizes)
    for _ in range(epochs):
        plain.partial_fit(X[:count], y[:count], classes=np.arange(10))
    reference = plain.score(X[count:], y[count:])
    print(f"test accuracy         {accuracy:.4f}   ({model} on {data}, {len(y) - count} images, {epochs} epochs)")
    print(f"scikit-learn, pooled  {reference:.4f}   (MLPClassifier with 2 x {hidden} hidden units, in the clear)")
