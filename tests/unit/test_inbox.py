"""The inbox: what is put in comes out once, in order; one pass decodes what struct decodes one by one."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raw_ws import BINARY, frame, move_payload
from worldloom.gateway.inbox import MOVE_FRAME_BYTES, MoveInbox, decode_moves, move_frame

U32 = st.integers(0, 2**32 - 1)
I32 = st.integers(-(2**31), 2**31 - 1)
I16 = st.integers(-(2**15), 2**15 - 1)
U8 = st.integers(0, 255)
MASKS = st.binary(min_size=4, max_size=4)
MOVES = st.lists(st.tuples(st.integers(0, 4000), MASKS, U32, I32, I32, I16, U8, U8), max_size=30)


def raw_of(frames: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(frames), np.uint8).reshape(-1, MOVE_FRAME_BYTES)


def test_what_is_put_in_is_taken_once_and_in_order() -> None:
    inbox = MoveInbox()
    frames = [frame(BINARY, move_payload(seq)) for seq in range(3)]
    for row, raw in zip([7, 3, 7], frames, strict=True):
        inbox.put(row, raw)
    assert len(inbox) == 3
    rows, raw = inbox.take()
    assert rows.dtype == np.int64
    assert rows.tolist() == [7, 3, 7]
    assert raw.tobytes() == b"".join(frames)
    rows, raw = inbox.take()
    assert rows.shape == (0,)
    assert raw.shape == (0, MOVE_FRAME_BYTES)


def test_an_empty_inbox_decodes_to_an_empty_batch() -> None:
    batch, wrong = decode_moves(*MoveInbox().take())
    assert wrong == []
    assert batch.seq.shape == batch.x.shape == batch.gesture.shape == (0,)


def test_each_taking_is_a_new_epoch_and_tells_the_sockets_that_were_held() -> None:
    class Held:
        told = 0

        def inbox_taken(self) -> None:
            self.told += 1

    inbox, held = MoveInbox(), Held()
    inbox.hold(held)
    before = inbox.epoch
    inbox.take()
    inbox.take()
    assert inbox.epoch == before + 2
    assert held.told == 1


@given(MOVES)
def test_one_pass_decodes_what_struct_decodes_one_by_one(moves: list[tuple]) -> None:
    rows = np.array([m[0] for m in moves], np.int64)
    frames = [frame(BINARY, move_payload(*m[2:]), mask=m[1]) for m in moves]
    batch, wrong = decode_moves(rows, raw_of(frames))
    assert wrong == [i for i, m in enumerate(moves) if m[-1] > 63]
    decoded = zip(
        batch.rows.tolist(),
        *(getattr(batch, name).tolist() for name in ("seq", "x", "z", "y", "yaw", "gesture")),
        strict=True,
    )
    assert list(decoded) == [(m[0], *m[2:]) for m in moves if m[-1] <= 63]


def test_the_arrays_have_the_types_of_the_wire() -> None:
    batch, _ = decode_moves(np.array([0]), raw_of([frame(BINARY, move_payload(2**32 - 1, -1, 2, -3, 4, 5))]))
    kinds = [
        batch.seq.dtype,
        batch.x.dtype,
        batch.z.dtype,
        batch.y.dtype,
        batch.yaw.dtype,
        batch.gesture.dtype,
    ]
    assert kinds == [np.uint32, np.int32, np.int32, np.int16, np.uint8, np.uint8]


@given(st.binary(min_size=20, max_size=20), MASKS)
def test_another_payload_is_no_move(payload: bytes, mask: bytes) -> None:
    frames = [frame(BINARY, payload, mask=mask), frame(BINARY, move_payload(9), mask=mask)]
    batch, wrong = decode_moves(np.array([1, 2]), raw_of(frames))
    is_move = payload.startswith(b"\x92\x02\xc4\x10") and payload[-1] <= 63
    assert wrong == [0] * (not is_move)
    assert batch.rows.tolist() == [1] * is_move + [2]


@given(U32, I32)
def test_an_unmasked_move_reads_the_same(seq: int, x: int) -> None:
    payload = move_payload(seq, x)
    batch, wrong = decode_moves(np.array([5]), raw_of([move_frame(payload)]))
    assert not wrong
    assert struct.pack("<Ii", batch.seq[0], batch.x[0]) == payload[4:12]
