"""A soak of services: jobs back to back on two parties and a dealer, while their processes are killed at random.

    python -m benchmarks.soak --minutes 10

Most kills hit a worker, whatever it does (it starts, meets the others, waits, plays, ends), a few the service itself,
which is then started again, as systemd would. Prints what came of the jobs, and what the services held at the beginning and at
the end. Exits with 1 if a result that survived is wrong, or something has leaked.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from os import kill
from pathlib import Path

from benchmarks.services import NAMES, Services, Usage
from benchmarks.waiting import until
from mpc.errors import ServiceError

PROGRAM = """
import numpy as np

def main(party, number):
    own = np.full((8, 8), float(number))
    x, y = (party.input(own if party.index == i else None, owner=i, shape=(8, 8)) for i in range(2))
    for _ in range(40):
        z = np.maximum(x @ y, 0)
    return float(z.reveal()[3, 3])
"""
LISTED = {"a": 2, "b": 3}
KEEP = 8
MOST = 20_000  # bytes that a job leaves in its folder


class Soak:
    def __init__(self, services: Services, seconds: float, every: float, seed: int):
        self.services, self.every, self.random = services, every, random.Random(seed)
        self.until = time.monotonic() + seconds
        self.jobs, self.kills, self.wrong, self.longest = Counter(), Counter(), [], 0.0
        self._lock = threading.Lock()

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def run(self) -> None:
        threads = [threading.Thread(target=self.submit, args=(name,)) for name in LISTED]
        for thread in threads:
            thread.start()
        while self.goes_on:
            time.sleep(self.random.uniform(0.5, 2 * self.every))
            self.strike()
        for thread in threads:
            thread.join()

    def submit(self, name: str) -> None:
        """Back to back, one at a time; both parties do so, and so compete."""
        while self.goes_on:
            number = random.randint(-9, 9)  # noqa: S311
            began = time.monotonic()
            try:
                ended = self.services.submit(name, "product", str(number))
            except ServiceError as error:
                if "no service is there" not in str(error):  # else it was not asked
                    self.jobs["failed: its own service was killed"] += 1
                time.sleep(0.5)
                continue
            with self._lock:
                self.longest = max(self.longest, time.monotonic() - began)
                self.jobs["right" if ended.status == 0 else kind(ended.text)] += 1
                if ended.status == 0:
                    self.check(name, number, ended.output)

    def check(self, name: str, number: int, output: str) -> None:
        other = next(LISTED[party] for party in LISTED if party != name)
        expected = max(8.0 * number * other, 0.0)
        line = next((line for line in output.splitlines() if line.startswith(f"{name}: ")), "")
        if line != f"{name}: {expected}":
            self.wrong.append(f"{name} got {line!r}, expected {expected}")

    def strike(self) -> None:
        name = self.random.choice(NAMES)
        with suppress(ProcessLookupError):
            if self.random.random() < 0.15:
                self.kills["services"] += 1
                self.services.processes[name].kill()
                self.services.processes[name].wait()
                time.sleep(self.random.uniform(0, 2))
                self.services.start(name)
            elif workers := self.services.workers(name):
                kill(workers[0], signal.SIGKILL)
                self.kills["workers"] += 1

    def disagreements(self) -> list[str]:
        """Jobs that ended well at both parties, with other results."""
        printed = [{job["session"]: job["log"].rpartition(": ")[2] for job in self.good(name)} for name in LISTED]
        return [session for session in printed[0].keys() & printed[1].keys() if printed[0][session] != printed[1][session]]

    def good(self, name: str) -> list[dict]:
        return [job for job in self.services.outcomes(name) if not job["error"]]


def kind(text: str) -> str:
    for part in ("died", "was cut", "killed by", "sent nothing in time", "failed with", "was refused", "service ended"):
        if part in text:
            return f"failed: '{part}'"
    return f"failed: {text[:80]}"


def show(title: str, usages: list[Usage]) -> None:
    print(title)
    for name, use in zip(NAMES, usages, strict=True):
        held = f"{use.descriptors:4d} descriptors {use.children:2d} workers {use.megabytes:7.1f} MB"
        print(f"  {name:<7}{held} {use.disk / 1e3:7.1f} kB on disk")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=5, help="mean seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args = {name: [str(number)] for name, number in LISTED.items()}
        services = Services(Path(folder), {"product": PROGRAM}, args, "--keep", str(KEEP))
        services.start()
        try:
            return report(services, given.minutes, given.every, given.seed)
        finally:
            services.stop()


def report(services: Services, minutes: float, every: float, seed: int) -> int:
    for _ in range(KEEP):  # the folders of jobs are full, and the service has done everything once
        services.submit("a", "product")
    services.idle()
    before = [services.usage(name) for name in NAMES]
    soak = Soak(services, minutes * 60, every, seed)
    soak.run()
    ready = services.idle()
    after = [services.usage(name) for name in NAMES]
    disagreements = soak.disagreements()
    print(f"{sum(soak.jobs.values())} jobs in {minutes:g} minutes; the longest, with its waiting, took {soak.longest:.1f} s")
    for what, count in soak.jobs.most_common():
        print(f"  {count:5d} {what}")
    print(f"killed: {soak.kills['workers']} workers, {soak.kills['services']} services")
    print(f"wrong results: {len(soak.wrong)}; results that differ between parties: {len(disagreements)}")
    for text in [*soak.wrong, *disagreements]:
        print(f"  {text}")
    show("at the beginning", before)
    show("at the end", after)
    orphans = not until(lambda: services.all_workers() == len(NAMES), 20)
    leaks = [name for name, b, a in zip(NAMES, before, after, strict=True) if leaked(b, a)]
    leaks += ["processes"] if orphans else []
    print(f"leaks: {', '.join(leaks) or 'none'}; all ready again: {'yes' if ready else 'NO'}")
    return 1 if soak.wrong or disagreements or leaks or not ready else 0


def leaked(before: Usage, after: Usage) -> bool:
    """Memory may move a little: a service that was started anew has done less."""
    grown = after.megabytes > before.megabytes * 1.1 + 5 or after.disk > KEEP * MOST
    return grown or after.descriptors > before.descriptors or after.children > 1


if __name__ == "__main__":
    sys.exit(main())
