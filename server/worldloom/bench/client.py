"""One client of a load: its socket, how far it has come, and what it answers. Knows no loop and no pace."""

import socket
from collections.abc import Callable
from enum import IntEnum

from worldloom.bench.wire import Assembler, client_frame, upgrade_request
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION, SUBPROTOCOL_PATH, Hello

__all__ = ["Client", "Stage"]

_CLIENT_NAME = "worldloom-bench"
_CONNECT_TIMEOUT_S = 10.0


class Stage(IntEnum):
    """How far a client has come."""

    UPGRADING = 0
    GREETING = 1
    """Hello is sent."""
    ARRIVING = 2
    """Welcome came; the first Area has not."""
    IN = 3
    GONE = 4


class Client:
    """A client by its token.

    Attributes:
        index: Its number among the walkers; -1 for a settler.
        received: For a sampled client, when which message came (seconds, payload); None for all others.
        woven: Regions that it was told of as woven; counted for settlers only.
        since: When the socket was opened, in seconds.
    """

    __slots__ = (
        "_head", "assembler", "avatar", "fd", "index", "received", "send", "since", "sock", "stage", "token", "woven",
    )  # fmt: skip

    def __init__(self, index: int, token: str, port: int, since: float, sampled: bool = False) -> None:
        """Connect and ask for the upgrade.

        Raises:
            OSError: Nobody listens there.
        """
        self.index, self.token, self.since = index, token, since
        self.sock = socket.create_connection(("127.0.0.1", port), _CONNECT_TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.fd = self.sock.fileno()
        self.send: Callable[[bytes], int] = self.sock.send
        self.assembler = Assembler()
        self.stage = Stage.UPGRADING
        self.avatar = self.woven = 0
        self.received: list[tuple[float, bytes]] | None = [] if sampled else None
        self._head = b""
        self.send(upgrade_request(f"127.0.0.1:{port}", SUBPROTOCOL_PATH))

    @property
    def plain(self) -> bool:
        """Whether whole large frames of it need only be counted."""
        return (
            self.stage is Stage.IN
            and self.received is None
            and self.index >= 0
            and not self.assembler.waiting
        )

    def upgraded(self, data: bytes) -> bytes:
        """Take bytes of the answer to the upgrade; once it is whole, say Hello.

        Returns:
            What came behind the answer.

        Raises:
            ConnectionError: The answer is not 101.
        """
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            return b""
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if status.split(" ")[1:2] != ["101"]:
            raise ConnectionError(f"expected 101 to the upgrade, got {status}")
        self.stage = Stage.GREETING
        self.say(encode(Hello(version=PROTOCOL_VERSION, client=_CLIENT_NAME, token=self.token)))
        return rest

    def say(self, payload: bytes) -> None:
        """Send one message.

        Raises:
            OSError: The socket takes no more, or is closed.
        """
        self.send(client_frame(payload))
