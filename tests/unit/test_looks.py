"""Looks: numbers, bounds, and the one that follows from an avatar id."""

import pytest

from worldloom.errors import Refusal
from worldloom.services.looks import check_look
from worldloom_sdk.plain import worn
from worldloom_sdk.protocol.codec import ProtocolError
from worldloom_sdk.protocol.looks import LOOK_SIZES, Look, default_look

GOOD = Look(2, 1, 4, 18, 3)


def test_who_never_chose_one_has_the_look_that_all_clients_reckon():
    assert [tuple(default_look(avatar)) for avatar in (1, 70_000, 0xFFFF_FFFF)] == [
        (7, 4, 10, 19, 20),
        (0, 2, 10, 18, 17),
        (7, 1, 5, 5, 15),
    ]
    assert len({default_look(avatar) for avatar in range(1, 1_001)}) > 990


def test_a_look_is_read_as_it_was_written_and_more_bytes_are_passed_over():
    assert Look.of_bytes(GOOD.to_bytes() + b"new") == GOOD
    assert worn(GOOD.to_bytes()) == GOOD
    assert worn(b"") is None
    with pytest.raises(ProtocolError, match="expected a look of 5 bytes, got 4"):
        worn(bytes(4))


@pytest.mark.parametrize("part", range(5))
def test_a_body_or_colour_that_there_is_not_is_refused(part: int):
    numbers = [0] * 5
    numbers[part] = LOOK_SIZES[part]
    with pytest.raises(Refusal, match=f"expected a {Look._fields[part]} from 0 to {LOOK_SIZES[part] - 1}"):
        check_look(bytes(numbers))
    numbers[part] -= 1
    check_look(bytes(numbers))


def test_a_look_of_another_length_is_refused_and_none_is_none():
    check_look(b"")
    for size in (1, 4, 6):
        with pytest.raises(Refusal, match="5 bytes or none"):
            check_look(bytes(size))
