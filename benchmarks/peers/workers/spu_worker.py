"""One party of SPU, a process of SPU's environment: it imports nothing of this project.

Each line on standard input is an order in JSON, each line on standard output its answer. SPU's own log lines, which alone
tell what was sent, go to standard error.
"""

import json
import os
import re
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import spu
from spu import libspu
from spu.utils import frontend


def chain(x, y):
    return jax.lax.fori_loop(0, 1000, lambda _, v: v * y, x)


def dense(w1, b1, w2, b2, w3, b3, x):
    h = jnp.maximum(x @ w1.T + b1, 0)
    h = jnp.maximum(h @ w2.T + b2, 0)
    return h @ w3.T + b3


def dense_step(*arrays):
    """All weights after a step; the first ones are looked at."""
    weights, x, t = arrays[:6], arrays[6], arrays[7]

    def loss(weights):
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(dense(*weights, x)), axis=1))

    return [w - 0.1 * g for w, g in zip(weights, jax.grad(loss)(weights), strict=True)]


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


FUNCTIONS = {
    "matmul": jnp.matmul,
    "mul": jnp.multiply,
    "chain": chain,
    "ltz": lambda x: x < 0,
    "relu": lambda x: jnp.maximum(x, 0),
    "sigmoid": jax.nn.sigmoid,
    "exp": jnp.exp,
    "reciprocal": lambda x: 1.0 / x,
    "sqrt": jnp.sqrt,
    "log": jnp.log,
    "rowmax": lambda x: jnp.max(x, axis=1),
    "softmax": lambda x: jax.nn.softmax(x, axis=1),
    "logreg": logistic,
    "dense_inf": dense,
    "dense_train": dense_step,
    "lenet": lenet,
}
SECRET = libspu.Visibility.VIS_SECRET
TIMEOUT = 600_000  # milliseconds
PAYLOAD = 32 << 20  # bytes of one message
TRAFFIC = re.compile(r"total send bytes (\d+), recv bytes \d+, send actions (\d+)")


def configuration(protocol, counting):
    """SPU's defaults over the ring of 2^64: 18 fraction bits, truncation that does not fail."""
    config = spu.RuntimeConfig()
    config.protocol = getattr(libspu.ProtocolKind, protocol)
    config.field = libspu.FieldType.FM64
    if protocol == "SEMI2K":
        config.beaver_type = spu.RuntimeConfig.BeaverType.TrustedFirstParty
    config.enable_pphlo_profile = counting
    return config


def connect(rank, ports):
    description = libspu.link.Desc()
    description.recv_timeout_ms = TIMEOUT
    description.http_max_payload_size = PAYLOAD
    for number, port in enumerate(ports):
        description.add_party(f"party{number}", f"127.0.0.1:{port}")
    return libspu.link.create_brpc(description, rank)


def as_array(data):
    return np.frombuffer(data, dtype=np.uint8)


def save(path, shares, **more):
    """Shares as arrays of bytes: of each its description, and its chunks."""
    arrays = {f"{i}.meta": as_array(share.meta) for i, share in enumerate(shares)}
    for i, share in enumerate(shares):
        arrays |= {f"{i}.{j}": as_array(chunk) for j, chunk in enumerate(share.share_chunks)}
    np.savez(path, **arrays, **more)


def load(path):
    """The shares in a file, and the file's other arrays as bytes."""
    shares = []
    with np.load(path) as file:
        data = {name: file[name].tobytes() for name in file.files}
    while f"{len(shares)}.meta" in data:
        prefix, share = f"{len(shares)}.", libspu.Share()
        share.meta = data.pop(f"{prefix}meta")
        share.share_chunks = [data.pop(f"{prefix}{j}") for j in range(sum(name.startswith(prefix) for name in data))]
        shares.append(share)
    return shares, data


class Worker:
    """A party: its link, a runtime that is timed, and one that logs its traffic."""

    def __init__(self, rank, ports, folder, protocol):
        self.rank, self.size, self.folder = rank, len(ports), folder
        self.link = connect(rank, ports)
        config = configuration(protocol, counting=False)
        self.io = spu.Io(self.size, config)
        self.timed = spu.Runtime(self.link, config)
        self.counting = spu.Runtime(self.link, configuration(protocol, counting=True))
        self.prepared = {}

    def path(self, name, rank):
        return os.path.join(self.folder, f"{name}.party{rank}.npz")

    def prepare(self, name, function):
        """Compiled program and shares of the inputs, made once by party 0; traffic and result of a first run."""
        if self.rank == 0:
            self.compile(name, function)
        self.link.barrier()
        shares, data = load(self.path(name, self.rank))
        program = libspu.Executable()
        program.ParseFromString(data["code"])
        log = os.path.getsize(f"log{self.rank}")
        self.run(self.counting, program, shares)
        save(self.path(name, self.rank), [self.counting.get_var(program.output_names[0])])
        self.link.barrier()
        if self.rank == 0:
            results = [load(self.path(name, rank))[0][0] for rank in range(self.size)]
            np.save(os.path.join(self.folder, f"{name}.npy"), np.asarray(self.io.reconstruct(results)))
        self.run(self.timed, program, shares)  # warms up
        self.prepared[name] = program, shares, self.traffic(log)

    def compile(self, name, function):
        with np.load(os.path.join(self.folder, f"{name}.npz")) as file:
            arrays = [file[key].astype(np.float32) for key in file.files]
        names = [f"in{number}" for number in range(len(arrays))]
        program, _ = frontend.compile(
            frontend.Kind.JAX,
            FUNCTIONS[function],
            arrays,
            {},
            names,
            [SECRET] * len(arrays),
            lambda out: [f"out{i}" for i in range(len(out))],
        )
        shares = [self.io.make_shares(array, SECRET) for array in arrays]
        for rank in range(self.size):
            save(self.path(name, rank), [share[rank] for share in shares], code=as_array(program.SerializeToString()))

    def traffic(self, offset):
        """Bytes and messages sent, as the log has had them since."""
        with open(f"log{self.rank}", errors="replace") as file:
            file.seek(offset)
            bytes_sent, actions = TRAFFIC.findall(file.read())[-1]
        return {"bytes_sent": int(bytes_sent), "rounds": int(actions)}

    def run(self, runtime, program, shares):
        """Seconds from a common start to shares of the result."""
        for variable, share in zip(program.input_names, shares, strict=True):
            runtime.set_var(variable, share)
        self.link.barrier()
        begin = time.perf_counter()
        runtime.run(program)
        return time.perf_counter() - begin

    def answer(self, workload, function, repeats):
        if workload not in self.prepared:
            self.prepare(workload, function)
        program, shares, traffic = self.prepared[workload]
        return {"seconds": [self.run(self.timed, program, shares) for _ in range(repeats)], **traffic}


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    libspu.logging.setup_logging(libspu.logging.LogOptions())
    worker = Worker(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        answers.write(json.dumps(worker.answer(**json.loads(line))) + "\n")
    worker.link.stop_link()


if __name__ == "__main__":
    main()
