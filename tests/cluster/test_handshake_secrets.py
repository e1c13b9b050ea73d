"""What the handshake draws is in no repr: those end up in logs and tracebacks."""

from mpc.transport.handshake import Hello
from mpc.transport.rendezvous import Rendezvous


def meetings():
    """Two endpoints that have met: their greetings, and what came of it."""
    ends = [Rendezvous(index, ("a", "b"), ("x", "y"), {}, {"version": "1"}) for index in (0, 1)]
    greetings = [Hello.decode(end.hello_to(1 - end.index)) for end in ends]
    for end in ends:
        end.heard(1 - end.index, greetings[1 - end.index])
    assert ends[0].session == ends[1].session
    return ends, greetings, [end.meeting() for end in ends]


def shows(value, secret):
    return any(text in repr(value) for text in (repr(secret), repr(secret)[2:-1], secret.hex()))


def test_no_repr_shows_a_secret():
    ends, greetings, met = meetings()
    for hello in greetings:
        assert not shows(hello, hello.secret) and not shows(hello, hello.nonce) and "'version': '1'" in repr(hello)
    for meeting in met:
        (seed,) = meeting.seeds.values()
        assert not shows(meeting, seed) and meeting.session.hex() in repr(meeting) and "'version': '1'" in repr(meeting)
    assert not any(shows(end, hello.secret) for end in ends for hello in greetings)
    assert shows(tuple(greetings[0]), greetings[0].secret)  # a tuple of the same would
