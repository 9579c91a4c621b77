"""Messages to bytes and back: ``msgpack`` packs and unpacks, the tag picks the class, ``msgspec`` checks the fields."""

from collections.abc import Mapping
from typing import Any

import msgpack
import msgspec
from msgspec import Struct

from worldloom_sdk.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES

__all__ = [
    "MAX_MESSAGE_BYTES",
    "MAX_SERVER_MESSAGE_BYTES",
    "ProtocolError",
    "decode_client",
    "decode_server",
    "encode",
]

MAX_MESSAGE_BYTES = 64 * 1024
"""Largest message that a client may send."""
MAX_SERVER_MESSAGE_BYTES = 1024 * 1024
"""Largest message that a server may send: a frame without a byte budget, where thousands stand together."""
_MAX_ITEMS = 4096


class ProtocolError(ValueError):
    """Bytes that are no message: not MessagePack, of no known tag, or with a field out of bounds."""


def encode(message: Struct) -> bytes:
    """The bytes of a message: a MessagePack array, its tag first."""
    return msgpack.packb(msgspec.to_builtins(message, builtin_types=(bytes,)))


def decode_client(data: bytes | memoryview) -> Struct:
    """Decode what a client sent.

    Raises:
        ProtocolError: It is no message of a client; the text says expected and got.
    """
    return _decode(data, CLIENT_MESSAGES, MAX_MESSAGE_BYTES)


def decode_server(data: bytes | memoryview) -> Struct:
    """Decode what a server sent.

    Raises:
        ProtocolError: It is no message of a server; the text says expected and got.
    """
    return _decode(data, SERVER_MESSAGES, MAX_SERVER_MESSAGE_BYTES)


def _no_extensions(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code}")


def _decode(data: bytes | memoryview, classes: Mapping[int, type[Struct]], max_bytes: int) -> Struct:
    try:
        fields = msgpack.unpackb(
            data,
            ext_hook=_no_extensions,
            max_array_len=_MAX_ITEMS,
            max_map_len=0,
            max_ext_len=0,
            max_bin_len=max_bytes,
            max_str_len=max_bytes,
        )
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as fault:
        raise ProtocolError(f"expected one MessagePack array, got {fault or type(fault).__name__}") from None
    if not isinstance(fields, list) or not fields or type(fields[0]) is not int:
        raise ProtocolError(f"expected an array that starts with a tag, got {type(fields).__name__}")
    cls = classes.get(fields[0])
    if cls is None:
        raise ProtocolError(f"expected a tag of {sorted(classes)}, got {fields[0]}")
    try:
        return msgspec.convert(fields, cls)
    except msgspec.ValidationError as fault:
        raise ProtocolError(f"{cls.__name__}: {fault}") from None
