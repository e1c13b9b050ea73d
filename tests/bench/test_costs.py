"""What every workload costs, to the byte: a change of protocol that costs more, or less, changes a number here on purpose."""

import pytest

from mpc.bench.catalogue import ALL
from mpc.bench.measure import Repetition, play_once
from mpc.dry import dry_run
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job

COSTS = {  # rounds, bytes that the busiest party sends, bytes that are dealt; two parties, 16 fraction bits
    "matmul256": (2, 1_572_864, 1_179_648),
    "matmul512": (2, 6_291_456, 4_718_592),
    "matmul1024": (2, 25_165_824, 18_874_368),
    "mul10m": (2, 240_000_000, 180_000_000),
    "chain": (1001, 8016, 19_998),
    "mul1m": (2, 24_000_000, 18_000_000),
    "ltz1m": (3, 12_250_000, 43_000_000),
    "relu1m": (4, 12_375_000, 59_000_000),
    "sigmoid": (4, 2_475_272, 39_989_288),
    "exp": (4, 2_475_272, 15_989_288),
    "reciprocal": (13, 11_526_588, 55_618_904),
    "sqrt": (13, 11_063_452, 42_642_312),
    "log": (12, 7_863_452, 47_442_312),
    "rowmax": (6, 287_810, 2_117_504),
    "softmax": (13, 667_764, 3_897_568),
    "logreg": (695, 2_092_032, 5_368_592),
    "dense_inf": (12, 2_424_832, 2_611_712),
    "dense_train": (32, 3_984_880, 7_127_800),
    "lenet16": (19, 7_683_032, 24_422_400),
    "lenet128": (25, 38_298_336, 148_746_240),
}
WAN = {  # as the planner chooses there: fewer rounds, where what is dealt for that is worth it
    ("ltz1m", "wan"): (3, 12_250_000, 43_000_000),
    ("softmax", "wan"): (13, 667_764, 3_897_568),
    ("softmax", "wan,dealer=none"): (11, 530_004, 18_114_400),
    ("logreg", "wan"): (596, 2_028_672, 9_056_144),
    ("dense_inf", "wan,dealer=none"): (10, 2_342_912, 11_065_856),
}
SMALL = [
    ("matmul256", 8),
    ("mul1m", 20),
    ("ltz1m", 20),
    ("reciprocal", 20),
    ("softmax", 5),
    ("dense_train", None),
    ("lenet16", 1),
]


def program_of(name, size=None):
    arrays = ALL[name].arrays(size)
    return lambda party: play_once(party, ALL[name].ours, arrays)[1]


def dry_costs(name, size=None, **options):
    costs, program = [], program_of(name, size)
    dry_run(Job(lambda party: costs.append(program(party)), **options))
    return figures(costs)


def figures(costs):
    one = Repetition.of(tuple(costs))
    return one.rounds, one.bytes_sent, one.bytes_dealt


def test_the_table_has_every_workload():
    assert COSTS.keys() == ALL.keys()


@pytest.mark.parametrize("name", COSTS)
def test_costs_are_exactly(name):
    assert dry_costs(name) == COSTS[name]


@pytest.mark.parametrize(("name", "network"), WAN)
def test_costs_where_rounds_are_dear_are_exactly(name, network):
    assert dry_costs(name, network=network) == WAN[name, network]


@pytest.mark.parametrize("name, size", SMALL, ids=[name for name, _ in SMALL])
@pytest.mark.parametrize("parties", [2, 3])
def test_they_are_what_a_run_counts(name, size, parties):
    job = Job(program_of(name, size), parties=parties)
    counted = figures([cost for cost, _ in simulate_job(job)[:parties]])
    assert counted == dry_costs(name, size, parties=parties) and counted[0]
