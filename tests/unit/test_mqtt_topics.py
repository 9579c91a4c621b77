"""Topics and payloads of public events, and the outbox that keeps them."""

import json
import logging

import pytest

from worldloom.bus.mqtt import MqttPublisher, MqttStats
from worldloom.bus.topics import MAX_PAYLOAD_BYTES, WorldTopics
from worldloom.config import MqttConfig
from worldloom.ports import PublicEvent

CAME = PublicEvent("came", -1, 2, at_ms=5, avatar=7, name="Ädä", how="joined")
WOVEN = PublicEvent("woven", 3, 4, at_ms=6, source="noise", sha256="ab" * 32)
LONGEST_NAME = "\u0001" * 32
"""Worse than any name that is let in: each sign takes six bytes of JSON."""


@pytest.fixture
def topics():
    return WorldTopics("home/worlds", "ab12", "Hills", 99)


def publisher(**fields):
    return MqttPublisher(MqttConfig(**fields), "secret", "ab12", "Hills", 99)


def test_a_world_has_a_status_and_each_region_a_topic(topics):
    assert topics.status == "home/worlds/ab12/status"
    assert topics.events(-1, 2) == "home/worlds/ab12/r/-1/2/events"


def test_somebody_who_came_is_told_of_with_name_and_how(topics):
    assert json.loads(topics.payload(CAME, 41)) == {
        "v": 1,
        "epoch": 99,
        "seq": 41,
        "at_ms": 5,
        "kind": "came",
        "rx": -1,
        "rz": 2,
        "how": "joined",
        "avatar": 7,
        "name": "Ädä",
    }


def test_a_region_is_told_of_with_its_maker_and_its_tile(topics):
    told = json.loads(topics.payload(WOVEN, 1))
    assert set(told) == {"v", "epoch", "seq", "at_ms", "kind", "rx", "rz", "source", "sha256"}
    assert (told["source"], told["sha256"]) == ("noise", "ab" * 32)


def test_the_status_names_the_world(topics):
    assert json.loads(topics.state(online=False)) == {
        "v": 1,
        "epoch": 99,
        "state": "offline",
        "world": "Hills",
        "world_id": "ab12",
    }


def test_the_longest_event_is_within_the_bound(topics):
    far = 2**31
    longest = PublicEvent("came", -far, -far, 2**53, 2**31, LONGEST_NAME, "joined", "x" * 64, "f" * 64)
    assert len(topics.payload(longest, 2**53)) <= MAX_PAYLOAD_BYTES


async def test_a_full_outbox_drops_the_oldest_and_says_so_once(caplog):
    out = publisher(outbox_limit=3)
    for _ in range(5):
        out.offer(CAME)
    assert out.stats() == MqttStats(connected=False, queued=3, dropped=2, published=0, last_error="")
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


async def test_an_event_that_is_too_long_is_dropped_and_leaves_a_gap_in_the_numbers():
    out = publisher()
    out.offer(PublicEvent("came", 0, 0, avatar=1, name="x" * 2_000))
    out.offer(CAME)
    assert (out.stats().queued, out.stats().dropped) == (1, 1)


async def test_two_publishers_of_one_world_have_ids_of_their_own_and_show_no_password():
    one, other = publisher()._address, publisher()._address
    assert one.client_id != other.client_id
    assert "secret" not in repr(one)
