"""Styling: how styles travel to another process."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from child_sources import Faulty
from worldloom.worldgen.styling import MAX_STYLES_BYTES, pack_styles, unpack_styles, woven

offsets = st.tuples(st.integers(-1, 1), st.integers(-1, 1))
styled = st.dictionaries(offsets, st.binary(max_size=1_024), max_size=9)


@given(styles=styled)
def test_styles_are_unpacked_as_they_were_packed(styles: dict[tuple[int, int], bytes]) -> None:
    data = pack_styles(styles)
    assert len(data) <= MAX_STYLES_BYTES
    assert unpack_styles(data) == styles


@given(styles=styled.filter(len), cut=st.integers(1, 2_000))
def test_styles_that_were_cut_off_are_refused_or_fewer(
    styles: dict[tuple[int, int], bytes], cut: int
) -> None:
    data = pack_styles(styles)
    with contextlib.suppress(ValueError):
        found = unpack_styles(data[:-cut])
        assert len(found) < len(styles)
        assert found.items() <= styles.items()


@given(data=st.binary(max_size=200))
def test_any_bytes_are_styles_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        found = unpack_styles(data)
        assert sum(4 + len(style) for style in found.values()) <= len(data)


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (1, "expected a style of 3 bytes, got 2"),
        (3, "expected a style of 3 bytes, got 0"),
        (4, "expected a style at byte 7 of 10, got its beginning alone"),
    ],
)
def test_what_is_missing_is_told(cut: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unpack_styles(pack_styles({(0, 0): b"one", (1, 0): b"two"})[:-cut])


@pytest.mark.parametrize(
    "styles", [{(0, 0): bytes(1_025)}, {(k, 0): b"" for k in range(10)}], ids=["too long", "too many"]
)
def test_too_much_is_refused(styles: dict[tuple[int, int], bytes]) -> None:
    with pytest.raises(ValueError, match="expected at most 9 styles of 1024 bytes, got"):
        pack_styles(styles)


def test_the_longest_styles_are_just_what_is_allowed() -> None:
    longest = {(dx, dz): bytes(1_024) for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    assert len(pack_styles(longest)) == MAX_STYLES_BYTES


def test_a_source_that_follows_no_styles_is_asked_as_ever() -> None:
    assert woven(Faulty("nothing"), 2, 3, {}).rz == 3
