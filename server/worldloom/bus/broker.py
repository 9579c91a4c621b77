"""One connection to an MQTT 3.1.1 broker, kept tidy. Knows no topics, no queue and no second try.

aiomqtt 2 does the protocol. What it leaves to its user is done here: whoever waits is woken when the connection is
lost, the exception of a lost connection is always retrieved, and a connection that nobody answered is closed.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import aiomqtt

from worldloom.errors import WorldloomError

__all__ = ["Address", "BrokerError", "BrokerLink", "Waits", "connected"]

KEEPALIVE_S: Final = 15
"""A dead connection is noticed after one and a half of it."""

_paho_log = logging.getLogger(f"{__name__}.paho")
# Whatever paho has to say of a connection, BrokerError says too, once.
_paho_log.setLevel(logging.CRITICAL)


class BrokerError(WorldloomError):
    """The broker cannot be reached, refused us, did not answer in time, or is gone."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and as whom we come."""

    host: str
    port: int
    client_id: str
    """The same at every reconnect: a broker then ends the connection before, and sends its will, at once."""
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    """Certificates are checked against the system's authorities, or those that SSL_CERT_FILE names."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait for a broker, in seconds."""

    connect_s: float = 2.0
    """TCP, and as long again for TLS. Spent in a thread that cannot be interrupted: it delays a stop."""
    answer_s: float = 5.0


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """As documented for ``ssl.SSLSocket``."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls_context() -> ssl.SSLContext:
    """Checks certificates and names. Reads files."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return context


class _Client(aiomqtt.Client):
    """aiomqtt's client with its loose ends in hand."""

    def __init__(self, address: Address, waits: Waits, will: aiomqtt.Will) -> None:
        super().__init__(
            address.host,
            address.port,
            identifier=address.client_id,
            username=address.username or None,
            password=address.password or None,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            will=will,
            timeout=waits.answer_s,
            keepalive=KEEPALIVE_S,
            logger=_paho_log,
            # Otherwise small messages wait for the acknowledgement of those before, 40 ms a time.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._tls = address.tls
        self._client.connect_timeout = waits.connect_s
        self._thread_ended = self._loop.create_future()
        self._scope: asyncio.Timeout | None = None
        self.why_lost = "the connection was closed"
        self._watched = self._disconnected
        self._watched.add_done_callback(self._note_lost)

    def _client_connect(self) -> None:
        """Runs in a thread; says so when it has ended."""
        try:
            if self._tls:
                self._client.tls_set_context(_tls_context())
            super()._client_connect()
        finally:
            self._loop.call_soon_threadsafe(self._end_thread)

    def _end_thread(self) -> None:
        if not self._thread_ended.done():
            self._thread_ended.set_result(None)

    def _note_lost(self, lost: asyncio.Future[None]) -> None:
        error = None if lost.cancelled() else lost.exception()
        self.why_lost = f"the connection was lost: {error}" if error else self.why_lost
        if self._scope is not None:
            self._scope.reschedule(self._loop.time())

    async def open(self) -> None:
        """Connect.

        Raises:
            aiomqtt.MqttError: No.
        """
        entering = self._loop.create_task(self.__aenter__())
        try:
            await asyncio.shield(entering)
        except BaseException:
            # A thread cannot be cancelled: what it opens can be closed only once it has ended.
            await asyncio.wait({entering, self._thread_ended}, return_when=asyncio.FIRST_COMPLETED)
            entering.cancel()
            await asyncio.wait({entering})
            if not entering.cancelled():
                entering.exception()
            raise
        if self._disconnected is not self._watched:
            self._disconnected.add_done_callback(self._note_lost)

    @contextlib.asynccontextmanager
    async def while_open(self) -> AsyncIterator[None]:
        """What is done within is interrupted when the connection is lost.

        Raises:
            BrokerError: It was lost.
        """
        try:
            async with asyncio.timeout(None) as self._scope:
                if self._disconnected.done():
                    raise BrokerError(self.why_lost)
                try:
                    yield
                finally:
                    scope, self._scope = self._scope, None
        except TimeoutError:
            if not scope.expired():
                raise
            raise BrokerError(self.why_lost) from None

    async def hang_up(self) -> None:
        """Close whatever is open, without a farewell: the broker then sends the will."""
        # Callbacks that the connecting thread has asked for come first: they name the socket by its number.
        await asyncio.sleep(0)
        # aiomqtt's callback would ask a cancelled future for its exception.
        self._client.on_disconnect = None
        self._client._sock_close()
        if self._misc_task is not None:
            self._misc_task.cancel()
            await asyncio.gather(self._misc_task, return_exceptions=True)


class BrokerLink:
    """An open connection."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's word. Several at once are sent in the order of the calls.

        A broker whose access list forbids the topic acknowledges all the same: MQTT 3.1.1 has no word for it.

        Raises:
            BrokerError: No word came in time; the broker has the message or not.
        """
        try:
            await self._client.publish(topic, payload, qos=1, retain=retain)
        except (aiomqtt.MqttError, ValueError) as error:
            raise BrokerError(str(error)) from None


@contextlib.asynccontextmanager
async def connected(
    address: Address, waits: Waits, will_topic: str, will: bytes
) -> AsyncIterator[BrokerLink]:
    """Connect, and part in order if what is done within ends in order; otherwise the broker sends the will.

    Args:
        address: Which broker.
        waits: How long to wait for it.
        will_topic: Where the will goes.
        will: Published, retained, by the broker when the connection ends without a farewell.

    Raises:
        BrokerError: There is no connection, or none any more.
    """
    client = _Client(address, waits, aiomqtt.Will(will_topic, will, qos=1, retain=True))
    try:
        await client.open()
        async with client.while_open():
            yield BrokerLink(client)
        await client.__aexit__(None, None, None)
    except (aiomqtt.MqttError, UnicodeError) as error:
        raise BrokerError(str(error)) from None
    finally:
        await client.hang_up()
