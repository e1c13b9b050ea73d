"""Training on secret images beside the same program in floating point: test accuracy, for several seeds.

The same first weights, batches, learning rate and loss. Digits of scikit-learn (8 x 8) by default; `--mnist FOLDER`: files
images-idx3-ubyte.gz and labels-idx1-ubyte.gz, of which the last fifth is for testing.
"""

from __future__ import annotations

import gzip
import statistics
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits

import mpc
from mpc import nn

Data = tuple[np.ndarray, np.ndarray]


def digits() -> Data:
    """Shuffled: the set is sorted by writers."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return images[order].reshape(-1, 1, 8, 8) / 16, labels[order]


def mnist(folder: Path) -> Data:
    def read(name: str, header: int) -> np.ndarray:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=header)

    return read("images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) / 255, read("labels-idx1-ubyte.gz", 8).astype(int)


def described(name: str, side: int) -> nn.Module:
    if name == "mlp":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(side * side, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
        )
    kernel, padding = (5, 0) if side == 28 else (3, 1)
    last = ((side - 4) // 2 - 4) // 2 if side == 28 else side // 4
    return nn.Sequential(
        nn.Conv2d(1, 20, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 50, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(50 * last * last, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def program(party: Any, name: str, data: Data, epochs: int, rate: float, batch: int) -> Any:
    """Secret training; the accuracy on the rest, and, for the comparison alone, the public first weights and batches."""
    (images, labels), cut = data, len(data[1]) * 4 // 5
    last = party.size - 1
    x = party.input(images if party.index == 0 else None, owner=0)
    y = party.input(labels if party.index == last else None, owner=last)
    net = described(name, images.shape[-1]).to(party)
    first = {key: value.reveal() for key, value in net.state_dict().items()}
    optimizer, loss_of, batches = nn.SGD(net.parameters(), lr=rate), nn.CrossEntropyLoss(), []
    for epoch in range(epochs):
        order = party.random.permutation(cut)
        for start in party.track(range(0, cut - batch + 1, batch), f"epoch {epoch + 1}"):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss_of(net(x[rows]), y[rows]).backward()
            optimizer.step()
            batches.append(rows)
    with nn.no_grad():
        right = [np.argmax(net.eval()(x[k : k + 500]), axis=1) == y[k : k + 500] for k in range(cut, len(labels), 500)]
    return float(np.concatenate(right).mean().reveal()), first, batches


def in_the_clear(name: str, data: Data, first: dict[str, np.ndarray], batches: list[np.ndarray], rate: float) -> float:
    """The same in PyTorch, float32."""
    (images, labels), cut = data, len(data[1]) * 4 // 5
    twins = {"Linear": torch.nn.Linear, "Conv2d": torch.nn.Conv2d, "ReLU": torch.nn.ReLU, "Flatten": torch.nn.Flatten}
    layers = []
    for layer in described(name, images.shape[-1]).children():
        if isinstance(layer, nn.Linear):
            layers.append(torch.nn.Linear(layer.in_features, layer.out_features))
        elif type(layer).__name__ == "Conv2d":
            layers.append(torch.nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, padding=layer.padding))
        else:
            layers.append(twins[type(layer).__name__]() if type(layer).__name__ in twins else torch.nn.MaxPool2d(2))
    net = torch.nn.Sequential(*layers)
    net.load_state_dict({key: torch.tensor(value, dtype=torch.float32) for key, value in first.items()})
    x, y = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    optimizer, loss_of = torch.optim.SGD(net.parameters(), lr=rate), torch.nn.CrossEntropyLoss()
    for rows in batches:
        optimizer.zero_grad()
        loss_of(net(x[rows]), y[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((net(x[cut:]).argmax(1) == y[cut:]).double().mean())


@click.command(help=__doc__)
@click.argument("networks", nargs=-1, type=click.Choice(["mlp", "lenet"]))
@click.option("--mnist", "folder", type=click.Path(path_type=Path, exists=True))
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--rate", default=0.1, show_default=True)
@click.option("--batch", default=128, show_default=True)
@click.option("--clear", is_flag=True, help="ours with protocol='plaintext', in this process")
def main(networks: tuple[str, ...], folder: Path | None, seeds: int, epochs: int, rate: float, batch: int, clear: bool) -> None:
    torch.set_num_threads(1)
    data = mnist(folder) if folder else digits()
    table = Table(box=None, pad_edge=False, title=f"{epochs} epochs, batches of {batch}, rate {rate}", title_justify="left")
    for column in ("", "seed", "ours", "floating point", "difference"):
        table.add_column(column, justify="right" if column else "left")
    for name in networks or ("mlp",):
        differences = []
        for seed in range(seeds):
            arguments = (program, name, data, epochs, rate, batch)
            results = (
                mpc.simulate(*arguments, seed=seed, parties=1, protocol="plaintext") if clear else mpc.run(*arguments, seed=seed)
            )
            ours, first, batches = results[0]
            reference = in_the_clear(name, data, first, batches, rate)
            differences.append(ours - reference)
            table.add_row(name, str(seed), f"{ours:.4f}", f"{reference:.4f}", f"{ours - reference:+.4f}")
        table.add_row(name, "mean", "", "", f"{statistics.mean(differences):+.4f}")
    Console().print(table)


if __name__ == "__main__":
    main()
