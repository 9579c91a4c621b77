"""Ready-made server frames: a WebSocket frame around a message, made once and written to many. No sockets here."""

import struct
from collections.abc import Sequence

import msgpack
from msgspec import Struct

from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import Frame, Line, Named, People

__all__ = ["frame_message", "message", "name_card", "people_message", "ready"]

_TAG = Frame.__struct_config__.tag
_PEOPLE_TAG = People.__struct_config__.tag
_SHORT, _LONG = 126, 127
_packer = msgpack.Packer(autoreset=False)


def ready(payload: bytes) -> bytes:
    """The unmasked final binary WebSocket frame (RFC 6455, 5.2) around a payload."""
    size = len(payload)
    if size < _SHORT:
        return bytes((0x82, size)) + payload
    if size < 65_536:
        return struct.pack(">BBH", 0x82, _SHORT, size) + payload
    return struct.pack(">BBQ", 0x82, _LONG, size) + payload


def message(one: Struct) -> bytes:
    """A message as a ready-made frame."""
    return ready(encode(one))


def frame_message(tick: int, body: bytes, lines: Sequence[Line] = ()) -> bytes:
    """A Frame message as a ready-made frame: the same as ``message(Frame(...))``, packed by hand for speed.

    Without lines the array ends after the body.
    """
    _packer.reset()
    _packer.pack_array_header(4 if lines else 3)
    _packer.pack(_TAG)
    _packer.pack(tick)
    _packer.pack(body)
    if lines:
        _packer.pack([[line.avatar, line.name, line.kind, line.text] for line in lines])
    return ready(_packer.bytes())


def name_card(named: Named) -> bytes:
    """An entry of People as it travels, packed once for all who ask."""
    return msgpack.packb([named.avatar, named.name, named.kind, named.of, named.look])


def people_message(cards: Sequence[bytes]) -> bytes:
    """A People message of ready entries as a ready-made frame: the same as ``message(People(...))``."""
    _packer.reset()
    _packer.pack_array_header(2)
    _packer.pack(_PEOPLE_TAG)
    _packer.pack_array_header(len(cards))
    return ready(_packer.bytes() + b"".join(cards))
