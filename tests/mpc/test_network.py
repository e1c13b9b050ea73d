"""Texts that describe links, and those that do not."""

import math
from dataclasses import astuple

import pytest

from mpc.errors import OptionError
from mpc.network import LAN, LOOPBACK, WAN, Network


@pytest.mark.parametrize(
    ("text", "latency", "bandwidth"),
    [
        ("lan", 0.15e-3, 375e6),
        ("wan", 0.04, 44e6),
        ("20ms,100mbit", 0.02, 12.5e6),
        ("100mbit, 20ms", 0.02, 12.5e6),
        ("1.5 s,8 Kbit", 1.5, 1000),
        ("250us", 250e-6, math.inf),
        ("2.5gbit", 0, 312.5e6),
    ],
)
def test_what_texts_mean(text, latency, bandwidth):
    network = Network.parse(text)
    assert (network.latency, network.bandwidth) == pytest.approx((latency, bandwidth))
    assert (network.name, network.dealer, network.emulated) == (text, None, True)


def test_links_to_the_dealer_may_be_others():
    assert Network.parse("wan,dealer=lan") == Network("any", WAN.latency, WAN.bandwidth, LAN)
    assert Network.parse("40ms,352mbit,dealer=none").dealer == LOOPBACK and Network.parse("20ms,dealer=wan").dealer == WAN
    assert Network.parse("wan,dealer=lan").name == "wan,dealer=lan"


def test_without_one_nothing_is_emulated():
    assert Network.parse(None) is Network.parse("none") is Network.parse(LOOPBACK.name) is LOOPBACK
    assert not LOOPBACK.emulated and LOOPBACK.latency > 0 and LOOPBACK.bandwidth < math.inf


def test_networks_are_equal_where_their_figures_are():
    assert Network.parse("40ms,352mbit") == WAN != Network.parse("wan,dealer=lan")
    assert Network.parse("40ms,352mbit").figures == WAN.figures != Network.parse("wan,dealer=lan").figures
    assert hash(Network.parse("40ms,352mbit")) == hash(WAN) and len(astuple(WAN)) == 5


def test_rounds_cost_the_latency_once_and_bytes_their_time():
    assert WAN.seconds(10, 44e6) == pytest.approx(0.4 + 1)
    assert Network.parse("20ms").seconds(3, 10**12) == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("wann", "neither a name nor a latency"),
        ("", "neither a name"),
        ("20", "neither a name"),
        ("20ms,", "neither a name"),
        ("lan,wan", "neither a name"),
        ("lan,20ms", "neither a name"),
        ("20ms,100mbps", "neither a name"),  # megabytes to tc, megabits to others
        ("-1ms", "neither a name"),
        ("1e3ms", "neither a name"),
        ("nanms", "neither a name"),
        ("0mbit", "a bandwidth must be above 0"),
        ("9" * 400 + "s", "neither a name"),
        ("\u0663ms", "neither a name"),
        ("20ms,30us", "two parts give its latency"),
        ("1mbit,1gbit", "two parts give its bandwidth"),
        ("wan,dealer=20ms", "the links to the dealer must be one of lan, wan, none"),
        ("wan,dealer=", "the links to the dealer"),
        ("dealer=lan", "neither a name"),
        (20, "neither a name"),
        (b"lan", "neither a name"),
    ],
)
def test_other_texts_are_refused_with_examples(text, why):
    with pytest.raises(OptionError, match=f"^network=.*: {why}.*; write lan, wan, .*'20ms,100mbit'") as caught:
        Network.parse(text)
    assert len(str(caught.value)) < 300
