"""The opening handshake of a WebSocket: one request in, one response out. Knows no sockets.

Rules of RFC 6455 come from ``websockets``; path and Origin are ours. Extensions and subprotocols are never
negotiated.
"""

import logging
from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request
from websockets.server import ServerProtocol

__all__ = ["MAX_REQUEST_BYTES", "answer", "origin_allowed", "plain_response", "quiet_logger"]

MAX_REQUEST_BYTES = 16 * 1024
"""Largest request line and headers."""
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

quiet_logger = logging.getLogger("worldloom.gateway.websockets")
"""Given to ``websockets``, which would otherwise write a line for every connection."""
quiet_logger.setLevel(logging.WARNING)


def answer(request: bytes, path: str, allowed_origins: Collection[str]) -> tuple[int, bytes]:
    """Answer a complete request, up to and with its empty line.

    Args:
        request: The bytes as they came.
        path: The one path on which an upgrade is granted.
        allowed_origins: Origins granted besides the server's own, as browsers write them; ``*`` grants all.

    Returns:
        The status, 101 when the connection is open, and the whole response.
    """
    protocol = ServerProtocol(logger=quiet_logger)
    protocol.receive_data(request)
    events = protocol.events_received()
    if not events:  # no request at all, or lines too long: an answer may have been written
        response = b"".join(protocol.data_to_send()) or plain_response(400, "expected a WebSocket handshake")
        return int(response[9:12]), response
    asked = events[0]
    assert isinstance(asked, Request)
    refusal = _refusal(asked, path, allowed_origins)
    reply = protocol.reject(*refusal) if refusal else protocol.accept(asked)
    return reply.status_code, reply.serialize()


def _refusal(request: Request, path: str, allowed_origins: Collection[str]) -> tuple[HTTPStatus, str] | None:
    if request.path.partition("?")[0] != path:
        return HTTPStatus.NOT_FOUND, f"expected path {path}\n"
    try:
        origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    except MultipleValuesError as fault:
        return HTTPStatus.BAD_REQUEST, f"expected one {fault} header, got several\n"
    if not host:
        return HTTPStatus.BAD_REQUEST, "expected a Host header, got none\n"
    if origin is not None and not origin_allowed(origin, host, allowed_origins):
        return HTTPStatus.FORBIDDEN, "this Origin may not connect; see server.allowed_origins\n"
    return None


def origin_allowed(origin: str, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of ``origin`` may connect to ``host``: its own, or one that the operator named."""
    if "*" in allowed or origin.lower().rstrip("/") in {entry.lower().rstrip("/") for entry in allowed}:
        return True
    try:
        parts = urlsplit(origin)
        own = urlsplit(f"{parts.scheme}://{host}")
        default = _DEFAULT_PORTS.get(parts.scheme)
        return bool(
            default
            and parts.hostname
            and parts.hostname == own.hostname
            and (parts.port or default) == (own.port or default)
        )
    except ValueError:  # a port that is no number, brackets that do not match
        return False


def plain_response(status: int, text: str, extra: Headers | None = None) -> bytes:
    """A whole plain-text response after which the connection closes."""
    body = f"{text}\n".encode()
    headers = Headers(extra or {})
    headers["Content-Type"] = "text/plain; charset=utf-8"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    return line.encode() + headers.serialize() + body
