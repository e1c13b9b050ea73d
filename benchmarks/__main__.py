"""make bench: what the project promises about speed, measured. Ratios are taken within one run: machines differ."""

from benchmarks import bench_functions, bench_ring, bench_run


def main() -> None:
    bench_ring.main()
    bench_run.main()
    bench_functions.report(turns=1)


if __name__ == "__main__":
    main()
