"""Whether what failed may be tried once more, alone: a few tests whose processes are killed, stopped or waited for.

Those tell what happened by the clock, and a machine that others use stands still for seconds at times. Nothing else gets
a second chance: what fails once in many runs is broken.
"""

import json
import sys

MOST = 5
BY_THE_CLOCK = (
    "tests/bench/test_command.py",
    "tests/checkpoints/test_kills.py",
    "tests/cluster/",
    "tests/examples/",
    "tests/mpc/test_failures.py",
    "tests/mpc/test_launch",
    "tests/mpc/test_leftovers.py",
    "tests/mpc/test_transports.py",
    "tests/offline/test_ledger.py",
    "tests/serve/",
    "tests/test_readme.py",
)

with open(".pytest_cache/v/cache/lastfailed") as file:
    failed = sorted(json.load(file))
print("failed:", *failed, sep="\n  ")
if not 0 < len(failed) <= MOST or not all(name.startswith(BY_THE_CLOCK) for name in failed):
    sys.exit("these get no second chance")
print("they are run again, alone:", flush=True)
