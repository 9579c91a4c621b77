"""What the world's doings become as public events, and how a publisher is opened."""

from dataclasses import dataclass

import pytest

from worldloom.app.announce import Announcer, open_publisher
from worldloom.config import MqttConfig
from worldloom.errors import ConfigError
from worldloom.ports import PublicEvent, WorldRow
from worldloom.worldgen.outcome import Emerged, EmergeOutcome

ROW = WorldRow("ab" * 16, "Hills", 7, 0)


@dataclass
class Body:
    """Somebody, as far as it concerns the public."""

    region: tuple[int, int] | None = (0, 0)
    avatar: int = 7
    name: str = "Ada"


class Town:
    """An announcer with layers in hand."""

    def __init__(self):
        self.layers = {7: 0}
        self.events = []
        self.announcer = Announcer(self.events.append, self.layers.get, lambda: 1234)

    def tell(self, kind, body):
        """What became known of it: kind, how, region."""
        before = len(self.events)
        self.announcer.session(kind, body)
        return [(e.kind, e.how, e.rx, e.rz) for e in self.events[before:]]


@pytest.fixture
def town():
    return Town()


def test_somebody_joins_and_parts(town):
    body = Body((2, -3))
    assert town.tell("came", body) == [("came", "joined", 2, -3)]
    assert town.tell("left", body) == [("left", "parted", 2, -3)]
    assert town.events[0] == PublicEvent("came", 2, -3, 1234, 7, "Ada", "joined")


def test_walking_over_leaves_one_region_and_comes_into_the_next(town):
    body = Body((0, 0))
    town.tell("came", body)
    body.region = (1, 0)
    assert town.tell("moved", body) == [("left", "walked", 0, 0), ("came", "walked", 1, 0)]


def test_a_step_within_a_region_is_nobodys_business(town):
    body = Body()
    town.tell("came", body)
    assert town.tell("moved", body) == []


def test_hiding_looks_like_leaving_and_showing_up_like_joining(town):
    body = Body()
    town.tell("came", body)
    town.layers[7] = 1
    assert town.tell("moved", body) == [("left", "parted", 0, 0)]
    body.region = (5, 5)
    assert town.tell("moved", body) == []
    town.layers[7] = 0
    assert town.tell("moved", body) == [("came", "joined", 5, 5)]


def test_who_is_hidden_comes_and_leaves_unnoticed(town):
    town.layers[7] = 1
    assert town.tell("came", Body()) == []
    assert town.tell("left", Body()) == []


def test_who_leaves_is_told_of_where_last_seen_though_the_body_is_gone(town):
    town.tell("came", Body((4, 4)))
    town.layers.clear()
    assert town.tell("left", Body(None)) == [("left", "parted", 4, 4)]


@pytest.mark.parametrize("outcome", list(EmergeOutcome))
def test_only_land_that_was_made_just_now_is_news(town, outcome):
    town.announcer.emerged(Emerged(1, 2, None, "ff", "noise", outcome))
    new = {EmergeOutcome.GENERATED, EmergeOutcome.FALLBACK}
    assert town.events == [PublicEvent("woven", 1, 2, 1234, source="noise", sha256="ff")] * (outcome in new)


def test_a_publisher_is_opened_only_when_asked_for():
    assert open_publisher(MqttConfig(), ROW, 1) is None


async def test_the_password_is_the_first_line_of_its_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("tea time\nnot this\n")
    file.chmod(0o600)
    publisher = open_publisher(MqttConfig(enabled=True, password_file=str(file)), ROW, 1)
    assert publisher._address.password == "tea time"
    assert publisher.topics.base == f"worldloom/{ROW.world_id}"


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [("open", 0o644, "chmod 600"), ("", 0o600, "expected a password"), ("\nx", 0o600, "expected a password")],
)
def test_a_password_file_that_is_open_to_others_or_empty_is_refused(tmp_path, text, mode, expected):
    file = tmp_path / "password"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=expected):
        open_publisher(MqttConfig(enabled=True, password_file=str(file)), ROW, 1)


def test_a_password_file_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        open_publisher(MqttConfig(enabled=True, password_file=str(tmp_path / "nowhere")), ROW, 1)
