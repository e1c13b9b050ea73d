"""MPyC, with three parties of whom two are honest. It is 100 to 1000 times slower upon arrays, and so gets smaller ones."""

from benchmarks.peers.environment import Environment
from benchmarks.peers.peer import Peer

ENVIRONMENT = Environment("mpyc-0.11", ("mpyc==0.11 numpy==2.4.6 gmpy2==2.3.2",))
SIZES = {"matmul256": 64, "mul1m": 10**4, "ltz1m": 10**3, "relu1m": 10**3, "rowmax": 100}
MPYC = Peer("mpyc", "MPyC", 3, ENVIRONMENT, "mpyc_worker.py", frozenset({"matmul", "mul", "ltz", "relu", "rowmax"}), sizes=SIZES)
