"""One party of MPyC, a process of MPyC's environment: it imports nothing of this project.

Each line on standard input is an order in JSON, each line on standard output its answer.
"""

import asyncio
import functools
import json
import os
import sys
import time

import numpy as np

START = json.loads(sys.argv[1])
ADDRESSES = [part for port in START["ports"] for part in ("-P", f"127.0.0.1:{port}")]
sys.argv[1:] = [*ADDRESSES, "-I", str(START["rank"]), "--no-log"]  # MPyC reads them upon import

from mpyc.runtime import mpc  # noqa: E402

FIXED = mpc.SecFxp(64, 16)
FUNCTIONS = {
    "matmul": mpc.np_matmul,
    "mul": mpc.np_multiply,
    "ltz": lambda x: mpc.np_less(x, 0),
    "relu": lambda x: (1 - mpc.np_less(x, 0)) * x,
    "rowmax": lambda x: mpc.np_amax(x, axis=1),
}


def sent():
    return sum(party.protocol.nbytes_sent for party in mpc.parties if party.pid != mpc.pid)


class Worker:
    def __init__(self):
        self.known = {}  # workload: its inputs, bytes sent in a run
        self.runs = 0

    async def run(self, function, inputs):
        """Seconds from a common start to shares of the result, bytes that they took, and the result."""
        self.runs += 1
        await mpc.barrier(f"run {self.runs}")
        begin, before = time.perf_counter(), sent()
        result = FUNCTIONS[function](*inputs)
        await mpc.gather(result)
        return time.perf_counter() - begin, sent() - before, result

    async def prepare(self, workload, function):
        with np.load(os.path.join(START["folder"], f"{workload}.npz")) as file:
            inputs = [mpc.input(FIXED.array(file[key], integral=False), senders=0) for key in file.files]
        for one in inputs:
            await mpc.gather(one)
        _, count, result = await self.run(function, inputs)
        plain = np.asarray(await mpc.output(result), dtype=float)
        if mpc.pid == 0:
            np.save(os.path.join(START["folder"], f"{workload}.npy"), plain)
        self.known[workload] = inputs, count

    async def answer(self, workload, function, repeats):
        if workload not in self.known:
            await self.prepare(workload, function)
        inputs, count = self.known[workload]
        seconds = [(await self.run(function, inputs))[0] for _ in range(repeats)]
        await mpc.barrier(f"end {self.runs}")
        return {"seconds": seconds, "bytes_sent": count, "rounds": None}  # it counts no rounds


async def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    loop = asyncio.get_running_loop()
    loop.create_server = functools.partial(loop.create_server, host="127.0.0.1")  # else it listens to every network
    await mpc.start()
    worker = Worker()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        answers.write(json.dumps(await worker.answer(**json.loads(line))) + "\n")
    await mpc.shutdown()


mpc.run(main())
