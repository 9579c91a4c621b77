import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom_sdk.protocol.geometry import CELL_SHIFT, CELL_UNITS
from worldloom_sdk.protocol.words import (
    MAX_SLOTS,
    XZ_MARGIN,
    BlockKind,
    BodyError,
    block_header,
    blocks,
    enter_key,
    pack_words,
    unpack_words,
)

CELLS = st.integers(-(32_767 << 3), 32_767 << 3)
LOCALS = st.integers(-XZ_MARGIN, CELL_UNITS + XZ_MARGIN - 1)
YS = st.integers(-4_096, 12_287)
BODIES = st.tuples(
    st.integers(0, MAX_SLOTS - 1), LOCALS, LOCALS, YS, st.integers(0, 255), st.integers(0, 63), CELLS, CELLS
)
U64S = st.integers(0, 2**64 - 1)


def columns(*bodies):
    return np.array(bodies, np.int64).T


def packed(slot=0, x=0, z=0, y=0, yaw=0, gesture=0, cx=0, cz=0) -> int:
    return int(pack_words(*columns((slot, x, z, y, yaw, gesture, cx, cz)))[0])


@given(st.lists(BODIES, min_size=1, max_size=50))
def test_what_is_packed_into_words_is_unpacked_from_them(bodies):
    slot, lx, lz, y, yaw, gesture, cx, cz = columns(*bodies)
    x, z = (cx << CELL_SHIFT) + lx, (cz << CELL_SHIFT) + lz
    words = pack_words(slot, x, z, y, yaw, gesture, cx, cz)
    assert words.dtype == np.uint64
    unpacked = unpack_words(words, cx, cz)
    for got, put in zip(unpacked, (slot, x, z, y, yaw, gesture), strict=True):
        assert got.tolist() == put.tolist()


@given(U64S)
def test_every_word_of_64_bits_is_a_body_and_packs_into_itself_again(word):
    fields = unpack_words(np.array([word], np.uint64), -7, 9)
    assert int(pack_words(*fields, np.array([-7]), np.array([9]))[0]) == word


@pytest.mark.parametrize(
    ("field", "value", "bits"),
    [
        ("slot", 4_095, 0xFFF),
        ("x", 1, 1 << 12),
        ("z", 1, 1 << 24),
        ("y", 1, 1 << 36),
        ("yaw", 255, 0xFF << 50),
        ("gesture", 63, 0x3F << 58),
    ],
)
def test_each_field_has_its_own_bits(field, value, bits):
    origin = XZ_MARGIN << 12 | XZ_MARGIN << 24 | 4_096 << 36
    assert packed() == origin
    assert packed(**{field: value}) == origin + bits


def test_the_highest_gesture_does_not_touch_the_sign():
    assert packed(gesture=63) >> 58 == 63
    assert packed(gesture=32) >> 63 == 1


@pytest.mark.parametrize(
    ("y", "shown"), [(-32_768, -4_096), (-4_097, -4_096), (12_287, 12_287), (32_767, 12_287)]
)
def test_heights_that_a_word_cannot_say_are_clamped(y, shown):
    word = np.array([packed(y=y, yaw=3, gesture=5, slot=7)], np.uint64)
    slot, _, _, got, yaw, gesture = unpack_words(word, 0, 0)
    assert [int(v[0]) for v in (slot, got, yaw, gesture)] == [7, shown, 3, 5]


def entries(draw_kind, count):
    width = 2 if draw_kind in (BlockKind.ENTER, BlockKind.SNAPSHOT) else 1
    return st.lists(U64S, min_size=count * width, max_size=count * width)


BLOCKS = st.tuples(
    st.sampled_from(list(BlockKind)),
    st.integers(-128, 127),
    st.integers(-128, 127),
    st.integers(0, 65_535),
    st.integers(0, 5),
).flatmap(lambda b: st.tuples(st.just(b), entries(b[0], b[4])))


@given(st.lists(BLOCKS, max_size=8))
def test_a_body_walks_as_the_blocks_that_it_was_made_of(made):
    body = b"".join(
        np.array([block_header(*head), *words], np.uint64).astype("<u8").tobytes() for head, words in made
    )
    walked = list(blocks(body))
    assert [(b.kind, b.dx, b.dz, b.layer, len(b.entries)) for b in walked] == [head for head, _ in made]
    assert [b.entries.reshape(-1).tolist() for b in walked] == [words for _, words in made]
    shapes = {b.kind: b.entries.ndim for b in walked}
    assert all(ndim == (2 if kind in (2, 4) else 1) for kind, ndim in shapes.items())


def test_an_enter_key_carries_slot_and_avatar_id():
    assert enter_key(4_095, 2**32 - 1) == (1 << 44) - 1
    assert enter_key(5, 6) == 6 << 12 | 5


def test_a_block_may_hold_every_slot_of_a_cell():
    body = np.zeros(1 + 2 * MAX_SLOTS, "<u8")
    body[0] = block_header(BlockKind.SNAPSHOT, 0, 0, 0, MAX_SLOTS)
    (block,) = blocks(body.tobytes())
    assert block.entries.shape == (MAX_SLOTS, 2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\x01", "expected a multiple of 8 bytes, got 1"),
        (bytes(8), "expected a block kind of 1 to 4, got 0"),
        ((5).to_bytes(8, "little"), "expected a block kind of 1 to 4, got 5"),
        ((3 | 1 << 56).to_bytes(8, "little"), "expected bits 56-63 of a header to be zero"),
        ((3 | 1 << 40).to_bytes(8, "little"), "expected 1 words of entries, got 0"),
        ((2 | 1 << 40).to_bytes(16, "little"), "expected 2 words of entries, got 1"),
    ],
)
def test_a_body_against_the_rules_is_refused_and_says_what_was_expected(body, says):
    with pytest.raises(BodyError, match=says):
        list(blocks(body))


@given(st.binary(max_size=400))
def test_random_bytes_raise_only_body_errors(body):
    try:
        walked = list(blocks(body))
    except BodyError:
        return
    assert sum(1 + b.entries.size for b in walked) * 8 == len(body)
