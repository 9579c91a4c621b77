"""Sessions: token buckets, wrong commands, pauses; and nothing after the closing frame."""

import asyncio
import struct
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from raw_ws import FakeTransport, request
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.session import Bucket, Buckets, Session
from worldloom.gateway.sockets import GameSocket, SocketSettings
from worldloom.replication.views import Seat


@dataclass(frozen=True)
class Limits:
    commands_per_s: int = 10
    says_per_10s: int = 8
    wrong_commands: int = 10


class Nobody:
    """A peer that takes everything and does nothing."""

    def on_message(self, payload: bytes) -> None: ...
    def on_pause(self) -> None: ...
    def on_drain(self) -> None: ...
    def on_closed(self, code: int) -> None: ...


def live_session() -> tuple[Session, FakeTransport, MoveInbox]:
    """A session on an open socket, and what is written to it."""
    inbox = MoveInbox()
    socket = GameSocket(lambda _: Nobody(), inbox, SocketSettings())
    transport = FakeTransport(socket, inbox)
    transport.deliver(request())
    seat = Seat(7, socket.write_frame)
    session = Session(7, None, "Ada", ("ada",), 0, seat, Buckets(Limits()), socket=socket)
    socket.row = 0
    transport.written.clear()
    return session, transport, inbox


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.5, 20), st.integers(1, 20))
def test_a_bucket_never_grants_more_than_its_rate_and_burst(
    gaps: list[float], per_s: float, burst: int
) -> None:
    bucket, now, granted = Bucket(per_s, burst), 0.0, 0
    for gap in gaps:
        now += gap
        wait = bucket.take(now)
        granted += wait == 0
        assert 0 <= wait <= 1 / per_s + 1e-9
    assert granted <= burst + per_s * now + 1e-6


def test_who_waits_as_long_as_told_is_granted() -> None:
    bucket = Bucket(4, 1)
    assert bucket.take(100.0) == 0
    wait = bucket.take(100.1)
    assert bucket.take(100.1 + wait + 1e-9) == 0


async def test_nothing_is_written_after_the_closing_frame() -> None:
    session, transport, _ = live_session()
    session.close(1008, "too many")
    closing = bytes(transport.written)
    assert closing[2:4] == struct.pack("!H", 1008)
    session.seat.write(b"\x82\x01x")
    session.write(b"\x82\x01y")
    assert bytes(transport.written) == closing


async def test_moves_after_our_closing_frame_are_not_heard() -> None:
    session, transport, inbox = live_session()
    move = b"\x82\x94\0\0\0\0\x92\x02\xc4\x10" + bytes(16)
    transport.deliver(move)
    assert len(inbox) == 1
    session.close(1008, "too many")
    transport.deliver(move)
    assert len(inbox) == 1


async def test_ten_mistakes_close_and_nine_do_not() -> None:
    session, _, _ = live_session()
    for _ in range(9):
        session.mistaken(0, "expected this, got that")
    assert session.socket.is_open
    session.mistaken(0, "expected this, got that")
    assert not session.socket.is_open


async def test_two_pauses_within_ten_seconds_are_one_too_many() -> None:
    session, _, _ = live_session()
    assert [session.note_pause(at) for at in (0.0, 11.0, 20.9, 31.0)] == [False, False, True, False]


async def test_a_paused_client_with_too_much_unsent_is_dropped() -> None:
    session, transport, _ = live_session()
    session.socket.pause_writing()
    transport.unsent = 256 * 1024
    session.write(b"\x82\x00")
    assert not transport.aborted
    transport.unsent += 1
    session.write(b"\x82\x00")
    assert transport.aborted
    await asyncio.sleep(0)
