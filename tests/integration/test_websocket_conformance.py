"""The rules of WebSocket (RFC 6455), case by case over real sockets, on asyncio's loop and on uvloop.

Each case also asks a neighbour on the same server whether it still works.
"""

import asyncio
import struct

import pytest

from raw_ws import (
    ACCEPT,
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Harness,
    close_frame,
    frame,
    move_payload,
    on_both_loops,
    request,
)

BROKEN_RULES = {
    **{
        f"reserved opcode {op:#x}": (frame(op, b"x"), 1002) for op in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)
    },
    **{f"RSV{3 - bit} on data": (frame(BINARY, b"x", rsv=1 << bit), 1002) for bit in range(3)},
    **{f"RSV{3 - bit} on ping": (frame(PING, b"x", rsv=1 << bit), 1002) for bit in range(3)},
    "all RSV bits": (frame(BINARY, b"x", rsv=7), 1002),
    "compressed without negotiation": (frame(BINARY, b"\xaa\x00", rsv=4), 1002),
    "unmasked data": (frame(BINARY, b"hello", masked=False), 1002),
    "unmasked ping": (frame(PING, b"", masked=False), 1002),
    "unmasked close": (frame(CLOSE, b"\x03\xe8", masked=False), 1002),
    "16-bit length not needed": (frame(BINARY, b"hello", form=16), 1002),
    "16-bit length of zero": (frame(BINARY, b"", form=16), 1002),
    "64-bit length not needed": (frame(BINARY, b"x" * 200, form=64), 1002),
    "64-bit length of a small message": (frame(BINARY, b"x", form=64), 1002),
    "64-bit length with its topmost bit set": (frame(BINARY, b"", form=64, length=1 << 63), 1002),
    "64-bit length of exabytes": (frame(BINARY, b"", form=64, length=(1 << 63) - 1), 1009),
    "a byte too big": (frame(BINARY, b"x" * 4097), 1009),
    "announced too big": (frame(BINARY, b"", form=16, length=65535), 1009),
    "fragments too big together": (
        frame(BINARY, b"x" * 3000, fin=False) + frame(CONT, b"x" * 1097, fin=True),
        1009,
    ),
    "continuation of nothing": (frame(CONT, b"x"), 1002),
    "unfinished continuation of nothing": (frame(CONT, b"x", fin=False), 1002),
    "continuation after a whole message": (frame(BINARY, b"a") + frame(CONT, b"b"), 1002),
    "continuation after the end": (
        frame(BINARY, b"a", fin=False) + frame(CONT, b"b") + frame(CONT, b"c"),
        1002,
    ),
    "new message within fragments": (frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"), 1002),
    "new fragments within fragments": (frame(BINARY, b"a", fin=False) + frame(BINARY, b"b", fin=False), 1002),
    "text within fragments": (frame(BINARY, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    "ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "pong of 126 bytes": (frame(PONG, b"x" * 126), 1002),
    "close of 126 bytes": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "fragmented pong": (frame(PONG, b"x", fin=False), 1002),
    "fragmented close": (frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    "close within fragments": (frame(BINARY, b"a", fin=False) + close_frame(1000), 1002),
    "close with one byte": (frame(CLOSE, b"\x03"), 1002),
    **{
        f"close code {code}": (close_frame(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "close reason no UTF-8": (close_frame(1000, b"\xff\xfe"), 1007),
    "close reason with a surrogate": (close_frame(1000, b"\xed\xa0\x80"), 1007),
    "close reason cut within a character": (close_frame(1000, "ü".encode()[:1]), 1007),
    "text": (frame(TEXT, b"hello"), 1003),
    "empty text": (frame(TEXT, b""), 1003),
    "text that is no UTF-8": (frame(TEXT, b"\xff"), 1003),
    "fragmented text": (frame(TEXT, b"hel", fin=False), 1003),
}


@on_both_loops()
@pytest.mark.parametrize("case", BROKEN_RULES)
async def test_a_broken_rule_closes_with_its_code(world: Harness, case: str) -> None:
    data, code = BROKEN_RULES[case]
    client = await world.upgraded()
    await client.send(data)
    assert await client.close_code() == code
    await client.ended()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [code]


GOOD_MESSAGES = {
    "empty": (frame(BINARY), [b""]),
    "125 bytes": (frame(BINARY, b"x" * 125), [b"x" * 125]),
    "126 bytes": (frame(BINARY, b"x" * 126), [b"x" * 126]),
    "127 bytes": (frame(BINARY, b"x" * 127), [b"x" * 127]),
    "the largest": (frame(BINARY, b"x" * 4096), [b"x" * 4096]),
    "empty mask": (frame(BINARY, b"hello", mask=b"\0\0\0\0"), [b"hello"]),
    "two in one write": (frame(BINARY, b"a") + frame(BINARY, b"b"), [b"a", b"b"]),
    "two fragments": (frame(BINARY, b"a", fin=False) + frame(CONT, b"b"), [b"ab"]),
    "empty fragments": (
        frame(BINARY, b"", fin=False) + frame(CONT, b"", fin=False) + frame(CONT, b"a"),
        [b"a"],
    ),
    "only empty fragments": (frame(BINARY, b"", fin=False) + frame(CONT, b""), [b""]),
    "pong unasked": (frame(PONG, b"here") + frame(BINARY, b"a"), [b"a"]),
    "pong within fragments": (frame(BINARY, b"a", fin=False) + frame(PONG) + frame(CONT, b"b"), [b"ab"]),
    "a move before there is a row": (frame(BINARY, move_payload()), [move_payload()]),
}


@on_both_loops()
@pytest.mark.parametrize("case", GOOD_MESSAGES)
async def test_a_good_message_arrives_whole(world: Harness, case: str) -> None:
    data, messages = GOOD_MESSAGES[case]
    client = await world.upgraded()
    await client.send(data)
    assert [await client.message() for _ in messages] == messages


@on_both_loops()
@pytest.mark.parametrize("case", ["ping", "reserved", "move-like"])
async def test_bytes_that_drip_one_by_one_are_understood(world: Harness, case: str) -> None:
    data = {"ping": frame(PING, b"abc"), "reserved": frame(3), "move-like": frame(BINARY, move_payload())}[
        case
    ]
    client = await world.upgraded()
    for byte in data:
        await client.send(bytes([byte]))
    first, payload = await client.frame()
    wanted = {"ping": (0x8A, b"abc"), "reserved": (0x88, None), "move-like": (0x82, move_payload())}[case]
    assert first == wanted[0]
    assert payload == wanted[1] or wanted[1] is None


@on_both_loops()
@pytest.mark.parametrize("size", [0, 1, 124, 125])
async def test_a_ping_comes_back_as_a_pong(world: Harness, size: int) -> None:
    client = await world.upgraded()
    await client.send(frame(PING, b"p" * size))
    assert await client.frame() == (0x8A, b"p" * size)


@on_both_loops()
async def test_a_ping_within_fragments_is_answered_before_the_message(world: Harness) -> None:
    client = await world.upgraded()
    await client.send(frame(BINARY, b"a", fin=False) + frame(PING, b"p") + frame(CONT, b"b"))
    assert await client.frame() == (0x8A, b"p")
    assert await client.message() == b"ab"


@on_both_loops()
@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999]
)
async def test_a_closing_frame_is_echoed(world: Harness, code: int) -> None:
    client = await world.upgraded()
    await client.send(close_frame(code, "grüße".encode()))
    assert await client.close_code() == code
    await client.ended()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [code]


@on_both_loops()
async def test_a_closing_frame_without_a_code_is_echoed_empty(world: Harness) -> None:
    client = await world.upgraded()
    await client.send(close_frame(None))
    assert await client.close_code() == 1005
    await client.ended()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [1005]


@on_both_loops()
async def test_nothing_is_heard_after_a_closing_frame(world: Harness) -> None:
    client = await world.upgraded()
    await client.send(close_frame(1000) + frame(BINARY, b"late") + frame(PING, b"late"))
    assert await client.frame() == (0x88, struct.pack("!H", 1000))
    await client.ended()
    assert world.peers[1].messages == []


@on_both_loops()
async def test_a_lost_connection_is_told_as_1006(world: Harness) -> None:
    client = await world.upgraded()
    client.drop()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [1006]


@on_both_loops()
async def test_an_end_of_stream_without_goodbye_is_told_as_1006(world: Harness) -> None:
    client = await world.upgraded()
    client.writer.write_eof()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [1006]


@on_both_loops()
async def test_the_server_closes_and_the_client_answers(world: Harness) -> None:
    client = await world.upgraded()
    world.peers[1].socket.close(4001, "replaced")
    world.peers[1].socket.send(b"never seen")
    assert await client.frame() == (0x88, struct.pack("!H", 4001) + b"replaced")
    await client.send(frame(BINARY, b"too late") + close_frame(4001))
    await client.ended()
    await asyncio.wait_for(world.peers[1].closed.wait(), 2)
    assert world.peers[1].closed_with == [4001]
    assert world.peers[1].messages == []


BAD_HANDSHAKES = {
    "no key": (request(without=("Sec-WebSocket-Key",)), 400),
    "empty key": (request(Sec_WebSocket_Key=""), 400),
    "key of 15 bytes": (request(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAA"), 400),
    "key no base64": (request(Sec_WebSocket_Key="!!!!!!!!!!!!!!!!!!!!!!=="), 400),
    "two keys": (
        request().replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
        400,
    ),
    "no version": (request(without=("Sec-WebSocket-Version",)), 400),
    "version 12": (request(Sec_WebSocket_Version="12"), 400),
    "version 0": (request(Sec_WebSocket_Version="0"), 400),
    "no host": (request(without=("Host",)), 400),
    "post": (request(method="POST"), 405),
    "put": (request(method="PUT"), 405),
    "head": (request(method="HEAD"), 405),
    "no upgrade": (request(without=("Upgrade",)), 426),
    "no connection": (request(without=("Connection",)), 426),
    "connection keep-alive": (request(Connection="keep-alive"), 426),
    "upgrade to something else": (request(Upgrade="h2c"), 426),
    "other path": (request("/"), 404),
    "path of a prefix": (request("/ws/"), 404),
    "path of content": (request("/content/" + "0" * 64), 404),
    "HTTP/1.0": (request(version="HTTP/1.0"), 505),
    "headers too big": (request(X_Filler="x" * 20_000), 431),
    "path too long": (request("/ws?" + "x" * 20_000), 431),
    "foreign origin": (request(Origin="https://evil.example"), 403),
    "null origin": (request(Origin="null"), 403),
    "origin of another port": (request(Origin="http://localhost:8000"), 403),
    "origin that only begins alike": (request(Origin="http://localhost.evil.example"), 403),
    "two origins": (
        request(Origin="http://localhost").replace(b"\r\n\r\n", b"\r\nOrigin: http://b\r\n\r\n"),
        400,
    ),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "header without a colon": (b"GET /ws HTTP/1.1\r\nHost localhost\r\n\r\n", 400),
}


@on_both_loops()
@pytest.mark.parametrize("case", BAD_HANDSHAKES)
async def test_a_bad_handshake_is_refused_with_its_status(world: Harness, case: str) -> None:
    data, status = BAD_HANDSHAKES[case]
    client = await world.connect()
    await client.send(data)
    got, _, body = await client.response()
    assert got == status, body
    assert len(world.peers) == 1


GOOD_HANDSHAKES = {
    "plain": request(),
    "with a query": request("/ws?from=here"),
    "other case": request(Upgrade="WebSocket", Connection="upgrade"),
    "several connection options": request(Connection="keep-alive, Upgrade"),
    "own origin": request(Origin="http://localhost"),
    "own origin with its port": request(Origin="http://LOCALHOST:80"),
    "allowed origin": request(Origin="https://friend.example"),
    "subprotocol offered": request(Sec_WebSocket_Protocol="chat, superchat"),
    "compression offered": request(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"),
    "unknown extension offered": request(Sec_WebSocket_Extensions="x-webkit-deflate-frame, foo; bar=1"),
}


@on_both_loops(allowed_origins=["https://friend.example"])
@pytest.mark.parametrize("case", GOOD_HANDSHAKES)
async def test_a_good_handshake_opens_without_extension_or_subprotocol(world: Harness, case: str) -> None:
    client = await world.connect()
    await client.send(GOOD_HANDSHAKES[case])
    status, headers, _ = await client.response()
    assert status == 101
    assert headers["sec-websocket-accept"] == ACCEPT
    assert "sec-websocket-extensions" not in headers
    assert "sec-websocket-protocol" not in headers
    assert await client.echoes()


@on_both_loops()
async def test_what_comes_right_behind_the_handshake_is_not_lost(world: Harness) -> None:
    client = await world.connect()
    await client.send(request() + frame(BINARY, b"early"))
    status, _, _ = await client.response()
    assert status == 101
    assert await client.message() == b"early"
