"""Samples of every message, for the protocol's page. All take place about cell (0, 0), as the guest Ada sees it."""

import struct

import numpy as np
from msgspec import Struct

from worldloom_sdk.protocol import estate_parts, geometry, looks, messages, words
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["AREA_BODY", "FRAME_BODY", "SAMPLES"]


def _word(slot: int, x: int, z: int, y: int, yaw: int, gesture: int) -> int:
    """The word of a body in cell (0, 0)."""
    columns = (np.array([value]) for value in (slot, x, z, y, yaw, gesture, 0, 0))
    return int(words.pack_words(*columns)[0])


def _body(*numbers: int) -> bytes:
    return np.array(numbers, "<u8").tobytes()


_ADA, _BO, _CY = 0x8000_0001, 12, 70_000
AREA_BODY = _body(
    words.block_header(words.BlockKind.SNAPSHOT, 0, 0, 0, 2),
    words.enter_key(0, _BO), _word(0, 704, 1_344, 41, 128, 0),
    words.enter_key(1, _ADA), _word(1, 640, 1_280, 40, 64, 0),
    words.block_header(words.BlockKind.SNAPSHOT, -1, 0, 0, 0),
)  # fmt: skip
"""Bo and Ada in cell (0, 0), nobody in the cell west of it."""
FRAME_BODY = _body(
    words.block_header(words.BlockKind.LEAVE, 1, 0, 0, 1), 5 | 2 << 12,
    words.block_header(words.BlockKind.ENTER, 0, 0, 0, 1),
    words.enter_key(2, _CY), _word(2, 1_910, 300, 38, 192, 1),
    words.block_header(words.BlockKind.WORDS, 0, 0, 0, 1), _word(0, 713, 1_344, 41, 64, 1),
)  # fmt: skip
"""Cy comes from the cell in the east, Bo has moved."""
_TILE = "5f" * 32
_HEIGHTS = struct.pack("<6h", 160, 176, 192, 160, -32_768, 192)
"""Three samples by two about 5.5 m high, the last of them on the border of region (1, 0)."""

_KEY = bytes(range(16))
_PRINT = "0f" * 16
_LOOK = looks.Look(2, 1, 4, 18, 3).to_bytes()

SAMPLES: dict[type[Struct], tuple[Struct, ...]] = {
    type(group[0]): group
    for group in (
        (
            messages.Hello(1, "my-client/1", "Ada"),
            messages.Hello(1, "my-client/1", code="7KQ2-M4XW-9C"),
            messages.Hello(1, "my-client/1", "Ada", at=[640, 1_280]),
        ),
        (messages.Move(struct.pack("<IiihBB", 1, 656, 1_280, geometry.GROUND_Y, 64, 1)),),
        (messages.Ping(123_456),),
        (messages.Say(1, messages.SayKind.SAY, "Grüß dich"),),
        (messages.Whisper(2, _BO, "psst"),),
        (messages.Signal(3, 0, "chess", b"e2e4"),),
        (messages.Who([_BO, _CY]),),
        (messages.Block(4, _BO, True),),
        (messages.Leave(),),
        (
            messages.Order(5, messages.OrderAct.MUTE, avatar=_BO, minutes=10, text="shouting"),
            messages.Order(6, messages.OrderAct.BAN, network="192.0.2.7", minutes=1_440, text="a raid"),
        ),
        (
            messages.Account(7, messages.AccountAct.PAIR),
            messages.Account(8, messages.AccountAct.BOT, "Hilda", [messages.Scope.MOVE, messages.Scope.TALK]),
            messages.Account(18, messages.AccountAct.LOOK, look=_LOOK),
        ),
        (messages.Report(9, _BO, "says vile things"),),
        (messages.EditTerrain(10, 126, 10, 3, 2, _HEIGHTS),),
        (
            messages.Money(11, messages.MoneyAct.BALANCE),
            messages.Money(12, messages.MoneyAct.PAY, _KEY, account=_BO, amount=1_250, memo="for the well"),
        ),
        (
            messages.Estate(13, messages.EstateAct.PARCEL, parcels=[estate_parts.Run(0, 1)]),
            messages.Estate(
                14, messages.EstateAct.CLAIM, _KEY, parcels=[estate_parts.Run(0, 1, 2), estate_parts.Run(0, 2, 2)],
                price=4_000, title="Well House",
            ),
        ),
        (
            messages.Market(15, messages.MarketAct.PAGE, sort="price", near=[40, 80, 500]),
            messages.Market(16, messages.MarketAct.BUY, _KEY, listing=7, price=9_000, fingerprint=_PRINT),
        ),
        (
            messages.Welcome(
                1, _ADA, "Ada", "Worldloom", "w1", 86_400_123, 640, 1_280, 40, 64, "resume-0123456789",
                messages.Limits(768, 320, 30, 500, 2, 30_000), look=_LOOK,
            ),
        ),
        (messages.Refused(1, RefusalCode.RATE, "too many lines", "ask less often", 1_250),),
        (messages.Done(1), messages.Done(7, ["7KQ2-M4XW-9C", 1_800_000_600_000, 1_001])),
        (messages.Pong(123_456, 86_400_200),),
        (
            messages.Frame(1_728_004, FRAME_BODY),
            messages.Frame(1_728_005, b"", [messages.Line(_BO, "Bo", messages.SayKind.SAY, "Hello")]),
        ),
        (messages.Area(1_728_003, 0, 0, 2, [0], AREA_BODY),),
        (messages.AreaComplete(1_728_003),),
        (messages.Correction(17, 640, 1_280, 40, 64, messages.CorrectionReason.UNWOVEN),),
        (
            messages.People(
                [messages.Named(_BO, "Bo", "resident", "", _LOOK), messages.Named(_CY, "Cy", "bot", "Bo", _LOOK)]
            ),
        ),
        (messages.Whispered(_BO, "Bo", "psst"),),
        (messages.Signalled(_BO, "chess", b"e7e5"),),
        (
            messages.Region(0, 0, messages.RegionState.WOVEN, _TILE, "noise"),
            messages.Region(-1, 0, messages.RegionState.WEAVING),
            messages.Region(1, 0, messages.RegionState.WOVEN, _TILE, "noise", 4),
        ),
        (
            messages.Goodbye("restart", "the server is stopping", 5_000),
            messages.Goodbye("kicked", "shouting"),
        ),
        (messages.Standing("guest", 600_000, "shouting", False),),
        (
            messages.Notice(
                estate_parts.NoticeInfo(
                    31, "sold", 1_800_000_000_000, listing=7, estate=3, amount=9_000, fee=225, account=_BO, name="Bo"
                )
            ),
        ),
        (messages.Find(19, "hil"),),
        (messages.Looks([messages.Worn(_BO, _LOOK)]),),
        (messages.TerrainEdited(1, 0, 5, 128, 10, 1, 2, struct.pack("<2h", 192, 192)),),
    )
}  # fmt: skip
"""One or more of each message."""
