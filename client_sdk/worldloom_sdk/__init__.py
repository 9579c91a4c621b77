"""Worldloom SDK: bots and clients for a Worldloom world. ``from worldloom_sdk import Bot``."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worldloom_sdk.avatar import Avatar, Position
    from worldloom_sdk.bot import Bot, run_many
    from worldloom_sdk.client import Client
    from worldloom_sdk.connection import Connection
    from worldloom_sdk.errors import (
        AccessRefused,
        Banned,
        Blocked,
        ConnectionClosed,
        ContentError,
        Disconnected,
        Interrupted,
        NotConnected,
        Refused,
        SentOut,
        SetupError,
        TimedOut,
        TooDear,
        WorldloomError,
    )
    from worldloom_sdk.events import (
        AvatarEntered,
        AvatarLeft,
        AvatarsMoved,
        Corrected,
        Event,
        Joined,
        LookChanged,
        Lost,
        PictureComplete,
        RegionWeaving,
        RegionWoven,
        Resumed,
        Signalled,
        Spoke,
        Standing,
        TerrainEdited,
        Whispered,
    )
    from worldloom_sdk.keyed import new_key
    from worldloom_sdk.land import parcel_at, rectangle, region_parcels
    from worldloom_sdk.notices import (
        BidReceived,
        BidRefunded,
        EstateGiven,
        EstateTaken,
        Leased,
        LeaseEnded,
        LeaseRenewed,
        Noticed,
        OfferOver,
        Outbid,
        Paid,
        RentDue,
        Sold,
        Won,
    )
    from worldloom_sdk.protocol.codec import ProtocolError
    from worldloom_sdk.protocol.estate import Verb
    from worldloom_sdk.protocol.looks import Look
    from worldloom_sdk.protocol.messages import CorrectionReason, OrderAct, Role, SayKind, Scope
    from worldloom_sdk.protocol.words import Gesture
    from worldloom_sdk.view import View

__all__ = [
    "AccessRefused",
    "Avatar",
    "AvatarEntered",
    "AvatarLeft",
    "AvatarsMoved",
    "Banned",
    "BidReceived",
    "BidRefunded",
    "Blocked",
    "Bot",
    "Client",
    "Connection",
    "ConnectionClosed",
    "ContentError",
    "Corrected",
    "CorrectionReason",
    "Disconnected",
    "EstateGiven",
    "EstateTaken",
    "Event",
    "Gesture",
    "Interrupted",
    "Joined",
    "LeaseEnded",
    "LeaseRenewed",
    "Leased",
    "Look",
    "LookChanged",
    "Lost",
    "NotConnected",
    "Noticed",
    "OfferOver",
    "OrderAct",
    "Outbid",
    "Paid",
    "PictureComplete",
    "Position",
    "ProtocolError",
    "Refused",
    "RegionWeaving",
    "RegionWoven",
    "RentDue",
    "Resumed",
    "Role",
    "SayKind",
    "Scope",
    "SentOut",
    "SetupError",
    "Signalled",
    "Sold",
    "Spoke",
    "Standing",
    "TerrainEdited",
    "TimedOut",
    "TooDear",
    "Verb",
    "View",
    "Whispered",
    "Won",
    "WorldloomError",
    "new_key",
    "parcel_at",
    "rectangle",
    "region_parcels",
    "run_many",
]

_HOMES = {
    "avatar": ("Avatar", "Position"),
    "bot": ("Bot", "run_many"),
    "client": ("Client",),
    "connection": ("Connection",),
    "errors": (
        "AccessRefused", "Banned", "Blocked", "ConnectionClosed", "ContentError", "Disconnected", "Interrupted",
        "NotConnected", "Refused", "SentOut", "SetupError", "TimedOut", "TooDear", "WorldloomError",
    ),
    "events": (
        "AvatarEntered", "AvatarLeft", "AvatarsMoved", "Corrected", "Event", "Joined", "LookChanged", "Lost",
        "PictureComplete", "RegionWeaving", "RegionWoven", "Resumed", "Signalled", "Spoke", "Standing", "TerrainEdited",
        "Whispered",
    ),
    "keyed": ("new_key",),
    "land": ("parcel_at", "rectangle", "region_parcels"),
    "notices": (
        "BidReceived", "BidRefunded", "EstateGiven", "EstateTaken", "LeaseEnded", "LeaseRenewed", "Leased", "Noticed",
        "OfferOver", "Outbid", "Paid", "RentDue", "Sold", "Won",
    ),
    "protocol.codec": ("ProtocolError",),
    "protocol.estate": ("Verb",),
    "protocol.looks": ("Look",),
    "protocol.messages": ("CorrectionReason", "OrderAct", "Role", "SayKind", "Scope"),
    "protocol.words": ("Gesture",),
    "view": ("View",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``worldloom_sdk.protocol`` alone stays light."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'worldloom_sdk' has no attribute {name!r}")
    value: object = getattr(import_module(f"worldloom_sdk.{home}"), name)
    globals()[name] = value
    return value
