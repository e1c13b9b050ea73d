"""mpc cluster check: every host sees who is there, what differs, and how fast each link is."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.clusters import cluster_text
from mpc.cluster import Cluster, Identity
from mpc.errors import Error, HandshakeError
from mpc.launch.cluster import Site
from mpc.launch.probe import check_cluster

NAMES = ("north", "south", "broker")


@pytest.fixture
def sites(tmp_path):
    """sites(change): this host's Site of each name; `change(name, text)` gives the cluster file that it has."""
    identities = [Identity.generate(name) for name in NAMES]
    text = cluster_text(identities)

    def make(change=lambda name, text: text):
        made = []
        for identity in identities:
            path = tmp_path / f"{identity.name}.toml"
            path.write_text(change(identity.name, text))
            made.append(Site(Cluster.load(path), identity, identity.name))
        return made

    return make


def checked(sites, wait=20, programs=(None, None, None), late=0.0):
    """What each host finds, or its error. The last one comes so many seconds after the others."""

    def one(site, program):
        time.sleep(late if site is sites[-1] else 0)
        try:
            return check_cluster(site, wait, program)
        except Error as error:
            return error

    with ThreadPoolExecutor(len(NAMES)) as pool:
        return list(pool.map(one, sites, programs))


def test_every_link_is_measured_and_shown_alike(sites):
    found = checked(sites())
    assert all(each.speeds == found[0].speeds and each.differences == [] for each in found)
    assert [(speed.first, speed.second) for speed in found[0].speeds] == [(0, 1), (0, 2), (1, 2)]
    assert all(0 < speed.round_trip < 10 and speed.bandwidth > 1e4 for speed in found[0].speeds)


def test_programs_that_differ_are_named(sites, tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("def main(party): pass\n")
    two.write_text("def main(party): return 1\n")
    found = checked(sites(), programs=(one, two, None))
    assert all(len(each.differences) == 1 and each.differences[0].startswith("program: ") for each in found[:2])
    assert all(name in found[0].differences[0] for name in ("north", "south"))
    assert found[2].differences == []  # the dealer has none


def test_another_cluster_file_is_named_at_once_with_both_values(sites):
    found = checked(sites(lambda name, text: ("fraction_bits = 12\n" if name == "south" else "") + text))
    assert all(isinstance(each, Error) for each in found), found
    assert all("fraction_bits: " in str(each) and "12" in str(each) and "16" in str(each) for each in found), found


@pytest.mark.parametrize("late", [0.3, 0.5, 0.7])
def test_who_comes_when_the_others_have_given_up_already_hears_why(sites, late):
    found = checked(sites(lambda name, text: ("fraction_bits = 12\n" if name == "south" else "") + text), wait=3, late=late)
    assert all("fraction_bits: " in str(each) and "12" in str(each) and "16" in str(each) for each in found), found


def test_who_does_not_come_is_named(sites):
    with pytest.raises(HandshakeError) as caught:
        check_cluster(sites()[0], 0.5)
    assert all(text in str(caught.value) for text in ("south", "broker", "not reached"))
