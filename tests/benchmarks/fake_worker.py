"""A party of a peer that does not exist: it answers in the clear, hangs with a child of its own, or dies."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

START = json.loads(sys.argv[1])
RANK = START["rank"]

for line in sys.stdin:
    order = json.loads(line)
    with np.load(f"{START['folder']}/{order['workload']}.npz") as file:
        arrays = [file[name] for name in file.files]
    if order["function"] == "ltz" and RANK == 0:  # the other waits for it, as parties do
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        Path(START["pids"]).write_text(str(child.pid))
    if order["function"] == "ltz":
        time.sleep(1000)
    if order["function"] == "exp" and RANK == 1:
        sys.exit("the second party has had enough")
    if order["function"] == "exp":
        time.sleep(1000)
    if RANK == 0:
        np.save(f"{START['folder']}/{order['workload']}.npy", arrays[0] * arrays[1] + 2**-10)
    seconds = [(RANK + 1) * (i + 1.0) for i in range(order["repeats"])]
    print(json.dumps({"seconds": seconds, "rounds": 3 - RANK, "bytes_sent": 100 + RANK}), flush=True)
