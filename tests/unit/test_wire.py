"""Ready-made frames: by hand and by the codec, the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from worldloom.replication.wire import frame_message, message, name_card, people_message, ready
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.messages import Frame, Line, Named, People

TEXT = st.text(max_size=40)
LINES = st.lists(st.builds(Line, st.integers(1, 2**32 - 1), TEXT, st.integers(0, 2), TEXT), max_size=3)
NAMED = st.lists(st.builds(Named, st.integers(1, 2**32 - 1), TEXT, TEXT), max_size=64)


def payload(frame: bytes) -> bytes:
    head = {126: 4, 127: 10}.get(frame[1], 2)
    return frame[head:]


@given(st.integers(0, 2**40), st.binary(max_size=300), LINES)
def test_a_frame_made_by_hand_is_the_one_that_the_codec_makes(tick, body, lines):
    assert decode_server(payload(frame_message(tick, body, lines))) == Frame(tick, body, lines)


@given(NAMED)
def test_people_made_of_cards_are_those_that_the_codec_makes(people):
    assert people_message([name_card(named) for named in people]) == message(People(people))


@given(st.sampled_from((0, 1, 125, 126, 127, 65_535, 65_536, 70_000)))
def test_a_frame_says_its_length_in_the_shortest_form(size):
    frame = ready(bytes(size))
    head = 2 if size < 126 else 4 if size < 65_536 else 10
    assert frame[0] == 0x82
    assert len(frame) == head + size
    assert int.from_bytes(frame[2:head], "big") in {0, size}
