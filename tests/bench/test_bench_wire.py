import numpy as np
import pytest

from worldloom.bench.wire import (
    BINARY,
    MOVE_FRAME_BYTES,
    Assembler,
    WireFault,
    client_frame,
    move_frames,
    tag_of,
    who_frame,
)
from worldloom_sdk.protocol.codec import decode_client, encode
from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.messages import Frame, Move, Pong, Who

_ZERO_KEY = bytes(4)


def _server_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size > 0xFFFF:
        return b"\x82\x7f" + size.to_bytes(8, "big") + payload
    return (bytes([0x82, size]) if size < 126 else b"\x82\x7e" + size.to_bytes(2, "big")) + payload


def test_a_move_frame_is_one_masked_frame_with_a_move_that_the_server_can_decode():
    frames = move_frames(300, np.array([-5, 70_000]), np.array([6, -7]))
    assert [len(frame) for frame in frames] == [MOVE_FRAME_BYTES] * 2
    assert frames[0][:6] == bytes([0x82, 0x80 | 20]) + _ZERO_KEY
    moves = [decode_client(frame[6:]) for frame in frames]
    assert all(isinstance(move, Move) for move in moves)
    state = np.frombuffer(moves[1].state, np.dtype("<u4, <i4, <i4, <i2, u1, u1"))[0].tolist()
    assert state == (301, 70_000, -7, GROUND_Y, 300 & 0xFF, 1)


@pytest.mark.parametrize("count", [1, 3, 64])
def test_a_who_frame_asks_for_the_given_ids(count):
    ids = np.arange(1, count + 1) * 1_000_003
    frame = who_frame(ids)
    head = len(frame) - len(client_frame(b"")) - (2 if len(frame) > 131 else 0)
    assert decode_client(frame[-head:]) == Who(ids.tolist())


@pytest.mark.parametrize(("step", "largest"), [(1, 400), (2, 400), (3, 400), (7, 4_000), (1_000, 70_000)])
def test_messages_come_out_whole_however_the_bytes_are_cut(step, largest):
    payloads = [encode(Pong(1, 2)), encode(Frame(3, bytes(480))), b"", bytes(largest)]
    stream = b"".join(map(_server_frame, payloads))
    assembler = Assembler()
    got = [
        message
        for at in range(0, len(stream), step)
        for message in assembler.feed(memoryview(stream)[at : at + step])
    ]
    assert got == [(BINARY, payload) for payload in payloads]
    assert assembler.waiting == 0


@pytest.mark.parametrize(
    "head", [b"\x82\x81", b"\x02\x01", b"\xc2\x01"], ids=["masked", "fragment", "reserved"]
)
def test_a_frame_that_no_server_sends_is_a_fault(head):
    with pytest.raises(WireFault, match="unfragmented, unmasked"):
        list(Assembler().feed(head + b"x" * 8))


def test_the_tag_is_read_without_decoding():
    assert [tag_of(encode(Pong(1, 2))), tag_of(encode(Frame(3, b""))), tag_of(b""), tag_of(b"\xff\x01")] == [
        35,
        36,
        0,
        0,
    ]
