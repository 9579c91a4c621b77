"""Golden messages: one or more of every message, with their bytes.

``python tests/golden/make_messages.py`` writes ``messages.json`` beside this file; a test compares. Whoever decodes the
protocol in another language tests against that file.
"""

import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from worldloom_sdk.protocol import estate_parts as e
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol import words as w
from worldloom_sdk.protocol.codec import encode

__all__ = ["GOLDEN", "examples", "fields_of", "make"]

GOLDEN = Path(__file__).parent / "messages.json"


def word(slot: int, x: int, z: int, y: int, yaw: int, gesture: int, cell: tuple[int, int]) -> int:
    columns = (np.array([value]) for value in (slot, x, z, y, yaw, gesture, *cell))
    return int(w.pack_words(*columns)[0])


def body() -> bytes:
    """A leave, an enter, two words and a snapshot, seen from cell (0, 0)."""
    numbers = [
        w.block_header(w.BlockKind.LEAVE, -1, 0, 0, 2), 5 | 8 << 12, 6,
        w.block_header(w.BlockKind.ENTER, 0, 0, 0, 1), w.enter_key(3, 70_000), word(3, 640, 1280, 40, 64, 1, (0, 0)),
        w.block_header(w.BlockKind.WORDS, 1, -2, 1, 2), word(0, 2100, -4000, -320, 255, 3, (1, -2)),
        word(4095, 2048, -4096, 0, 0, 63, (1, -2)),
        w.block_header(w.BlockKind.SNAPSHOT, 0, 1, 0, 1), w.enter_key(0, 0xFFFF_FFFF),
        word(0, 5, 2050, 8, 128, 0, (0, 1)),
    ]  # fmt: skip
    return np.array(numbers, "<u8").tobytes()


