"""One socket on a transport in hand: fast path, fragments, the allowance of a tick, time, closing."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame

from raw_ws import (
    BINARY,
    CONT,
    PING,
    PONG,
    EchoPeer,
    FakeTransport,
    close_frame,
    frame,
    move_payload,
    request,
)
from worldloom.gateway.inbox import MoveInbox, decode_moves
from worldloom.gateway.sockets import GameSocket, SocketSettings, SocketWatch
from worldloom.replication.wire import ready

SETTINGS = SocketSettings()


class Table:
    """A socket after its handshake, its inbox, its peer, and a watch."""

    def __init__(self, settings: SocketSettings = SETTINGS, row: int = 7) -> None:
        self.inbox, self.watch = MoveInbox(), SocketWatch()
        self.peers: list[EchoPeer] = []
        self.socket = GameSocket(self._accept, self.inbox, settings, self.watch)
        self.transport = FakeTransport(self.socket, self.inbox)
        self.transport.deliver(request())
        self.socket.row = row
        self.peer = self.peers[0]
        self.transport.written.clear()

    def _accept(self, socket: GameSocket) -> EchoPeer:
        self.peers.append(EchoPeer(socket))
        return self.peers[-1]

    def moves(self) -> list[int]:
        """Sequence numbers of the moves in the inbox, which is emptied."""
        batch, wrong = decode_moves(*self.inbox.take())
        assert not wrong
        return batch.seq.tolist()

    def seconds_later(self, seconds: float) -> None:
        """Sweep as if so much time had passed, once a second."""
        now = asyncio.get_running_loop().time()
        for second in range(1, int(seconds) + 1):
            self.watch.sweep(now + second)


def move(seq: int, **fields: int) -> bytes:
    return frame(BINARY, move_payload(seq, **fields))


async def test_a_move_goes_to_the_inbox_as_it_came() -> None:
    table = Table()
    table.transport.deliver(move(1))
    rows, raw = table.inbox.take()
    assert rows.tolist() == [7]
    assert raw.tobytes() == move(1)
    assert table.peer.messages == []


async def test_without_a_row_a_move_is_a_message_like_any_other() -> None:
    table = Table(row=-1)
    table.transport.deliver(move(1))
    assert table.moves() == []
    assert table.peer.messages == [move_payload(1)]


async def test_a_message_as_long_as_a_move_keeps_its_place_among_messages() -> None:
    table = Table()
    said = b"x" * 20
    table.transport.deliver(frame(BINARY, said) + move(1) + frame(BINARY, b"short"))
    assert table.peer.messages == [said, b"short"]
    assert table.moves() == [1]


@pytest.mark.parametrize("cut", range(1, 26))
async def test_a_move_that_comes_in_two_parts_is_taken_as_a_move(cut: int) -> None:
    table = Table()
    table.transport.deliver(move(1)[:cut])
    table.transport.deliver(move(1)[cut:])
    table.transport.deliver(move(2))
    assert table.moves() == [1, 2]
    assert table.peer.messages == []


async def test_what_looks_like_a_move_within_another_message_is_none() -> None:
    table = Table()
    outer = frame(BINARY, b"a" * 10 + move(1) + b"b" * 10, mask=b"\0\0\0\0")
    table.transport.deliver(outer[:16])
    table.transport.deliver(outer[16 : 16 + 26])
    table.transport.deliver(outer[16 + 26 :])
    assert table.moves() == []
    assert table.peer.messages == [b"a" * 10 + move(1) + b"b" * 10]


async def test_a_whole_frame_of_a_move_within_fragments_breaks_the_rules() -> None:
    table = Table()
    table.transport.deliver(frame(BINARY, b"a", fin=False))
    table.transport.deliver(move(1))
    assert table.moves() == []
    assert table.peer.closed_with == [1002]


async def test_no_move_is_taken_after_a_closing_frame() -> None:
    table = Table()
    table.transport.deliver(close_frame(1000) + move(1))
    table.transport.deliver(move(2))
    assert table.moves() == []
    assert table.peer.closed_with == [1000]


STEPS = st.one_of(
    st.integers(0, 1000).map(lambda seq: ("move", seq)),
    st.binary(max_size=200).map(lambda payload: ("message", payload)),
    st.binary(min_size=1, max_size=60).map(lambda payload: ("fragments", payload)),
    st.binary(max_size=125).map(lambda payload: ("ping", payload)),
)


def bytes_of(step: tuple[str, object]) -> bytes:
    kind, value = step
    if kind == "move":
        return move(value)
    if kind == "ping":
        return frame(PING, value)
    if kind == "message":
        return frame(BINARY, value)
    half = len(value) // 2
    return frame(BINARY, value[:half], fin=False) + frame(PONG) + frame(CONT, value[half:])


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)})
    for start, end in zip([0, *ends], ends, strict=False):
        yield data[start:end]


@given(st.lists(STEPS, max_size=12), st.lists(st.integers(0, 10_000), max_size=12))
def test_however_the_stream_is_cut_moves_and_messages_are_the_same(
    steps: list[tuple], cuts: list[int]
) -> None:
    async def play() -> None:
        table = Table(replace(SETTINGS, messages_per_tick=1000))
        for piece in pieces(b"".join(map(bytes_of, steps)), cuts):
            table.transport.deliver(piece)
        assert table.moves() == [value for kind, value in steps if kind == "move"]
        assert table.peer.messages == [value for kind, value in steps if kind in ("message", "fragments")]
        assert table.peer.closed_with == []

    asyncio.run(play())


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_random_bytes_close_or_wait_and_never_raise(data: bytes, cuts: list[int]) -> None:
    async def play() -> None:
        table = Table()
        for piece in pieces(data, cuts):
            table.transport.deliver(piece)
        assert len(table.peer.closed_with) <= 1
        assert all(1000 <= code < 5000 for code in table.peer.closed_with)

    asyncio.run(play())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 100_000])
def test_a_server_frame_is_what_the_library_would_write(size: int) -> None:
    payload = b"x" * size
    assert ready(payload) == Frame(2, payload).serialize(mask=False)


async def test_more_moves_than_the_allowance_wait_for_the_next_tick() -> None:
    table = Table(replace(SETTINGS, moves_per_tick=4))
    table.transport.deliver(b"".join(move(seq) for seq in range(10)))
    assert not table.transport.reading
    assert [table.moves(), await settled(table), await settled(table)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert table.transport.reading


async def settled(table: Table) -> list[int]:
    await asyncio.sleep(0)  # sockets go on in a turn of the loop after the inbox was taken
    return table.moves()


async def test_single_moves_over_the_allowance_wait_too() -> None:
    table = Table(replace(SETTINGS, moves_per_tick=2))
    for seq in range(3):
        table.transport.deliver(move(seq))
    assert not table.transport.reading
    assert table.moves() == [0, 1]
    assert await settled(table) == [2]


async def test_more_messages_than_the_allowance_wait_for_the_next_tick() -> None:
    table = Table(replace(SETTINGS, messages_per_tick=3))
    table.transport.deliver(b"".join(frame(BINARY, bytes([i])) for i in range(5)))
    assert table.peer.messages == [b"\0", b"\1", b"\2"]
    table.moves()
    await asyncio.sleep(0)
    assert len(table.peer.messages) == 5


async def test_more_bytes_than_the_allowance_wait_for_the_next_tick() -> None:
    table = Table(replace(SETTINGS, bytes_per_tick=1000))
    table.transport.deliver(frame(BINARY, b"x" * 1000) + frame(BINARY, b"y"))
    assert len(table.peer.messages) == 1
    assert not table.transport.reading


async def test_who_keeps_flooding_is_closed_with_1008() -> None:
    table = Table(replace(SETTINGS, messages_per_tick=1, flood_ticks=5))
    table.transport.deliver(b"".join(frame(PING) for _ in range(20)))
    for _ in range(20):
        await settled(table)
    assert table.peer.closed_with == [1008]
    assert table.transport.eof


async def test_a_burst_now_and_then_is_forgiven() -> None:
    table = Table(replace(SETTINGS, moves_per_tick=2, flood_ticks=5))
    for _ in range(20):
        table.transport.deliver(b"".join(move(seq) for seq in range(3)))
        for _ in range(4):
            await settled(table)
            table.transport.deliver(move(9))
    assert table.peer.closed_with == []


async def test_the_session_raises_the_largest_message() -> None:
    table = Table()
    table.socket.max_message = 5000
    table.transport.deliver(frame(BINARY, b"x" * 5000))
    assert len(table.peer.messages) == 1
    table.transport.deliver(frame(BINARY, b"x" * 5001))
    assert table.peer.closed_with == [1009]


async def test_who_is_silent_is_pinged_and_then_dropped() -> None:
    table = Table()
    table.seconds_later(20)
    assert bytes(table.transport.written) == b""
    table.seconds_later(22)
    assert bytes(table.transport.written) == b"\x89\x00"
    assert not table.transport.aborted
    table.seconds_later(42)
    assert table.transport.aborted


async def test_a_pong_keeps_a_silent_connection() -> None:
    table = Table()
    table.seconds_later(25)
    table.transport.deliver(frame(PONG))
    table.seconds_later(19)
    assert bytes(table.transport.written) == b"\x89\x00"
    assert not table.transport.aborted


async def test_a_deadline_closes_unless_it_is_lifted() -> None:
    kept, late = Table(), Table()
    for table in (kept, late):
        table.socket.deadline(10, 1008)
    kept.socket.deadline(None)
    for table in (kept, late):
        table.seconds_later(11)
    assert kept.socket.is_open
    assert bytes(late.transport.written[2:4]) == (1008).to_bytes(2, "big")


async def test_a_handshake_that_does_not_come_is_dropped() -> None:
    watch = SocketWatch()
    socket = GameSocket(EchoPeer, MoveInbox(), SETTINGS, watch)
    transport = FakeTransport(socket, MoveInbox())
    watch.sweep(asyncio.get_running_loop().time() + 9)
    assert not transport.aborted
    watch.sweep(asyncio.get_running_loop().time() + 11)
    assert transport.aborted


async def test_a_closing_that_is_not_answered_is_dropped() -> None:
    table = Table()
    table.socket.close(1012, "restart")
    table.seconds_later(4)
    assert not table.transport.aborted
    table.seconds_later(6)
    assert table.transport.aborted
    table.socket.connection_lost(None)
    assert table.peer.closed_with == [1012]


async def test_after_closing_nothing_is_written_any_more() -> None:
    table = Table()
    writer = table.socket.writer
    table.socket.close(1000)
    sent = bytes(table.transport.written)
    table.socket.send(b"late")
    table.socket.write_frame(ready(b"late"))
    assert table.socket.writer is not writer
    assert bytes(table.transport.written) == sent


async def test_a_long_reason_is_cut_between_characters() -> None:
    table = Table()
    table.socket.close(1000, "ü" * 100)
    assert table.transport.written[4:].decode() == "ü" * 60


async def test_the_session_hears_of_pause_and_drain() -> None:
    table = Table()
    table.socket.pause_writing()
    assert table.socket.paused
    table.socket.resume_writing()
    assert not table.socket.paused
    assert (table.peer.pauses, table.peer.drains) == (1, 1)


async def test_who_asks_and_never_reads_is_dropped() -> None:
    table = Table()
    table.socket.pause_writing()
    table.transport.unsent = 5 * SETTINGS.write_buffer_bytes
    table.transport.deliver(frame(PING))
    assert table.transport.aborted


async def test_the_end_is_told_exactly_once() -> None:
    table = Table()
    table.transport.deliver(close_frame(1001))
    table.socket.eof_received()
    table.socket.connection_lost(None)
    table.socket.close(1000)
    table.socket.abort()
    assert table.peer.closed_with == [1001]
    assert len(table.watch) == 0


async def test_after_our_last_word_a_flood_is_dropped() -> None:
    table = Table()
    table.transport.deliver(frame(3))
    for _ in range(17):
        table.transport.deliver(b"x" * 65536)
    assert table.transport.aborted


async def test_a_session_that_raises_costs_its_own_connection_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(EchoPeer):
        def on_message(self, payload: bytes) -> None:
            raise RuntimeError("a fault of the session")

    inbox = MoveInbox()
    socket = GameSocket(Faulty, inbox, SETTINGS)
    transport = FakeTransport(socket, inbox)
    transport.deliver(request())
    transport.written.clear()
    with caplog.at_level(logging.ERROR):
        transport.deliver(frame(BINARY, b"x"))
    assert bytes(transport.written) == b"\x88\x02\x03\xf3"
    assert "a fault of the session" in caplog.text


async def test_who_cannot_be_served_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    def accept(_socket: GameSocket) -> EchoPeer:
        raise RuntimeError("no room")

    inbox = MoveInbox()
    socket = GameSocket(accept, inbox, SETTINGS)
    transport = FakeTransport(socket, inbox)
    with caplog.at_level(logging.ERROR):
        transport.deliver(request())
    assert transport.written.endswith(b"\x88\x02\x03\xf3")
    assert "no room" in caplog.text


async def test_a_handshake_that_drips_is_understood() -> None:
    inbox = MoveInbox()
    peers: list[EchoPeer] = []
    socket = GameSocket(lambda s: peers.append(EchoPeer(s)) or peers[-1], inbox, SETTINGS)
    transport = FakeTransport(socket, inbox)
    for byte in request():
        transport.deliver(bytes([byte]))
    assert transport.written.startswith(b"HTTP/1.1 101 ")
    assert len(peers) == 1
