"""Plain: messages that become events, and parts that become values, without anything remembered."""

import msgspec

from worldloom_sdk import events
from worldloom_sdk.notices import event_of
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import ProtocolError
from worldloom_sdk.protocol.looks import Look
from worldloom_sdk.protocol.overlay import Patch

__all__ = ["plain_event", "worn"]


def plain_event(message: msgspec.Struct) -> events.Event:
    """The event that a message is.

    Raises:
        ProtocolError: It is none of a session, or of those that are more than an event.
    """
    match message:
        case messages.Whispered(avatar=avatar, name=name, text=text):
            return events.Whispered(avatar, name, text)
        case messages.Signalled(avatar=avatar, channel=channel, data=data):
            return events.Signalled(avatar, channel, data)
        case messages.Region(rx=rx, rz=rz, state=messages.RegionState.WOVEN, sha256=sha256, source=source):
            return events.RegionWoven(rx, rz, sha256, source, message.overlay)
        case messages.Notice(notice=notice):
            return event_of(notice)
        case messages.TerrainEdited(rx=rx, rz=rz, version=version):
            return events.TerrainEdited(rx, rz, version, _patch(message))
        case messages.Region(rx=rx, rz=rz):
            return events.RegionWeaving(rx, rz)
        case messages.Goodbye(code=code, text=text, retry_after_ms=wait):
            return events.Farewell(code, text, wait / 1000)
    raise ProtocolError(f"expected a message of a session, got {type(message).__name__}")


def worn(look: bytes) -> Look | None:
    """A look from the wire; None where there is none.

    Raises:
        ProtocolError: It is cut off.
    """
    try:
        return Look.of_bytes(look) if look else None
    except ValueError as fault:
        raise ProtocolError(str(fault)) from None


def _patch(edited: messages.TerrainEdited) -> Patch:
    try:
        return Patch.of_bytes(edited.x, edited.z, edited.width, edited.depth, edited.heights).within(
            edited.rx, edited.rz
        )
    except ValueError as fault:
        raise ProtocolError(f"TerrainEdited: {fault}") from None
