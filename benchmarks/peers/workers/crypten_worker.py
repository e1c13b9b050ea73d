"""One party of CrypTen, a process of CrypTen's environment: it imports nothing of this project.

Each line on standard input is an order in JSON, each line on standard output its answer.
"""

import json
import os
import sys
import time
import types

import numpy as np
import torch

# A module that PyTorch no longer has; CrypTen imports it, and uses it only to read ONNX files.
sys.modules["torch.onnx.symbolic_registry"] = types.ModuleType("torch.onnx.symbolic_registry")

import crypten  # noqa: E402


def chain(x, y):
    for _ in range(1000):
        x = x * y
    return x


def logistic(x, y):
    w = crypten.cryptensor(torch.zeros(100))
    for i in range(100):
        rows = slice(i % 7 * 128, (i % 7 + 1) * 128)
        w = w - x[rows].t().matmul(x[rows].matmul(w).sigmoid() - y[rows]) * (0.5 / 128)
    return w


def dense(w1, b1, w2, b2, w3, b3, x):
    h = (x.matmul(w1.t()) + b1).relu()
    h = (h.matmul(w2.t()) + b2).relu()
    return h.matmul(w3.t()) + b3


def dense_step(*arrays):
    """All weights after a step; the first ones are looked at."""
    weights, x, t = arrays[:6], arrays[6], arrays[7]
    for w in weights:
        w.requires_grad, w.grad = True, None
    with crypten.enable_grad():
        loss = dense(*weights, x).cross_entropy(t, skip_forward=True)  # the gradient alone, as of the others
    loss.backward()
    return [w - w.grad * 0.1 for w in weights]


def lenet(w1, b1, w2, b2, w3, b3, w4, b4, x):
    v = (x.conv2d(w1) + b1.view(1, -1, 1, 1)).max_pool2d(2)
    v = (v.conv2d(w2) + b2.view(1, -1, 1, 1)).max_pool2d(2).view(x.size(0), -1)
    return (v.matmul(w3.t()) + b3).relu().matmul(w4.t()) + b4


FUNCTIONS = {
    "matmul": lambda x, y: x.matmul(y),
    "mul": lambda x, y: x * y,
    "chain": chain,
    "ltz": lambda x: x < 0,
    "relu": lambda x: x.relu(),
    "sigmoid": lambda x: x.sigmoid(),
    "exp": lambda x: x.exp(),
    "reciprocal": lambda x: x.reciprocal(),
    "sqrt": lambda x: x.sqrt(),
    "log": lambda x: x.log(),
    "rowmax": lambda x: x.max(dim=1)[0],
    "softmax": lambda x: x.softmax(dim=1),
    "logreg": logistic,
    "dense_inf": dense,
    "dense_train": dense_step,
    "lenet": lenet,
}


class Worker:
    """A party. Inputs are shared anew for each run, untimed."""

    def __init__(self, rank, ports, folder):
        self.folder = folder
        os.environ |= {
            "DISTRIBUTED_BACKEND": "gloo",
            "RENDEZVOUS": f"file://{folder}/rendezvous",
            "WORLD_SIZE": str(len(ports)),
            "RANK": str(rank),
        }
        torch.set_num_threads(1)
        crypten.init()
        self.traffic = {}

    def run(self, workload, function):
        """Seconds from a common start to shares of the result, and the result."""
        with np.load(os.path.join(self.folder, f"{workload}.npz")) as file:
            inputs = [crypten.cryptensor(torch.from_numpy(file[key]), src=0) for key in file.files]
        crypten.comm.get().barrier()
        crypten.reset_communication_stats()
        begin = time.perf_counter()
        with crypten.no_grad():
            result = FUNCTIONS[function](*inputs)
        return time.perf_counter() - begin, result

    def prepare(self, workload, function):
        """A first run, counted. CrypTen counts what is sent and what is received; two parties send as much as they receive."""
        with crypten.cfg.temp_override({"communicator.verbose": True}):
            _, result = self.run(workload, function)
            counts = crypten.comm.get().get_communication_stats()
        self.traffic[workload] = {"bytes_sent": counts["bytes"] // 2, "rounds": counts["rounds"]}
        shares = (result[0] if isinstance(result, list) else result)._tensor
        # not get_plain_text(): its decoder is off by 1 for some negative numbers
        plain = shares.reveal().double().numpy() / shares.encoder.scale
        if crypten.comm.get().get_rank() == 0:
            np.save(os.path.join(self.folder, f"{workload}.npy"), plain)

    def answer(self, workload, function, repeats):
        if workload not in self.traffic:
            self.prepare(workload, function)
        return {"seconds": [self.run(workload, function)[0] for _ in range(repeats)], **self.traffic[workload]}


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        answers.write(json.dumps(worker.answer(**json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
