"""Three parties and a dealer on addresses of their own: network namespaces joined by a bridge. Needs root; skipped without."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from benchmarks.clusters import write_cluster

NAMES = ["north", "south", "west", "broker"]  # the last is the dealer
PORT = 7000
AT_ONCE = 40.0  # seconds in which all must know: 5 on a machine that has nothing else to do, and less than `message`
START = 60.0

PROGRAM = """
import time
from pathlib import Path

import numpy as np

SECRET = np.frombuffer(b"in clea!" * 13, np.int64)

def main(party, folder):
    x = party.input(SECRET if party.index == 0 else None, owner=0)
    y = party.input(np.arange(13.0) if party.index == 1 else None, owner=1)
    Path(folder, f"share-{party.index}").write_bytes(x.share.value.tobytes())
    for turn in range(100_000):
        z = (x[0] * 0 + y * y).reveal()
        if turn == 3:
            Path(folder, f"running-{party.index}").touch()
        if party.announce(Path(folder, "enough").exists(), owner=0):
            break
    return z
"""

SNIFFER = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
with open(sys.argv[1], "wb", buffering=0) as file:
    file.write(b"listening")
    while True:
        file.write(link.recv(1 << 16))
"""


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20, check=True)


def _allowed():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        ip("netns", "add", f"mpc-try-{os.getpid()}")
    except subprocess.SubprocessError:
        return False
    ip("netns", "del", f"mpc-try-{os.getpid()}")
    return True


pytestmark = pytest.mark.skipif(not _allowed(), reason="network namespaces need root and iproute2")


class Net:
    """A bridge in a namespace of its own, and a namespace with one address for each host."""

    def __init__(self, folder):
        self.folder = folder
        self.tag = f"mpc{os.getpid() % 10000}"
        self.hosts = []
        self.processes = {}
        self.hub = f"{self.tag}-hub"

    def __enter__(self):
        ip("netns", "add", self.hub)
        ip("-n", self.hub, "link", "add", "hub0", "type", "bridge")
        ip("-n", self.hub, "link", "set", "hub0", "up")
        for number, name in enumerate(NAMES):
            space = f"{self.tag}-{name}"
            ip("netns", "add", space)
            self.hosts.append(space)
            ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", name, "netns", self.hub)
            ip("-n", self.hub, "link", "set", name, "master", "hub0", "up")
            ip("-n", space, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                ip("-n", space, "link", "set", device, "up")
        return self

    @staticmethod
    def address(number):
        return f"10.77.0.{number + 1}"

    def cluster(self):
        """Keys and the cluster file of all hosts; the program and the folder that it marks its progress in."""
        addresses = [f"{self.address(number)}:{PORT}" for number in range(len(NAMES))]
        write_cluster(self.folder, NAMES, addresses, "[timeouts]\nmessage = 120\nheartbeat = 2.5\n")
        (self.folder / "program.py").write_text(PROGRAM)

    def start(self, name):
        program = [] if name == NAMES[-1] else ["program.py", str(self.folder)]
        words = [sys.executable, "-m", "mpc", "run", *program, "--cluster", "cluster.toml", "--as", name]
        self.processes[name] = subprocess.Popen(
            ["ip", "netns", "exec", f"{self.tag}-{name}", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start_all(self):
        for name in NAMES:
            self.start(name)
        self.wait_for(lambda: all((self.folder / f"running-{i}").exists() for i in range(3)))

    def wait_for(self, reached):
        deadline = time.monotonic() + START
        while not reached():
            ended = [name for name, process in self.processes.items() if process.poll() not in (None, 0)]
            assert not ended, [self.processes[name].communicate()[1] for name in ended]
            assert time.monotonic() < deadline, "the parties did not come so far"
            time.sleep(0.05)

    def sniff(self):
        words = ["ip", "netns", "exec", self.hub, sys.executable, "-c", SNIFFER, str(self.folder / "capture")]
        self.processes["sniffer"] = subprocess.Popen(words, start_new_session=True)
        self.wait_for((self.folder / "capture").exists)

    def ends(self, names, seconds):
        """(exit code, standard error) of each, which all must have within that time."""
        deadline = time.monotonic() + seconds
        found = {}
        for name in names:
            process = self.processes[name]
            _, error = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
            found[name] = process.returncode, error
        return found

    def __exit__(self, *_):
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for space in [*self.hosts, self.hub]:
            ip("netns", "del", space)


@pytest.fixture
def net(tmp_path):
    with Net(tmp_path) as made:
        made.cluster()
        yield made


def said(error):
    """The line that all parties must have in common."""
    return next(line for line in error.splitlines() if line.startswith("mpc: ") and "during operation" in line)


def test_nothing_on_the_wire_is_in_the_clear(net):
    net.sniff()
    net.start_all()
    (net.folder / "enough").touch()
    ended = net.ends(NAMES, START)
    assert all(code == 0 for code, _ in ended.values()), ended
    captured = (net.folder / "capture").read_bytes()
    assert b"CURVE" in captured  # ZeroMQ's greeting, which is in the clear: the sniffer sees what passes
    assert len(captured) > 20_000
    values = [
        np.frombuffer(b"in clea!" * 13, np.int64).tobytes()[:8],
        (np.arange(13.0) * 65536).astype(np.int64)[3:5].tobytes(),
    ]
    shares = [(net.folder / f"share-{party}").read_bytes()[:8] for party in range(3)]
    for text in [*values, *shares, b"mpc1", b"reveal", b"truncat", b"uint64", *(name.encode() for name in NAMES)]:
        assert text not in captured, text


def test_a_host_that_is_cut_off_is_named_by_the_others(net):
    net.start_all()
    ip("-n", net.hub, "link", "set", "west", "down")
    ended = net.ends(NAMES, AT_ONCE)
    assert all(code == 1 for code, _ in ended.values()), ended
    lines = {name: said(error) for name, (_, error) in ended.items()}
    assert lines["north"] == lines["south"] == lines["broker"]
    assert "party 2 died, or its machine cannot be reached" in lines["north"]
    assert "cannot be reached" in lines["west"]


def test_a_link_that_is_cut_is_named_by_all(net):
    net.start_all()
    ip("-n", net.hosts[0], "route", "add", "blackhole", f"{net.address(1)}/32")
    ended = net.ends(NAMES, AT_ONCE)
    assert all(code == 1 for code, _ in ended.values()), ended
    assert len({said(error) for _, error in ended.values()}) == 1, ended
    assert "the link between party 0 and party 1 was cut" in said(ended["broker"][1])


def test_a_host_that_is_killed_is_named_by_the_others(net):
    net.start_all()
    os.killpg(net.processes["south"].pid, signal.SIGKILL)
    ended = net.ends(["north", "west", "broker"], AT_ONCE)
    assert all(code == 1 for code, _ in ended.values()), ended
    assert len({said(error) for _, error in ended.values()}) == 1
    assert "party 1 died" in said(ended["north"][1])


def test_hosts_may_come_in_any_order_and_find_out_who_is_missing(net):
    net.start("west")
    net.start("broker")
    time.sleep(3)
    assert net.processes["west"].poll() is None
    (net.folder / "enough").touch()
    net.start("south")
    net.start("north")
    ended = net.ends(NAMES, START)
    assert all(code == 0 for code, _ in ended.values()), ended
    assert "waiting for" in ended["west"][1] and "north" in ended["west"][1]
