"""Golden bytes: what every message looks like on the wire, for ever."""

import json

import pytest

from golden.make_messages import GOLDEN, examples, fields_of, make
from worldloom_sdk.protocol.codec import decode_client, decode_server, encode
from worldloom_sdk.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES

ENTRIES = json.loads(GOLDEN.read_text(encoding="utf-8"))
DECODERS = dict.fromkeys(CLIENT_MESSAGES, decode_client) | dict.fromkeys(SERVER_MESSAGES, decode_server)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["name"] for entry in ENTRIES])
def test_golden_bytes_decode_to_the_fields_beside_them_and_encode_back(entry):
    data = bytes.fromhex(entry["hex"])
    message = DECODERS[entry["tag"]](data)
    assert type(message).__name__ == entry["message"]
    assert fields_of(message) == entry["fields"]
    assert message == examples()[entry["name"]]
    assert encode(message) == data


def test_every_message_has_golden_bytes():
    assert {entry["tag"] for entry in ENTRIES} == set(CLIENT_MESSAGES) | set(SERVER_MESSAGES)


def test_the_golden_file_is_what_its_script_makes():
    assert GOLDEN.read_text(encoding="utf-8") == make()
