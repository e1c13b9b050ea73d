"""make bench: what the project promises about speed, measured. Ratios are taken within one run: machines differ."""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy loads: "one thread" below means it

from benchmarks import bench_ring, bench_run  # noqa: E402


def main() -> None:
    bench_ring.main()
    bench_run.main()


if __name__ == "__main__":
    main()
