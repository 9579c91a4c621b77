"""The enforcer: nobody slips through between two looks at the audit log, and nothing is forgotten that failed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from worldloom.errors import StoreUnavailable
from worldloom.gateway.enforcer import TOGETHER, Enforcer
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.ports import AuditRow
from worldloom.realm.order import AuditAct
from worldloom.replication.views import Seat
from worldloom.services import people
from worldloom.services.standing import Ask, Standing


class _Limits:
    commands_per_s = says_per_10s = wrong_commands = 10


class Log:
    """A store with an audit log, which answers for standings when it is let."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.asks: list[Sequence[Ask]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = asyncio.Event()
        self.broken = False

    def write(self, act: AuditAct, account: int | None, about: str = "", detail: str = "") -> None:
        number = len(self.rows) + 1
        self.rows.append(AuditRow(0, None, "operator", act, account, about, None, detail, None, number))

    async def read(self, query: Any, command: Any) -> Any:
        if query is people.audit_after:
            return [row for row in self.rows if row.number > command.number]
        self.asks.append(command)
        self.asked.set()
        await self.answers.wait()
        if self.broken:
            raise StoreUnavailable("for the test")
        return [Standing(None, token_good=False) for _ in command]


class Bouncer:
    """Remembers what it was told to do."""

    def __init__(self) -> None:
        self.removed: list[tuple[str, str, str]] = []
        self.muted: list[tuple[str, int | None]] = []
        self.regarded: list[str] = []

    def remove(self, session: Session, code: str, text: str) -> None:
        self.removed.append((session.name, code, text))

    def mute(self, session: Session, until_ms: int | None, reason: str) -> None:
        self.muted.append((session.name, until_ms))

    def regard(self, session: Session, found: Standing) -> None:
        self.regarded.append(session.name)


class Hall:
    """An enforcer, and who is here."""

    def __init__(self) -> None:
        self.log, self.roster, self.bouncer = Log(), Roster(), Bouncer()
        self.enforcer = Enforcer(self.log, self.roster, self.bouncer, lambda: 0)

    def come(self, avatar: int, name: str, account: int | None = None) -> Session:
        seat = Seat(avatar, lambda data: None)
        session = Session(avatar, account, name, (), self.roster.new_row(), seat, Buckets(_Limits()))
        self.roster.add(session)
        return session


@pytest.fixture
async def hall() -> Hall:
    return Hall()


async def test_who_comes_while_the_store_is_asked_about_others_finds_the_number_changed(hall: Hall) -> None:
    hall.come(1, "Rosa", account=1)
    hall.log.write(AuditAct.BAN, 1)
    hall.log.answers.clear()
    looking = asyncio.create_task(hall.enforcer.look())
    await hall.log.asked.wait()
    # By this the gateway knows that whoever it has asked about before is to be doubted.
    assert hall.enforcer.number == 1
    hall.enforcer.doubt(hall.come(2, "Robot", account=2))
    hall.log.answers.set()
    await looking
    assert hall.bouncer.regarded == ["Rosa", "Robot"]


async def test_what_could_not_be_asked_is_asked_again(hall: Hall) -> None:
    hall.come(1, "Rosa", account=1)
    hall.log.write(AuditAct.MUTE, 1)
    hall.log.broken = True
    await hall.enforcer.look()
    assert (hall.enforcer.number, hall.bouncer.regarded) == (1, [])
    hall.log.broken = False
    await hall.enforcer.look()
    assert hall.bouncer.regarded == ["Rosa"]


async def test_who_comes_by_another_key_meanwhile_is_asked_about_anew(hall: Hall) -> None:
    robot = hall.come(1, "Robot", account=1)
    hall.log.answers.clear()
    hall.enforcer.doubt(robot)
    looking = asyncio.create_task(hall.enforcer.look())
    await hall.log.asked.wait()
    robot.stand(type(robot.standing)(token_sha256=b"another"))
    hall.log.answers.set()
    await looking
    assert [ask.token_sha256 for asks in hall.log.asks for ask in asks] == [None, b"another"]
    assert hall.bouncer.regarded == ["Robot"]


async def test_many_are_asked_about_together_and_each_once(hall: Hall) -> None:
    for number in range(1, 2 * TOGETHER + 2):
        session = hall.come(number, f"Number {number}", account=number)
        hall.enforcer.doubt(session)
        hall.enforcer.doubt(session)
    await hall.enforcer.look()
    assert list(map(len, hall.log.asks)) == [TOGETHER, TOGETHER, 1]
    assert len(set(hall.bouncer.regarded)) == len(hall.bouncer.regarded) == 2 * TOGETHER + 1


async def test_acts_about_guests_do_to_them_what_they_say_and_no_more(hall: Hall) -> None:
    hall.come(1 << 31, "Gus")
    hall.come(1 << 31 | 1, "Gil")
    for act in AuditAct:
        hall.log.write(act, None, "Gus", "why")
    await hall.enforcer.look()
    assert hall.bouncer.removed == [("Gus", "kicked", "why")]
    assert [name for name, _ in hall.bouncer.muted] == ["Gus", "Gus"]
    assert hall.bouncer.muted[1] == ("Gus", None)
