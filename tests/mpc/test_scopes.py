"""Costs by scope: paths, what is counted where, and that errors and unfinished scopes count too."""

import numpy as np
import pytest

import mpc
from mpc.launch.job import Job
from mpc.launch.simulate import simulate_job

V = np.array([1.0, -2.0, 3.0])


def run(program, **options):
    return mpc.simulate(program, **options)


def one_round(party):
    return party.input(V if party.index == 0 else None, 0)


def layers(party):
    """Three products and two reveals: some in scopes, one in none."""
    x = one_round(party)
    with party.scope("net"):
        y = x * x
        for _ in range(2):
            with party.scope("layer"):
                y.reveal()
    with party.scope("layer"):
        x.reveal()
    return party.stats


def test_costs_stand_under_the_path_of_names():
    for stats in run(layers):
        assert list(stats.scopes) == ["net", "net/layer", "layer"]
        net, inner, outer = stats.scopes.values()
        assert (net.calls, inner.calls, outer.calls) == (1, 2, 1)
        assert (inner.total.rounds, inner.total.bytes_sent) == (3, 3 * 24)  # the first reveal truncates before
        assert (outer.total.rounds, outer.total.bytes_sent, outer.total.bytes_received) == (1, 24, 24)
        assert (net.total.rounds, net.own.rounds) == (4, 1)
        assert net.own.bytes_sent == 24 and net.total.bytes_sent == 4 * 24
        assert inner.own == inner.total and outer.own == outer.total


def test_the_own_parts_add_up():
    for stats in run(layers):
        for name in ("rounds", "bytes_sent", "bytes_received", "header_bytes", "offline_bytes", "seconds", "peer_seconds"):
            own = sum(getattr(scope.own, name) for scope in stats.scopes.values())
            outermost = sum(getattr(stats.scopes[path].total, name) for path in ("net", "layer"))
            assert own == pytest.approx(outermost)


def test_waiting_is_for_peers_or_for_the_dealer():
    *parties, (_, dealer) = simulate_job(Job(layers))
    for stats, _ in parties:
        total = stats.total
        assert total.own_seconds + total.peer_seconds + total.dealer_seconds == pytest.approx(total.seconds)
        assert total.peer_seconds == pytest.approx(sum(c.seconds for n, c in stats.operations.items() if "deal" not in n))
        assert 0 < stats.scopes["net"].total.peer_seconds < stats.scopes["net"].total.seconds
    first, last = (result for result, _ in parties)
    assert first.total.dealer_seconds == 0  # the dealer answers the last party
    assert last.scopes["net"].total.dealer_seconds == pytest.approx(last.total.dealer_seconds)
    assert last.scopes["net"].total.offline_bytes == last.total.offline_bytes > 0
    assert dealer.scopes == {} and dealer.total.peer_seconds == dealer.total.dealer_seconds == 0


def test_a_scope_that_fails_counts():
    def program(party):
        with pytest.raises(KeyError), party.scope("outer"), party.scope("inner"):
            one_round(party)
            raise KeyError
        with party.scope("next"):
            pass
        return {path: scope.total.rounds for path, scope in party.stats.scopes.items()}

    assert run(program) == [{"outer": 1, "outer/inner": 1, "next": 0}] * 2


def test_stats_amid_a_scope_count_up_to_now():
    def program(party):
        with party.scope("outer"):
            one_round(party)
            with party.scope("inner"):
                one_round(party)
                amid = party.stats.scopes
            one_round(party)
        after = party.stats.scopes
        return [(s["outer"].total.rounds, s["outer"].own.rounds, s["outer/inner"].total.rounds) for s in (amid, after)]

    assert run(program) == [[(2, 1, 1), (3, 2, 1)]] * 2


def test_a_generator_left_amid_a_scope():
    def program(party):
        def steps():
            with party.scope("left"):
                yield

        left = steps()
        next(left)
        with party.scope("other"):
            left.close()
            with party.scope("inner"):
                pass
        with party.scope("last"):
            pass
        return list(party.stats.scopes)

    assert run(program) == [["left", "left/other", "left/other/inner", "last"]] * 2


def test_from_a_tensor():
    def program(party):
        x = one_round(party)
        with x.context.protocol.endpoint.scope("/conv1/Conv"):  # slashes within a name are no levels
            one_round(party)
        return party.stats.scopes["conv1.Conv"].total.rounds

    assert run(program) == [1, 1]


@pytest.mark.parametrize("name", ["", "/", None, 3, b"net"])
def test_names_that_are_none(name):
    with pytest.raises(TypeError, match="operation 'scope': a scope's name must be") as error:
        run(lambda party: party.scope(name).__enter__(), protocol="plaintext")
    assert isinstance(error.value, mpc.Error)
