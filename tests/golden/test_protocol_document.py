"""The page on the protocol: it is what the classes say, all of it, and its examples and numbers are true."""

import json
import re
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import pytest

from worldloom.config import Config
from worldloom.gateway import desk, door, finding, links
from worldloom.gateway.errands import OF_ONE
from worldloom.gateway.pressure import THIN_FOR_S
from worldloom.gateway.session import MAX_UNSENT, Buckets
from worldloom.gateway.sockets import SocketSettings
from worldloom.gateway.steering import MOVE_STRIKES
from worldloom.persistence.queries import TILE_MEDIA_TYPE
from worldloom.replication.speech import LINES_A_TICK
from worldloom.services import access, codes
from worldloom_sdk.protocol import document, estate_parts, words
from worldloom_sdk.protocol.codec import decode_client, decode_server
from worldloom_sdk.protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Account,
    AccountAct,
    AuditEntry,
    Blocked,
    CloseCode,
    Estate,
    EstateAct,
    Market,
    MarketAct,
    Money,
    MoneyAct,
    Order,
    OrderAct,
    Person,
    RefusalCode,
    Reported,
    Role,
    Scope,
    Secret,
    TokenInfo,
)
from worldloom_sdk.protocol.results import RESULTS
from worldloom_sdk.protocol.samples import AREA_BODY, FRAME_BODY, SAMPLES

ROOT = Path(__file__).parents[2]
MADE_BY = "python -m worldloom_sdk.protocol.document > docs/protocol.md"
PAGE = document.page()
MESSAGES = {**CLIENT_MESSAGES, **SERVER_MESSAGES}
DECODERS = {tag: decode_client if tag in CLIENT_MESSAGES else decode_server for tag in MESSAGES}
CONFIG = Config()


