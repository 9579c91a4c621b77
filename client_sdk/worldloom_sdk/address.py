"""Addresses: one way to write down a world, whatever the user typed. Opens nothing."""

from typing import NamedTuple
from urllib.parse import urlsplit

from worldloom_sdk.errors import SetupError
from worldloom_sdk.protocol.messages import SUBPROTOCOL_PATH

__all__ = ["DEFAULT_PORT", "Address", "parse_address"]

DEFAULT_PORT = 8420
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


class Address(NamedTuple):
    """Where a world is."""

    socket_url: str
    """``ws://host:port/ws`` or ``wss://...``"""
    http_url: str
    """``http://host:port`` or ``https://...``, without a slash at the end."""


def parse_address(text: str) -> Address:
    """Read ``ws://host:port/ws``, ``http(s)://host[:port][/prefix]``, ``host:port`` or ``host``.

    Raises:
        SetupError: It is none of these.
    """
    bare = "://" not in text
    try:
        parts = urlsplit(f"ws://{text}" if bare else text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SetupError(f"expected an address like ws://host:8420/ws or host:8420, got {text!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if bare and port is None:
        port = DEFAULT_PORT
    place = host if port is None else f"{host}:{port}"
    prefix = parts.path.rstrip("/").removesuffix(SUBPROTOCOL_PATH)
    return Address(
        f"{scheme}://{place}{prefix}{SUBPROTOCOL_PATH}",
        f"{scheme.replace('ws', 'http')}://{place}{prefix}",
    )
