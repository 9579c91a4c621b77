"""Rights in places in a real world over real sockets: doors that are shut, curtains that hide, within a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from databases import postgres_database
from keeping_order import AT_ONCE_S, appoint
from live_server import Live, Player, live_world
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.persistence.store import open_beside
from worldloom.realm.estates import LandRules
from worldloom.realm.rights import NONE, Verb
from worldloom.services import land, rights
from worldloom.services.asking import By, Whom
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import CorrectionReason as Reason
from worldloom_sdk.testing.land import Meadow

pytestmark = pytest.mark.slow

RULES = LandRules(claim="anywhere", price=0)
HOUSE = [(px, pz) for px in (9, 10, 11) for pz in (7, 8, 9)]
"""From (144, 112) m to (192, 160) m. Everybody comes in at (128, 128)."""
INSIDE, OUTSIDE = (146.0, 128.0), (142.0, 128.0)


class House:
    """An estate in a world that is running, and its owner, who stands before it."""

    def __init__(self, live: Live, owner: Player, store: Any) -> None:
        self.live, self.owner, self.store = live, owner, store
        self.by, self.number = By(owner.you, "Olga"), 0

    async def build(self) -> "House":
        claim = land.Claim(self.by, HOUSE, 0, RULES, unix_ms())
        self.number = (await self.store.run(land.claim, claim)).number
        return self

    async def allow(self, whom: Player | None, verbs: Verb, for_ms: int | None = None) -> None:
        to, now = None if whom is None else Whom(account=whom.you), unix_ms()
        until_ms = None if for_ms is None else now + for_ms
        await self.store.run(rights.allow, rights.Allow(self.by, self.number, to, now, verbs, None, until_ms))

    async def exclude(self, whom: Player) -> None:
        command = rights.Exclude(self.by, self.number, Whom(account=whom.you), unix_ms())
        await self.store.run(rights.exclude, command)

    async def shut_to(self, *people: Player, shut: bool = True) -> None:
        """Wait, no longer than a second, until they may not be in it, or may again."""
        shard = self.live.world.shard
        x, z = (int(at * 64) for at in INSIDE)

        def done() -> bool:
            rows = [shard.avatars.row(one.you) for one in people]
            may = [shard.enter.may_enter(shard.avatars, *_one(row, x, z), unix_ms())[0] for row in rows]
            return not any(may) if shut else all(may)

        async with asyncio.timeout(AT_ONCE_S):
            await eventually(done)

    async def step(self, who: Player, x: float, z: float) -> Reason | None:
        """One move; why it was corrected, None if it was not."""
        seq = who.move(x, z)

        def corrected() -> list[int]:
            return [told.reason for told in who.all_of(m.Correction) if told.seq == seq]

        await eventually(lambda: corrected() or self.live.where(who.you) == (x, z))
        return Reason(corrected()[0]) if corrected() else None


def _one(row: int, x: int, z: int) -> Any:
    return np.array([row]), np.array([x]), np.array([z])


@asynccontextmanager
async def house(data: Path, **sections: Any) -> AsyncIterator[House]:
    async with live_world(data, source=Meadow(), **sections) as live:
        yield await House(live, await live.join("Olga", keep=True), live.world.store).build()


async def test_a_place_is_shut_and_opened_within_a_second(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        ben, cy, guest = [await home.live.join(name, keep=bool(name)) for name in ("Ben", "Cy", "")]
        assert [await home.step(who, *INSIDE) for who in (ben, cy, guest)] == [None] * 3
        assert [await home.step(who, *OUTSIDE) for who in (ben, cy, guest)] == [None] * 3
        await home.allow(cy, Verb.ENTER)
        await home.allow(None, NONE)
        await home.shut_to(ben, guest)
        told = [await home.step(who, *INSIDE) for who in (ben, guest, cy, home.owner)]
        assert told == [Reason.PRIVATE, Reason.PRIVATE, None, None]
        await appoint(home.live, ben, "moderator")
        await home.shut_to(ben, shut=False)
        assert await home.step(ben, *INSIDE) is None


async def test_who_is_excluded_inside_walks_out_and_not_deeper(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        ben = await home.live.join("Ben", keep=True)
        assert await home.step(ben, 160, 128) is None
        await home.exclude(ben)
        await home.shut_to(ben)
        assert await home.step(ben, 164, 132) is Reason.PRIVATE
        assert [await home.step(ben, x, 128) for x in (156, 150, 142)] == [None] * 3
        assert await home.step(ben, *INSIDE) is Reason.PRIVATE


async def test_a_right_with_an_end_ends_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        ben = await home.live.join("Ben", keep=True)
        await home.allow(None, Verb.SEE)
        await home.shut_to(ben)
        await home.allow(ben, Verb.ENTER, for_ms=2_500)
        await home.shut_to(ben, shut=False)
        assert await home.step(ben, *INSIDE) is None
        assert await home.step(ben, *OUTSIDE) is None
        await asyncio.sleep(2.5)
        assert await home.step(ben, *INSIDE) is Reason.PRIVATE


async def test_not_a_byte_of_who_is_behind_a_curtain_reaches_who_is_outside(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        live = home.live
        await home.allow(None, Verb.ENTER | Verb.INTERACT)
        private = live.world.shard.enter.private
        x, z = (int(at * 64) for at in INSIDE)
        await eventually(lambda: private(*_one(0, x, z)[1:], unix_ms())[0] == home.number)
        guests = [await live.join() for _ in range(2)]
        for guest in guests:
            assert await home.step(guest, *INSIDE) is None
        outside = await live.join("Ben", keep=True, options={"keeps_bytes": True})
        inside = guests[1]
        await outside.until(lambda: outside.view.complete)
        for n in range(30):
            guests[0].move(147 + n, 128)
            guests[0].send(m.Say(n + 1, m.SayKind.SHOUT, f"secret {n}"))
            await live.ticks(1)
        await inside.until(lambda: (at := inside.sees(guests[0].you)) is not None and at.x == 176)
        await inside.until(lambda: any("secret" in line.text for line in inside.lines))
        await outside.ping()
        # A guest's number has its top bit set: no word of anybody else looks like this.
        sign = (guests[0].you << 4).to_bytes(5, "little")[1:]
        assert len(outside.raw) > 200
        assert sign not in outside.raw
        assert b"secret" not in outside.raw
        assert outside.sees(guests[0].you) is None
        assert (await outside.ask(m.Whisper(900, guests[0].you, "anybody?"))).code == "not_found"
        assert await home.step(guests[0], *OUTSIDE) is None
        await outside.until(lambda: outside.sees(guests[0].you) is not None)
        assert sign in outside.raw
        for player in (*guests, outside):
            await live.agrees(player)


async def test_the_owner_outside_sees_in_and_so_does_staff(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        live = home.live
        mona = await live.join("Mona", keep=True)
        await appoint(live, mona, "moderator")
        guest = await live.join()
        await home.allow(None, Verb.ENTER)
        assert await home.step(guest, *INSIDE) is None
        ben = await live.join("Ben", keep=True)
        for who in (home.owner, mona):
            await who.until(lambda who=who: who.sees(guest.you) is not None)
        await eventually(lambda: ben.sees(guest.you) is None)
        assert ben.view.avatars.keys() >= {home.owner.you, mona.you}


async def test_what_another_process_does_is_in_force_here_within_a_second(tmp_path: Path) -> None:
    with postgres_database() as url:
        async with live_world(tmp_path / "data", source=Meadow(), storage={"url": url}) as live:
            owner = await live.join("Olga", keep=True)
            ben = await live.join("Ben", keep=True)
            beside = open_beside(url)
            try:
                home = await House(live, owner, beside).build()
                await home.allow(None, NONE)
                await home.shut_to(ben)
                assert await home.step(ben, *INSIDE) is Reason.PRIVATE
                command = land.Abandon(home.by, home.number, unix_ms())
                await beside.run(land.abandon, command)
                await home.shut_to(ben, shut=False)
                assert await home.step(ben, *INSIDE) is None
            finally:
                await beside.close()


async def test_a_place_is_shut_before_anybody_can_walk_there_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        ben = await home.live.join("Ben", keep=True)
        token = ben.welcome.token
        assert await home.step(ben, 160, 128) is None
        await home.allow(None, NONE)
        await home.shut_to(ben)
        await ben.leave()
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ben = await live.join(token=token)
        # It is not set down where it was, but outside.
        where = live.where(ben.you)
        assert where is not None
        assert not (144 <= where[0] < 192 and 112 <= where[1] < 160)
