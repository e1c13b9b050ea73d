"""Fuzzing by coverage: python -m tests.fuzz.run NAME... [libFuzzer's options, as in -max_total_time=600 -runs=100000]

Without names: all targets, one after the other, each in a process of its own. Exit code: how many found something. What is
found is shown in hexadecimal, with its traceback; put it among the target's seeds once it is mended.
"""

import os
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["mpc", "protocols"], exclude=["mpc.ring"]):  # ring: others compile it
    from tests.fuzz.targets import TARGETS, Target, broken

OPTIONS = ["-rss_limit_mb=3000", "-timeout=30", "-max_len=3000"]
BROKEN = Target(broken, [b"x"])


def once(target, data):
    """What libFuzzer calls."""
    try:
        target(data)
    except Exception:
        print(f"found by: {data.hex()}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        raise


def fuzz(name, options, folder):
    """In a process of its own, which this ends."""
    target = TARGETS.get(name, BROKEN)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for k, seed in enumerate(target.seeds):
        (corpus / str(k)).write_bytes(seed)
    atheris.Setup([name, *OPTIONS, f"-artifact_prefix={folder}/", *options, str(corpus)], lambda data: once(target, data))
    atheris.Fuzz()


def apart(name, options, folder):
    """Whether that process found nothing."""
    print(f"--- {name}", file=sys.stderr, flush=True)
    child = os.fork()
    if child == 0:
        try:
            fuzz(name, options, folder)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main(arguments):
    options = [each for each in arguments if each.startswith("-")]
    names = [each for each in arguments if not each.startswith("-")] or list(TARGETS)
    unknown = set(names) - {*TARGETS, "broken"}
    if unknown:
        sys.exit(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    with TemporaryDirectory() as folder:
        found = [name for name in names if not apart(name, options, Path(folder) / name)]
    print("found something: " + ", ".join(found) if found else "found nothing", file=sys.stderr)
    return len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
