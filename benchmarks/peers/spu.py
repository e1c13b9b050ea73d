"""SPU (SecretFlow) over the ring of 2^64: SEMI2K with two parties and a trusted first party, ABY3 with three."""

from benchmarks.peers.environment import Environment
from benchmarks.peers.peer import EVERYTHING, Peer

ENVIRONMENT = Environment("spu-0.9.5", ("spu==0.9.5 jax==0.4.34 jaxlib==0.4.34 numpy==1.26.4 scipy==1.17.1",))
_ALL_CORES = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"))  # its default; it obeys them


def _peer(name: str, protocol: str, parties: int) -> Peer:
    title = f"SPU {protocol}"
    return Peer(name, title, parties, ENVIRONMENT, "spu_worker.py", EVERYTHING, {"protocol": protocol}, _ALL_CORES)


SEMI2K = _peer("spu", "SEMI2K", 2)
ABY3 = _peer("aby3", "ABY3", 3)
