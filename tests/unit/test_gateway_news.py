"""Region news: who is told of land and edits, by which message, and who keeps up too slowly."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from sim_world import payloads
from worldloom.gateway.news import RegionTeller
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session, SessionState
from worldloom.replication.feed import FORGOTTEN, RegionNews
from worldloom.replication.views import Seat
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.overlay import Patch

PATCH = Patch(5, 6, np.array([[1, -32_768]], np.int16))
WOVEN = RegionNews(0, 0, m.RegionState.WOVEN, "ab" * 32, "noise")


@dataclass(frozen=True)
class Limits:
    commands_per_s: int = 10
    says_per_10s: int = 8
    wrong_commands: int = 10


@dataclass
class Socket:
    """What a session writes to."""

    paused: bool = False
    unsent_bytes: int = 0
    frames: list[bytes] = field(default_factory=list)

    def writer(self, frame: bytes) -> None:
        self.frames.append(frame)


class Town:
    """A roster whose sessions are live, and the teller."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.teller = RegionTeller(self.roster)
        self.sockets: dict[int, Socket] = {}

    def add(self, avatar: int, region: tuple[int, int]) -> Session:
        made = Session(
            avatar, None, f"Nn{avatar}", (), self.roster.new_row(), Seat(avatar, print), Buckets(Limits())
        )
        made.state = SessionState.LIVE
        socket: Any = Socket()
        made.socket = self.sockets[avatar] = socket
        self.roster.add(made)
        self.teller.move(made, region)
        return made

    def edit(self, version: int) -> None:
        self.teller.take(replace(WOVEN, overlay=version, patch=PATCH))

    def heard(self, avatar: int) -> list[Any]:
        """What came since the last time."""
        frames, self.sockets[avatar].frames = self.sockets[avatar].frames, []
        return [decode_server(payload) for frame in frames for payload in payloads(frame)]


@pytest.fixture
def town() -> Town:
    return Town()


def region(version: int) -> m.Region:
    return m.Region(0, 0, m.RegionState.WOVEN, "ab" * 32, "noise", version)


def edited(version: int) -> m.TerrainEdited:
    return m.TerrainEdited(0, 0, version, 5, 6, 2, 1, PATCH.to_bytes())


def test_an_edit_goes_to_all_who_were_told_of_the_region(town: Town) -> None:
    for avatar, home in ((1, (0, 0)), (2, (1, -1)), (3, (2, 0))):
        town.add(avatar, home)
    town.teller.take(WOVEN)
    town.edit(1)
    town.edit(2)
    assert [town.heard(avatar) for avatar in (1, 2, 3)] == [[region(0), edited(1), edited(2)]] * 2 + [[]]


def test_who_comes_later_is_told_the_version_and_then_of_edits(town: Town) -> None:
    town.teller.take(WOVEN)
    town.edit(1)
    ada = town.add(1, (0, 0))
    town.edit(2)
    assert town.heard(1) == [region(1), edited(2)]
    town.teller.tell_all(ada)
    town.teller.take(replace(WOVEN, overlay=2))
    assert town.heard(1) == []


def test_another_version_than_the_next_is_told_as_the_region(town: Town) -> None:
    town.teller.take(WOVEN)
    town.add(1, (0, 0))
    town.teller.take(replace(WOVEN, overlay=7))
    town.edit(8)
    town.edit(10)
    assert town.heard(1) == [region(0), region(7), edited(8), region(10)]


def test_who_went_away_and_came_back_is_told_what_it_missed(town: Town) -> None:
    town.teller.take(WOVEN)
    ada = town.add(1, (0, 0))
    town.teller.move(ada, (5, 5))
    town.edit(1)
    town.teller.move(ada, (1, 1))
    assert town.heard(1) == [region(0), region(1)]


def test_who_does_not_keep_up_reading_gets_no_edits_and_the_version_once_it_does(town: Town) -> None:
    town.teller.take(WOVEN)
    ada = town.add(1, (0, 0))
    town.sockets[1].paused = True
    for version in range(1, 50):
        town.edit(version)
    assert town.heard(1) == [region(0)]
    town.sockets[1].paused = False
    town.teller.tell_all(ada)
    town.edit(50)
    assert town.heard(1) == [region(49), edited(50)]


def test_a_region_that_was_forgotten_is_told_of_anew_only_if_it_is_another(town: Town) -> None:
    town.teller.take(WOVEN)
    town.add(1, (0, 0))
    for version in (0, 3):
        town.teller.take(RegionNews(0, 0, FORGOTTEN))
        town.teller.take(replace(WOVEN, overlay=version))
    assert town.heard(1) == [region(0), region(3)]
    assert len(town.teller) == 1
