"""One party of SPU, a process of SPU's environment: it imports nothing of this project.

Each line on standard input is an order in JSON, each line on standard output its answer. SPU's own log lines, which alone
tell what was sent, go to standard error.
"""

import json
import os
import pickle
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import spu
from spu import libspu
from spu.utils import frontend

FUNCTIONS = {
    "mul1m": lambda x, y: x * y,
    "ltz1m": lambda x: x < 0,
    "relu1m": lambda x: jnp.maximum(x, 0),
    "sigmoid": jax.nn.sigmoid,
    "exp": jnp.exp,
    "reciprocal": lambda x: 1.0 / x,
    "sqrt": jnp.sqrt,
    "log": jnp.log,
    "rowmax": lambda x: jnp.max(x, axis=1),
    "softmax": lambda x: jax.nn.softmax(x, axis=1),
}


def dense(w1, b1, w2, b2, w3, b3, x):
    h = jnp.maximum(x @ w1.T + b1, 0)
    h = jnp.maximum(h @ w2.T + b2, 0)
    return h @ w3.T + b3


def dense_step(*arrays):
    weights, x, t = arrays[:6], arrays[6], arrays[7]

    def loss(weights):
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(dense(*weights, x)), axis=1))

    return weights[0] - 0.1 * jax.grad(loss)(weights)[0]


def lenet(w1, b1, w2, b2, w3, b3, w4, b4, x):
    def convolved(v, w, b):
        names = ("NCHW", "OIHW", "NCHW")
        return jax.lax.conv_general_dilated(v, w, (1, 1), "VALID", dimension_numbers=names) + b[None, :, None, None]

    def pooled(v):
        return jax.lax.reduce_window(v, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    v = pooled(convolved(pooled(convolved(x, w1, b1)), w2, b2)).reshape(x.shape[0], -1)
    return jnp.maximum(v @ w3.T + b3, 0) @ w4.T + b4


def logistic(x, y):
    def step(i, w):
        start = (i % 7) * 128
        rows, labels = jax.lax.dynamic_slice(x, (start, 0), (128, 100)), jax.lax.dynamic_slice(y, (start,), (128,))
        return w - (0.5 / 128) * (rows.T @ (jax.nn.sigmoid(rows @ w) - labels))

    return jax.lax.fori_loop(0, 100, step, jnp.zeros(100))


FUNCTIONS |= {
    "logreg": logistic,
    "dense_inf": dense,
    "dense_train": dense_step,
    "lenet16": lenet,
    "lenet128": lenet,
}
SECRET = libspu.Visibility.VIS_SECRET
TIMEOUT = 600_000  # milliseconds
PAYLOAD = 32 << 20  # bytes of one message


def configuration(fraction_bits, counting):
    """SPU's defaults over the ring of 2^64; 0 fraction bits: its default there, 18."""
    config = spu.RuntimeConfig()
    config.protocol = libspu.ProtocolKind.SEMI2K
    config.field = libspu.FieldType.FM64
    config.beaver_type = spu.RuntimeConfig.BeaverType.TrustedFirstParty
    if fraction_bits:
        config.fxp_fraction_bits = fraction_bits
    config.enable_pphlo_profile = counting
    return config


def connect(rank, ports):
    description = libspu.link.Desc()
    description.recv_timeout_ms = TIMEOUT
    description.http_max_payload_size = PAYLOAD
    for number, port in enumerate(ports):
        description.add_party(f"party{number}", f"127.0.0.1:{port}")
    return libspu.link.create_brpc(description, rank)


class Worker:
    """A party: its link, a runtime that is timed, and one that logs its traffic."""

    def __init__(self, rank, ports, folder, fraction_bits):
        self.rank, self.size, self.folder = rank, len(ports), folder
        self.link = connect(rank, ports)
        config = configuration(fraction_bits, counting=False)
        self.io = spu.Io(self.size, config)
        self.timed = spu.Runtime(self.link, config)
        self.counting = spu.Runtime(self.link, configuration(fraction_bits, counting=True))
        self.prepared = {}

    def path(self, name, rank):
        return os.path.join(self.folder, f"{name}.{rank}")

    def prepare(self, name):
        """Compiled program and shares of the inputs, made once by party 0; and the result of a first run, for its check."""
        if name in self.prepared:
            return
        if self.rank == 0:
            self.compile(name)
        self.link.barrier()
        with open(self.path(name, self.rank), "rb") as file:
            code, shares = pickle.load(file)
        program = libspu.Executable()
        program.ParseFromString(code)
        self.prepared[name] = program, shares
        self.run(self.counting, name)
        result = self.counting.get_var(program.output_names[0])
        with open(self.path(name, self.rank), "wb") as file:
            pickle.dump(result, file)
        self.link.barrier()
        if self.rank == 0:
            self.reconstruct(name)
        self.run(self.timed, name)  # warms up

    def compile(self, name):
        with np.load(self.path(name, "npz")) as file:
            arrays = [file[key].astype(np.float32) for key in file.files]
        names = [f"in{number}" for number in range(len(arrays))]
        program, _ = frontend.compile(
            frontend.Kind.JAX,
            FUNCTIONS[name],
            arrays,
            {},
            names,
            [SECRET] * len(arrays),
            lambda out: [f"out{i}" for i in range(len(out))],
        )
        shares = [self.io.make_shares(array, SECRET) for array in arrays]
        for rank in range(self.size):
            with open(self.path(name, rank), "wb") as file:
                pickle.dump((program.SerializeToString(), [share[rank] for share in shares]), file)

    def reconstruct(self, name):
        results = []
        for rank in range(self.size):
            with open(self.path(name, rank), "rb") as file:
                results.append(pickle.load(file))
        np.save(self.path(name, "npy"), np.asarray(self.io.reconstruct(results)))

    def run(self, runtime, name):
        """Seconds from a common start to shares of the result."""
        program, shares = self.prepared[name]
        for variable, share in zip(program.input_names, shares, strict=True):
            runtime.set_var(variable, share)
        self.link.barrier()
        begin = time.perf_counter()
        runtime.run(program)
        return time.perf_counter() - begin


def main():
    rank, folder, fraction_bits, *ports = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    libspu.logging.setup_logging(libspu.logging.LogOptions())
    worker = Worker(int(rank), ports, folder, int(fraction_bits))
    for line in sys.stdin:
        order = json.loads(line)
        worker.prepare(order["workload"])
        seconds = [worker.run(worker.timed, order["workload"]) for _ in range(order["repeats"])]
        answers.write(json.dumps(seconds) + "\n")
    worker.link.stop_link()


if __name__ == "__main__":
    main()