def examples() -> dict[str, msgspec.Struct]:
    """Named messages; between them every class and every field that can be left out, given and not."""
    token = "0123456789abcdef"
    limits = m.Limits(speed=768, climb=320, moves_per_s=30, text_chars=500, view_cells=2, resume_ms=30_000)
    welcome = m.Welcome(
        version=1, you=7, name="Ada", world="Worldloom", world_id="w1", server_ms=1_700_000_000_123, x=-64, z=128,
        y=40, yaw=64, resume="resume-0123456789", limits=limits,
    )  # fmt: skip
    return {
        "hello as a guest": m.Hello(1),
        "hello with everything": m.Hello(
            1, "sdk/1", "Zoë", token, token[::-1], True, "open sesame", "7KQ2-M4XW-9C", True, [-(2**31), 64]
        ),
        "move": m.Move(struct.pack("<IiihBB", 1, -64, 4_000_000, -32_768, 255, 1)),
        "ping": m.Ping(123_456_789_012),
        "say": m.Say(1, m.SayKind.SAY, "Grüß dich 👋"),
        "shout": m.Say(0xFFFF_FFFF, m.SayKind.SHOUT, ""),
        "whisper": m.Whisper(2, 7, "psst"),
        "signal": m.Signal(3, 0, "chess", b"\x00\xffe2e4"),
        "who": m.Who([1, 200, 70_000, 0xFFFF_FFFF]),
        "block": m.Block(4, 9, True),
        "block of speech": m.Block(5, 9, True, m.BlockReach.SPEECH),
        "leave": m.Leave(),
        "order": m.Order(6, m.OrderAct.KICK, 9, text="shouting"),
        "order with everything": m.Order(
            7, m.OrderAct.BAN, 0xFFFF_FFFF, "Bo", "2001:db8::/64", 52_560_000, "a raid", 2**31 - 1, 1_000
        ),
        "account": m.Account(8, m.AccountAct.PAIR),
        "account with everything": m.Account(
            9,
            m.AccountAct.BOT,
            "Hilda",
            [m.Scope.MOVE, m.Scope.ORDER],
            token,
            bytes((7, 7, 11, 23, 23)),
            False,
        ),
        "find": m.Find(18, "hil"),
        "report": m.Report(10, 9, "says vile things"),
        "edit of terrain": m.EditTerrain(
            11, -4_194_176, 4_194_303, 1, 2, struct.pack("<2h", -32_768, 23_040)
        ),
        "money": m.Money(12, m.MoneyAct.BALANCE),
        "money with everything": m.Money(
            13, m.MoneyAct.PAY, bytes(range(16)), 12, "Bo", 10**15, "für den Brunnen", 2**53 - 1
        ),
        "estate": m.Estate(14, m.EstateAct.SHOW, estate=3),
        "estate with everything": m.Estate(
            15,
            m.EstateAct.CLAIM,
            bytes(range(16)),
            2**53 - 1,
            4,
            12,
            "Bo",
            [e.Run(-524_272, 524_287), e.Run(0, 0, 4_096)],
            10**15,
            "Zoës Höfe",
            "a misty fjord",
            e.Landing(-64, 2**31 - 1, 32, 255),
            True,
            511,
            "manager",
            3_600,
            [-32_767, 32_767],
            9,
        ),
        "market": m.Market(16, m.MarketAct.TRADES),
        "market with everything": m.Market(
            17,
            m.MarketAct.BID,
            bytes(range(16)),
            7,
            3,
            5,
            9_000,
            100,
            "0f" * 16,
            12,
            "Bo",
            86_400,
            12,
            True,
            "auction",
            "ends",
            10,
            1,
            10**14,
            4,
            "mill",
            [-8_388_608, 80, 4_096],
            [9_000, 7],
        ),
        "welcome": welcome,
        "welcome with an account": msgspec.structs.replace(welcome, token=token, resumed=True),
        "welcome with everything": msgspec.structs.replace(
            welcome,
            token=token,
            greeting="Be kind.",
            role="moderator",
            scopes=["move", "order"],
            recovery="7KQ2-M4XW-9C0T-N5RD-1ZBA-8EHG-Y3",
            hidden=True,
            look=bytes((7, 7, 11, 23, 23)),
            findable=False,
        ),
        "refused": m.Refused(4, "rate", "expected at most 8 lines in 10 s", "be quiet for a while", 2500),
        "done": m.Done(1),
        "done with a number": m.Done(10, 3),
        "done with edited regions": m.Done(11, [[-1, 0, 7], [0, 0, 1]]),
        "done with a secret": m.Done(8, ["7KQ2-M4XW-9C", 1_800_000_600_000, 12]),
        "done with who was found": m.Done(18, [[13, "Hilda", "bot", -16, 48]]),
        "done with people": m.Done(
            11,
            [
                [
                    12,
                    "Bo",
                    "resident",
                    True,
                    "",
                    False,
                    1_700_000_000_000,
                    1_800_000_000_000,
                    "192.0.2.7",
                    [["mute", "shouting", 1_800_000_000_000, 0, "operator", ""]],
                    False,
                ],
                [13, "Hilda", "resident", False, "Bo", False, 1, 0, "", [], True],
            ],
        ),
        "done with a balance": m.Done(12, [10**15, 0, "crown", 2]),
        "done with an estate": m.Done(
            14,
            [
                3,
                12,
                "Bo",
                "Mill",
                "By the brook",
                4,
                2,
                1_700_000_000_000,
                0,
                [640, 1280, -32_768, 64],
                [[0, 1, 2], [0, 2, 2]],
                [5, 3, 13, 700, 86_400, 1, 2, 3, True],
            ],
        ),
        "done with a page of the market": m.Done(
            17,
            [
                [
                    [
                        7,
                        "auction",
                        3,
                        "Mill",
                        12,
                        "Bo",
                        9_000,
                        9_100,
                        4,
                        0,
                        1,
                        "0f" * 16,
                        250,
                        1,
                        0,
                        100,
                        2,
                        13,
                        9_000,
                    ]
                ],
                [9_100, 7],
            ],
        ),
        "done with what is to let": m.Done(
            17, [[[3, "Mill", 12, "Bo", 700, 86_400, 12, True, 4, 0, 1, "0f" * 16, 250, 1, 0]], None]
        ),
        "notice": m.Notice(e.NoticeInfo(31, "over", 1_800_000_000_000)),
        "notice with everything": m.Notice(
            e.NoticeInfo(
                32,
                "rent_due",
                1_800_000_000_000,
                True,
                7,
                3,
                5,
                700,
                17,
                600,
                12,
                "Bo",
                2**53 - 1,
                11,
                "Mill",
                "in the way of a road",
            )
        ),
        "pong": m.Pong(123_456_789_012, 1_700_000_000_200),
        "frame": m.Frame(34_000_000_002, body()),
        "frame with speech": m.Frame(
            34_000_000_003, b"", [m.Line(7, "Ada", 0, "Hello"), m.Line(8, "Bo", 2, "Hi")]
        ),
        "area": m.Area(34_000_000_001, 0, -1, 2, [0, 1], body()),
        "area complete": m.AreaComplete(34_000_000_001),
        "correction": m.Correction(17, -64, 128, 40, 64, m.CorrectionReason.UNWOVEN),
        "people": m.People([m.Named(7, "Ada", "resident"), m.Named(8, "Bo", "guest")]),
        "people with a bot": m.People([m.Named(13, "Hilda", "bot", "Bo", bytes((7, 7, 11, 23, 23)))]),
        "looks": m.Looks([m.Worn(7, bytes(5)), m.Worn(0xFFFF_FFFF, bytes((7, 7, 11, 23, 23)))]),
        "whispered": m.Whispered(8, "Bo", "psst"),
        "signalled": m.Signalled(8, "chess", b"e7e5"),
        "region woven": m.Region(-1, 3, m.RegionState.WOVEN, "ab" * 32, "noise"),
        "region edited before": m.Region(0, 0, m.RegionState.WOVEN, "cd" * 32, "noise", 0xFFFF_FFFF),
        "region weaving": m.Region(32_767, -32_767, m.RegionState.WEAVING),
        "goodbye": m.Goodbye("restart", "the world is restarting", 5000),
        "goodbye after a kick": m.Goodbye("kicked", "shouting"),
        "standing": m.Standing("resident", 2**53 - 1, "shouting", False),
        "standing of staff": m.Standing("moderator", 0, "", True),
        "terrain edited": m.TerrainEdited(-1, 0, 7, -3, 5, 2, 1, struct.pack("<2h", -7_680, 320)),
    }


def fields_of(message: Any) -> dict[str, Any]:
    """Fields by name, as JSON can hold them: bytes as ``{"hex": ...}``."""
    return {name: _plain(getattr(message, name)) for name in message.__struct_fields__}


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return {"hex": value.hex()}
        case list():
            return [_plain(item) for item in value]
        case msgspec.Struct():
            return fields_of(value)
    return msgspec.to_builtins(value)


def make() -> str:
    """The text of ``messages.json``."""
    entries = [
        {
            "name": name,
            "message": type(message).__name__,
            "tag": type(message).__struct_config__.tag,
            "fields": fields_of(message),
            "hex": encode(message).hex(),
        }
        for name, message in examples().items()
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(make(), encoding="utf-8")