def section(title: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"expected a heading {title}"
    return found[1]


def listings(text: str) -> list[bytes]:
    """The bytes of every hex listing in a piece of the page."""
    return [
        bytes.fromhex("".join(line[:48] for line in block.splitlines()))
        for block in re.findall(r"```text\n((?:[0-9a-f]{2} .*\n|[0-9a-f]{2}\n)+)```", text)
    ]


def test_the_page_in_the_folder_is_the_one_that_the_classes_make():
    kept = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert kept == PAGE, f"made anew by: {MADE_BY}"
    assert MADE_BY in PAGE


@pytest.mark.slow
def test_the_command_writes_the_page():
    command = [sys.executable, "-m", "worldloom_sdk.protocol.document"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=True, cwd=ROOT / "client_sdk")
    assert ran.stdout.decode() == PAGE


def test_nothing_in_the_template_is_left_open():
    assert "{{" not in PAGE


@pytest.mark.parametrize("tag", MESSAGES, ids=lambda tag: MESSAGES[tag].__name__)
def test_every_message_has_a_row_and_a_section_with_every_field(tag: int):
    cls = MESSAGES[tag]
    assert f"| {tag} | [{cls.__name__}](#{cls.__name__.lower()}) |" in PAGE
    text = section(cls.__name__)
    assert f"`[{tag}" in text
    assert [name for name in cls.__struct_fields__ if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("tag", MESSAGES, ids=lambda tag: MESSAGES[tag].__name__)
def test_every_example_decodes_to_the_message_it_shows(tag: int):
    cls = MESSAGES[tag]
    assert [DECODERS[tag](shown) for shown in listings(section(cls.__name__))] == list(SAMPLES[cls])


def test_the_bodies_shown_are_those_of_the_examples():
    assert listings(section("Frame bodies")) == [AREA_BODY, FRAME_BODY]


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name)
def test_every_close_code_says_why_and_what_to_do(code: CloseCode):
    row = re.search(rf"^\| {code.value} \| {code.name} \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert row, f"expected a row for {code.value}"


@pytest.mark.parametrize("code", RefusalCode, ids=lambda code: code.name)
def test_every_refusal_code_says_why_and_what_to_do(code: RefusalCode):
    row = re.search(rf"^\| `{code.value}` \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert row, f"expected a row for {code.value}"


PARTS = [getattr(estate_parts, name) for name in estate_parts.__all__]
CARRIED = {
    list[Person]: "array, each: [Person](#person)",
    list[Reported]: "array, each: [Reported](#reported)",
    list[AuditEntry]: "array, each: [AuditEntry](#auditentry)",
    list[TokenInfo]: "array, each: [TokenInfo](#tokeninfo)",
    list[Blocked]: "array, each: [Blocked](#blocked)",
    Person: "[Person](#person)",
    Secret: "[Secret](#secret)",
    int: "integer",
    None: "nil",
    **{part: f"[{part.__name__}](#{part.__name__.lower()})" for part in PARTS},
    **{list[part]: f"array, each: [{part.__name__}](#{part.__name__.lower()})" for part in PARTS},
}
ACTS = [
    (command, act)
    for command, acts in (
        (Order, OrderAct), (Account, AccountAct), (Money, MoneyAct), (Estate, EstateAct), (Market, MarketAct),
    )
    for act in acts
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "act"), ACTS, ids=lambda one: one if isinstance(one, str) else one.__name__
)
def test_every_act_says_what_it_means_and_what_done_carries(command: type, act: StrEnum):
    told = section(type(act).__name__)
    assert (
        re.search(rf"^\| `{act.value}` \| .{{10,}} \| (.+) \|$", told, re.MULTILINE)[1]
        == (CARRIED[RESULTS.get((command, act))])
    )


def test_the_result_of_a_report_is_told_with_it():
    assert "`result` of Done: integer." in section("Report")


@pytest.mark.parametrize("value", [*Role, *Scope], ids=lambda value: value.value)
def test_every_role_and_scope_says_what_it_is(value: Role | Scope):
    assert re.search(rf"^\| `{value.value}` \| .+ \|$", section(type(value).__name__), re.MULTILINE)


def test_every_line_of_a_table_is_whole():
    torn = [line for line in PAGE.splitlines() if line.startswith("|") != line.endswith("|")]
    assert [line for line in torn if not line.startswith("  |")] == []


def test_every_link_leads_somewhere():
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(([^)]+)\)", PAGE))
    assert {link for link in links if link.startswith("#") and link[1:] not in anchors} == set()
    assert {link for link in links if not link.startswith("#")} == {"overlay.md", "tiles.md"}
    assert len(headings) == len(set(headings)), "expected headings to be unique, as anchors are made of them"


BUCKETS = Buckets(CONFIG.limits)
TOLD = {
    "rate of moves": f"| `limits.moves_per_s`: {CONFIG.limits.moves_per_s} |",
    "moves over the limit": f"after {MOVE_STRIKES} such ticks",
    "rate of commands": f"| commands, all together | {CONFIG.limits.commands_per_s} | {BUCKETS.commands._burst} |",
    "rate of lines": f"| Say and Whisper | {CONFIG.limits.says_per_10s / 10} | {BUCKETS.says._burst} |",
    "rate of questions": f"| Who | {BUCKETS.whos._per_s} | {BUCKETS.whos._burst} |",
    "rate of finding": f"| Find | {BUCKETS.finds._per_s} | {BUCKETS.finds._burst} |",
    "rate of looks": f"| Account `look` | {BUCKETS.looks._per_s} | {BUCKETS.looks._burst} |",
    "people found": f"Done carries {finding.FOUND_MAX} at most",
    "new places": f"come to {links.UNWOVEN_A_MINUTE} places a minute",
    "rate of pings": f"| Ping | {BUCKETS.pings._per_s} | {BUCKETS.pings._burst} |",
    "rate of joins": f"together | {CONFIG.session.joins_per_s} | {CONFIG.session.joins_per_s} |",
    "rate of requests": f"| {CONFIG.limits.http_requests_per_s} | {2 * CONFIG.limits.http_requests_per_s} | 429",
    "connections": f"may have {CONFIG.server.connections_per_address} connections",
    "port": f":{CONFIG.server.port}/ws",
    "byte budget": f"{CONFIG.sync.bytes_per_second_per_client:,} bytes of payload a second",
    "thin tier": f"until it has gone well for {THIN_FOR_S:g} s",
    "time to drain": f"{CONFIG.sync.drain_timeout_s:g} s is closed with 1013",
    "unsent at most": f"With {MAX_UNSENT // 1024} KiB unsent the connection is dropped",
    "write buffer": f"more than {CONFIG.sync.write_buffer_bytes // 1024} KiB unsent",
    "message before Welcome": f"{SocketSettings().max_message_bytes:,} bytes until Welcome",
    "silence": f"silent for {SocketSettings().ping_after_s:g} s",
    "reading in a tick": f"at most {SocketSettings().moves_per_tick} moves, {SocketSettings().messages_per_tick} other",
    "lines a tick": f"{LINES_A_TICK} lines a tick",
    "blocks": f"{desk.MAX_BLOCKED} at most",
    "commands that ask the database": f"at most {OF_ONE} of a session at once",
    "recovery codes": f"| recovery | {codes.CODE_CHARS[codes.CodeKind.RECOVERY]} |",
    "pairing codes": f"| pairing | {codes.CODE_CHARS[codes.CodeKind.PAIRING]} |",
    "invitations": f"| invitation | {codes.CODE_CHARS[codes.CodeKind.INVITATION]} |",
    "how long a pairing code is good": f"once, for {codes.PAIRING_MS // 60_000} minutes",
    "tokens": f"has {access.TOKENS_MAX} tokens at most",
    "bots": f"An account has {access.BOTS_MAX} bots at most, a bot {access.TOKENS_MAX} keys",
    "guesses": f"may try {door.Door().guesses._burst} passwords",
    "reports": f"1 in {desk._REPORT_EVERY_S:g} s, {desk._REPORTS_A_DAY} a day",
    "people listed": f"contains `name`: the first {desk.PEOPLE_MAX}.",
    "slots": f"{words.MAX_SLOTS:,} slots",
    "time for Hello": f"within {CONFIG.session.hello_timeout_s:g} s",
    "media type": f"`{TILE_MEDIA_TYPE}`",
}


@pytest.mark.parametrize("what", TOLD)
def test_the_numbers_told_are_the_servers(what: str):
    assert TOLD[what] in " ".join(PAGE.split())


READER = """
import { readFileSync } from "node:fs";
const [area, frame] = JSON.parse(readFileSync(0, "utf8")).map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
console.log(JSON.stringify([[...readBody(area, 0, 0)], [...readBody(frame, -7, 5)]]));
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_javascript_of_the_page_reads_bodies_as_python_does(tmp_path: Path):
    code = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "reader.mjs").write_text("\n".join(code) + READER, encoding="utf-8")
    given = json.dumps([AREA_BODY.hex(), FRAME_BODY.hex()])
    ran = subprocess.run(
        ["node", "reader.mjs"],
        input=given,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    area, frame = json.loads(ran.stdout)
    assert area == read(AREA_BODY, 0, 0)
    assert frame == read(FRAME_BODY, -7, 5)


def read(body: bytes, cx: int, cz: int) -> list[dict[str, object]]:
    """A body as the page's reader gives it."""
    return [
        {
            "kind": int(block.kind),
            "cx": cx + block.dx,
            "cz": cz + block.dz,
            "layer": block.layer,
            "entries": [
                ENTRIES[block.kind](entry, cx + block.dx, cz + block.dz)
                for entry in block.entries.reshape(-1, block.entries.ndim)
            ],
        }
        for block in words.blocks(body)
    ]


def body_of(word: object, cx: int, cz: int) -> dict[str, int]:
    names = ("slot", "x", "z", "y", "yaw", "gesture")
    return dict(zip(names, (int(value) for value in words.unpack_words(word, cx, cz)), strict=True))


ENTRIES = {
    words.BlockKind.LEAVE: lambda e, cx, cz: {"slot": int(e[0]) & 0xFFF, "direction": int(e[0]) >> 12},
    words.BlockKind.WORDS: lambda e, cx, cz: body_of(e[0], cx, cz),
    words.BlockKind.ENTER: lambda e, cx, cz: {"avatar": int(e[0]) >> 12} | body_of(e[1], cx, cz),
    words.BlockKind.SNAPSHOT: lambda e, cx, cz: {"avatar": int(e[0]) >> 12} | body_of(e[1], cx, cz),
}
