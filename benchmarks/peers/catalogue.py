"""All peers, by name."""

from benchmarks.peers.crypten import CRYPTEN
from benchmarks.peers.mpyc import MPYC
from benchmarks.peers.peer import Peer
from benchmarks.peers.spu import ABY3, SEMI2K

PEERS: dict[str, Peer] = {peer.name: peer for peer in (SEMI2K, ABY3, CRYPTEN, MPYC)}
