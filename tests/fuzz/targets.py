"""What is fuzzed: by name, a function of bytes, and inputs from which to begin. Both engines use this table.

A target may raise nothing but mpc.Error, whose text can be shown, and must take little memory, whatever the bytes claim.
"""

import tracemalloc
from dataclasses import dataclass
from functools import cached_property

import mpc
from tests.fuzz import bench, deals, disk, links, requests, service, wire

MEMORY = 1 << 22  # bytes that any input may take, and
PER_BYTE = 100  # more for each byte of the input: Python objects, and shapes that are told in a few bytes


class TooMuch(AssertionError):
    """An input took more memory than it may."""


@dataclass
class Target:
    function: object
    seeds: list[bytes]
    memory: int = MEMORY

    def __call__(self, data):
        """Run it once; raises what is wrong."""
        assert self._warm
        self._run(data)

    @cached_property
    def _warm(self):
        """Caches, imports and compiled kernels cost memory the first time. Regressions among the seeds are told later."""
        for seed in self.seeds:
            try:
                self._run(seed, measured=False)
            except Exception:  # noqa: S112
                continue
        return True

    def _run(self, data, measured=True):
        if not tracemalloc.is_tracing():
            tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            self.function(data)
        except mpc.Error as error:
            shown = str(error).replace("\n", "")
            assert shown.isprintable(), f"this cannot be shown: {shown!r}"
        peak = tracemalloc.get_traced_memory()[1] - before
        if measured and peak > self.memory + PER_BYTE * len(data):
            raise TooMuch(f"{peak} bytes of memory for an input of {len(data)}")


def broken(data):
    """For tests of the engines: what begins beyond x is a bug."""
    if data[:1] > b"x":
        raise KeyError("a bug")


def greedy(data):
    """For a test of the limit: what begins with M takes memory."""
    if data[:1] == b"M":
        bytes(1 << 28)


TARGETS = {
    "frames": Target(wire.frames, wire.FRAMES),
    "hello": Target(wire.hello, wire.HELLOS),
    "reports": Target(wire.report, wire.REPORTS),
    "claims": Target(wire.claims, wire.CLAIMS),
    "link": Target(links.link, links.LINKS),
    "endpoint": Target(links.endpoint, links.ENDPOINTS),
    "request-text": Target(requests.text, list(requests.seeds())),
    "request": Target(requests.request, [bytes(40), *(bytes([k]) * 60 for k in range(1, 24))]),
    "cluster": Target(disk.cluster, disk.CLUSTERS),
    "key-file": Target(disk.key_file, disk.KEY_FILES),
    "public-key": Target(disk.public_key, disk.PUBLIC_KEYS),
    "share-file": Target(disk.share_file, disk.SHARE_FILES),
    "sealed-share-file": Target(disk.sealed_share_file, disk.SEALED),
    "network": Target(disk.network, disk.NETWORKS),
    "checkpoints": Target(disk.checkpoints, disk.CHECKPOINTS),
    "dealt-file": Target(deals.dealt_file, [deals.DEALT]),
    "dealt-header": Target(deals.dealt_header, deals.DEALT_HEADERS),
    "dealt-streams": Target(deals.dealt_streams, deals.DEALT_STREAMS),
    "standings": Target(deals.standings, deals.STANDINGS),
    "ledger": Target(deals.ledger, deals.LEDGERS),
    "proposal": Target(service.proposal, service.PROPOSALS),
    "lines": Target(service.lines, service.LINES),
    "jobs": Target(service.jobs, service.JOBS),
    "answers": Target(service.answers, service.ANSWERS),
    "programs": Target(service.programs, service.PROGRAMS),
    "results": Target(bench.results, bench.RESULTS),
}
