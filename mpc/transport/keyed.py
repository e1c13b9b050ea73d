"""ZeroMQ sockets with CURVE: encrypted, and both sides authenticated by the keys of the cluster file.

ZAP admits the listed keys and no other, and each connection speaks for the endpoint whose key it has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils import z85

from mpc.errors import FrameError, HandshakeError, party_name
from mpc.transport.chunks import CHUNK
from mpc.transport.frames import origin
from mpc.transport.guard import Guard
from mpc.transport.handshake import LONGEST
from mpc.transport.rendezvous import NO_SESSION
from mpc.transport.sockets import SocketTransport

_AHEAD = 1000  # messages in a socket, beyond which its connection is not read on
_HANDSHAKE_MS = 5000
_DOMAIN = "mpc"


class Contact(NamedTuple):
    """How to reach an endpoint, and the public key that it must have."""

    name: str
    address: str
    public: bytes


class KeyedTransport(SocketTransport):
    """The sockets of `mpc.transport.curve.CurveTransport`, whose arguments these are."""

    def __init__(
        self,
        index: int,
        contacts: Sequence[Contact],
        secret: bytes,
        listen: str,
        parties: int,
        heartbeat: float,
        insecure: bool,
    ):
        if insecure and not all(map(_is_loopback, [listen, *(contact.address for contact in contacts)])):
            raise HandshakeError("an insecure transport is for loopback addresses (127.0.0.1, [::1]) alone, also to listen at")
        self._insecure = insecure
        self._keys = z85.encode(contacts[index].public), z85.encode(secret)
        self._heartbeat_ms = int(heartbeat * 1000)
        super().__init__(index, NO_SESSION)
        self._contacts, self._parties = contacts, parties
        self._names = [f"{party_name(i, parties)} ({contact.name})" for i, contact in enumerate(contacts)]
        self.peers = tuple(i for i in range(len(contacts)) if i != index)
        self._indices = {z85.encode(contact.public).decode(): i for i, contact in enumerate(contacts)}
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(_DOMAIN, credentials_provider=self)
        self._guard = Guard(self._context)
        self._poller.register(self._guard.fileno(), zmq.POLLIN)
        try:
            self._bind(listen)
        except BaseException:
            self.close(0)
            raise

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by ZAP, in its thread: whether a connection with this (proved) key is admitted."""
        return domain == _DOMAIN and self._indices.get(key.decode(), self.index) != self.index

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = super()._socket(kind)
        socket.setsockopt(zmq.IPV6, 1)
        if not self._insecure:
            socket.curve_publickey, socket.curve_secretkey = self._keys
        socket.setsockopt(zmq.MAXMSGSIZE, CHUNK + LONGEST)
        socket.setsockopt(zmq.RCVHWM, _AHEAD)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        socket.setsockopt(zmq.IMMEDIATE, 1)  # what was for a connection that broke never goes over the next
        socket.setsockopt(zmq.RECONNECT_IVL, 200)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        # Cut links are found by TCP: something is sent often, and must be acknowledged in time. (A large message on a slow
        # link delays answers of ZeroMQ's own heartbeat, but not TCP's: so that only finds processes which stand still.)
        socket.setsockopt(zmq.TCP_MAXRT, self._heartbeat_ms)
        if kind == zmq.DEALER:  # a ROUTER answers; its own would abort the process where a connection breaks while it is closed
            socket.setsockopt(zmq.HEARTBEAT_IVL, max(50, self._heartbeat_ms // 5))
            socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, self._heartbeat_ms * 8)
        return socket

    def _bind(self, listen: str) -> None:
        if not self._insecure:
            self._inbox.curve_server = True
            self._inbox.setsockopt_string(zmq.ZAP_DOMAIN, _DOMAIN)
            self._inbox.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        try:
            self._inbox.bind(listen)
        except zmq.ZMQError as error:
            raise HandshakeError(
                f"{self._names[self.index]} cannot listen at {listen}: {error.strerror}. Another process may have that port, or "
                "this machine has no such address: see `listen` in the cluster file."
            ) from None
        self.address = self._inbox.getsockopt_string(zmq.LAST_ENDPOINT)

    def _connect(self) -> None:
        for peer in self.peers:
            outbox = self._outboxes[peer] = self._socket(zmq.DEALER)
            if not self._insecure:
                outbox.curve_serverkey = z85.encode(self._contacts[peer].public)
        self._guard.start(self._outboxes)
        for peer in self.peers:
            self._outboxes[peer].connect(self._contacts[peer].address)

    def _owner(self, frames: list[zmq.Frame]) -> int:
        """Whose key the connection has that these frames came over; our own index for nobody's."""
        if not self._insecure:
            return self._indices.get(str(frames[0].get("User-Id")), self.index)
        with suppress(FrameError):
            if (sender := origin(frames[0].bytes)[2]) < len(self._contacts):
                return sender
        return self.index

    def close(self, linger_ms: int = 2000) -> None:
        if self._context.closed:
            return
        for socket in (self._inbox, *self._outboxes.values()):
            socket.close(linger_ms)
        self._guard.close()
        self._authenticator.stop()
        self._context.term()


def _is_loopback(address: str) -> bool:
    return re.fullmatch(r"tcp://(127\.\d+\.\d+\.\d+|\[::1\]|localhost):(\d+|\*)", address) is not None
