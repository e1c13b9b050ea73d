"""What other published systems take for the workloads of mpc/bench/workloads.py, and by how much they are wrong."""

from __future__ import annotations

SOURCE = (
    "measured on a 2-core Zen 5 machine, all parties on it, over loopback: SPU 0.9.5 (64-bit ring, f = 18; SEMI2K with a trusted "
    "first party), CrypTen 0.4.1 (trusted first party), MP-SPDZ 0.4.2 of June 2026 (ring of 2^64, f = 16; `dealer-ring` and "
    "`replicated-ring`)"
)

SEMI2K, ABY3, CRYPTEN, DEALER, REPLICATED = (
    "SPU SEMI2K", "SPU ABY3 (3 parties)", "CrypTen", "MP-SPDZ dealer", "MP-SPDZ replicated (3 parties)",
)  # fmt: skip
SYSTEMS = (SEMI2K, ABY3, CRYPTEN, DEALER, REPLICATED)

_SECONDS = {
    "mul1m": (0.245, 0.335, 0.087, 0.426, 0.126),
    "ltz1m": (1.04, 1.87, 1.53, 0.313, 0.204),
    "relu1m": (1.09, 1.95, 1.56, 0.529, 0.277),
    "sigmoid": (0.661, 0.784, 0.337, 1.75, 0.514),
    "exp": (0.097, 0.129, 0.081, 0.849, 0.191),
    "reciprocal": (0.576, 0.692, 0.490, 0.515, 0.223),
    "sqrt": (0.621, 0.965, 0.219, 2.02, 0.688),
    "log": (0.938, 1.49, 0.434, None, None),
    "rowmax": (0.040, 0.064, 0.227, None, None),
    "softmax": (0.157, 0.220, 0.392, 0.096, 0.029),
}
_MEGABYTES = {  # sent by the busiest party
    "mul1m": (20, 20, 16, 24, 24),
    "ltz1m": (56, 36, 216, 29.9, 22.4),
    "relu1m": (72, 60, 232, 45.9, 30.4),
    "sigmoid": (60.5, 61, 37.6, 128, 93.7),
    "exp": (10, 15.6, 6.4, 56.7, 53.5),
    "reciprocal": (50.5, 46, 55, 64.1, 35),
    "sqrt": (51, 62, 20, 257, 166),
    "log": (51, 107, 37, None, None),
    "rowmax": (0.65, 0.54, 7.3, None, None),
    "softmax": (7.0, 6.9, 8.3, 6.9, 6.2),
}
_ROUNDS = {  # of the systems that were counted: the first three; for MP-SPDZ, its own count where there is one
    "mul1m": (2, 3, 1, None, None),
    "ltz1m": (7, 8, 8, None, None),
    "relu1m": (8, 11, 9, None, None),
    "sigmoid": (53, 76, 23, 95, None),
    "exp": (17, 24, 8, 31, None),
    "reciprocal": (36, 53, 38, 48, None),
    "sqrt": (35, 62, 18, None, None),
    "log": (26, 43, 32, None, None),
    "rowmax": (32, 45, 57, None, None),
    "softmax": (95, 136, 94, None, None),
}
_ERRORS = {  # the largest absolute error
    "sigmoid": (0.0010, None, 0.0029, None, None),
    "exp": (1.7, None, 1.9, None, None),
    "reciprocal": (3e-4, None, 1.3e-3, None, None),
    "sqrt": (4e-4, None, 0.04, None, None),
    "log": (2.4e-4, None, 0.045, None, None),
    "softmax": (0.0036, None, 0.0036, None, None),
}


def _by_system(table: dict[str, tuple[float | None, ...]]) -> dict[str, dict[str, float]]:
    return {
        name: {system: value for system, value in zip(SYSTEMS, values, strict=True) if value is not None}
        for name, values in table.items()
    }


SECONDS, MEGABYTES, ROUNDS, ERRORS = map(_by_system, (_SECONDS, _MEGABYTES, _ROUNDS, _ERRORS))
