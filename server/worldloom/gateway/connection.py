"""A connection before and after its Hello: the socket's peer. The session knows the rest."""

from typing import Protocol

from worldloom.errors import Refusal
from worldloom.gateway.commands import Commands
from worldloom.gateway.limits import address_key
from worldloom.gateway.news import RegionTeller
from worldloom.gateway.pressure import Pressure
from worldloom.gateway.session import Session, SessionState
from worldloom.gateway.sockets import GameSocket
from worldloom.replication.wire import message
from worldloom_sdk.protocol.codec import ProtocolError, decode_client
from worldloom_sdk.protocol.messages import CloseCode, Goodbye, Hello, RefusalCode, Refused

__all__ = ["Connection", "Host"]

_CLOSE_AFTER = {
    RefusalCode.VERSION: CloseCode.PROTOCOL,
    RefusalCode.FULL: CloseCode.BUSY,
    RefusalCode.RATE: CloseCode.BUSY,
    RefusalCode.UNAVAILABLE: CloseCode.BUSY,
}


class Host(Protocol):
    """Who takes connections in: the gateway."""

    commands: Commands
    pressure: Pressure
    news: RegionTeller

    def greet(self, connection: "Connection", hello: Hello) -> None:
        """Somebody says Hello."""

    def closed_by(self, session: Session, socket: GameSocket, code: int) -> None:
        """A socket of a session is gone."""


class Connection:
    """One socket; ``session`` is None until its Hello was answered."""

    __slots__ = ("_greeted", "_host", "session", "socket")

    def __init__(self, socket: GameSocket, host: Host) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._host = host
        self._greeted = False

    @property
    def home(self) -> str:
        """What counts as one address: an IPv4 address, or an IPv6 /64."""
        return address_key(self.socket.address)

    @property
    def is_open(self) -> bool:
        """Whether anybody is there to be answered."""
        return self.socket.is_open

    def refuse(self, refusal: Refusal) -> None:
        """Answer a Hello with no, and close."""
        told = Refused(0, refusal.code, refusal.text, refusal.hint, refusal.retry_after_ms)
        self.socket.write_frame(message(told))
        self.socket.write_frame(message(Goodbye(refusal.code, refusal.text, refusal.retry_after_ms)))
        self.socket.close(_CLOSE_AFTER.get(refusal.code, CloseCode.POLICY), refusal.code)

    def on_message(self, payload: bytes) -> None:
        """One complete message."""
        if self.session is not None and self.session.state is not SessionState.JOINING:
            if self.session.state is not SessionState.ENDED:
                self._host.commands.handle(self.session, payload)
            return
        try:
            hello = decode_client(payload)
        except ProtocolError as fault:
            self.socket.close(CloseCode.BAD_PAYLOAD, str(fault)[:100])
            return
        if self._greeted or not isinstance(hello, Hello):
            self.socket.close(CloseCode.PROTOCOL, f"expected one Hello, got {type(hello).__name__}")
            return
        self._greeted = True
        self._host.greet(self, hello)

    def on_pause(self) -> None:
        """The client reads too slowly."""
        if self.session is not None and self.session.socket is self.socket:
            self._host.pressure.paused(self.session)

    def on_drain(self) -> None:
        """It has caught up."""
        if self.session is not None and self.session.socket is self.socket:
            self._host.pressure.drained(self.session)
            self._host.news.tell_all(self.session)

    def on_closed(self, code: int) -> None:
        """No message comes or goes any more."""
        if self.session is not None:
            self._host.closed_by(self.session, self.socket, code)
