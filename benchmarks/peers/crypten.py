"""CrypTen, with two parties and its trusted first party.

Its own requirements name packages that an index no longer has, so that it is installed without them, after those it needs.
"""

from benchmarks.peers.environment import Environment
from benchmarks.peers.peer import EVERYTHING, Peer

ENVIRONMENT = Environment(
    "crypten-0.4.1", ("torch==2.13.0 numpy==2.4.6 omegaconf==2.4.0 onnx==1.23.2 pyyaml==6.0.3", "--no-deps crypten==0.4.1")
)
_LOOPBACK, _ONE_THREAD = {"GLOO_SOCKET_IFNAME": "lo"}, dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
CRYPTEN = Peer("crypten", "CrypTen", 2, ENVIRONMENT, "crypten_worker.py", EVERYTHING, variables={**_LOOPBACK, **_ONE_THREAD})
