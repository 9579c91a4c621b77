"""Looks and finding people in a real world over real sockets."""

import asyncio
from pathlib import Path

import pytest

from keeping_order import appoint
from live_server import Live, Player, live_world
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.realm.estates import LandRules
from worldloom.realm.rights import Verb
from worldloom.services import land, rights
from worldloom.services.asking import By
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.looks import Look, default_look
from worldloom_sdk.testing.land import Meadow

pytestmark = pytest.mark.slow

LOOK, OTHER = Look(2, 1, 4, 18, 3).to_bytes(), Look(7, 7, 11, 23, 23).to_bytes()
SEEN_WITHIN_S = 2.0
FAR = (5_000 * 64, 5_000 * 64)


async def wears(player: Player, look: bytes, number: int = 1) -> m.Done | m.Refused:
    return await player.ask(m.Account(number, m.AccountAct.LOOK, look=look))


async def look_of(viewer: Player, avatar: int) -> bytes:
    viewer.send(m.Who([avatar]))
    people = (await viewer.next(m.People)).people
    return people[0].look


async def finds(player: Player, part: str, number: int = 50) -> list[str]:
    answer = await player.ask(m.Find(number, part))
    assert isinstance(answer, m.Done), answer
    return [found[1] for found in answer.result]


async def test_a_changed_look_is_seen_by_all_who_have_the_body_in_view_and_by_nobody_else(
    tmp_path: Path,
) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann, bo = await live.join("Ann"), await live.join("Bo")
        far = await live.join("Far", at=[*FAR])
        await bo.until(lambda: bo.sees(ann.you))
        assert ann.welcome.look == await look_of(bo, ann.you) == default_look(ann.you).to_bytes()
        assert await wears(ann, LOOK) == m.Done(1)
        async with asyncio.timeout(SEEN_WITHIN_S):
            told = [await one.next(m.Looks) for one in (bo, ann)]
        assert told == [m.Looks([m.Worn(ann.you, LOOK)])] * 2
        assert await look_of(bo, ann.you) == LOOK
        await far.ping()
        assert far.all_of(m.Looks) == []
        # None of one's own choice again.
        await wears(ann, b"", 2)
        assert (await bo.next(m.Looks)).looks == [m.Worn(ann.you, default_look(ann.you).to_bytes())]


async def test_who_is_hidden_or_blocked_changes_its_look_unseen(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        olga, bo = await live.join("Olga", keep=True), await live.join("Bo")
        await bo.until(lambda: bo.sees(olga.you))
        await bo.ask(m.Block(1, olga.you, True))
        await wears(olga, LOOK)
        await olga.next(m.Looks)
        await bo.ask(m.Block(2, olga.you, False))
        await appoint(live, olga, "moderator")
        await olga.ask(m.Order(2, m.OrderAct.HIDE))
        await bo.until(lambda: bo.sees(olga.you) is None)
        await wears(olga, OTHER, 3)
        await olga.next(m.Looks)
        await bo.ping()
        assert bo.all_of(m.Looks) == []


async def test_an_account_keeps_its_look_and_its_wish_and_a_guest_does_not(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann = await live.join("Ann", keep=True)
        token, number = ann.welcome.token, ann.you
        await wears(ann, LOOK)
        await ann.ask(m.Account(2, m.AccountAct.FINDABLE, on=False))
        await ann.leave()
        again = await live.join(token=token)
        assert (again.you, again.welcome.look, again.welcome.findable) == (number, LOOK, False)
        guest = await live.join("Gus")
        await wears(guest, OTHER)
        await guest.leave()
        gus = await live.join("Gus")
        assert (gus.welcome.look, gus.welcome.findable) == (default_look(gus.you).to_bytes(), True)


async def test_looks_that_are_none_or_too_many_are_refused(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann = await live.join("Ann")
        bad = await wears(ann, bytes((8, 0, 0, 0, 0)))
        assert (bad.code, bad.text) == ("invalid", "expected a body from 0 to 7, got 8")
        answers = [await wears(ann, (LOOK, OTHER)[n % 2], 2 + n) for n in range(4)]
        assert [getattr(answer, "code", "") for answer in answers] == ["", "", "", "rate"]


async def test_people_are_found_by_a_part_of_their_names_with_their_cell(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann = await live.join("Ann")
        hilda = await live.join("Hilda", bot=True, at=[*FAR])
        await live.join("Old Hildebrand")
        answer = await ann.ask(m.Find(1, "HIL"))
        assert answer.result[0] == [hilda.you, "Hilda", "bot", 5_008, 5_008]
        assert await finds(ann, "hild") == ["Hilda", "Old Hildebrand"]
        assert await finds(ann, "ann") == [], "nobody finds oneself"
        assert (await ann.ask(m.Find(9, " \u200b "))).code == "invalid"


async def test_who_does_not_want_to_be_found_is_hidden_or_blocked_is_not_found(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow(), limits={"commands_per_s": 100}) as live:
        names = ["Hans One", "Hans Two", "Hans Three", "Hans Four"]
        one, two, three, _ = [await live.join(name, keep=True) for name in names]
        ann = await live.join("Ann")
        assert await finds(ann, "hans") == ["Hans One", "Hans Two", "Hans Four", "Hans Three"]
        await one.ask(m.Account(1, m.AccountAct.FINDABLE, on=False))
        await two.ask(m.Block(1, ann.you, True, m.BlockReach.SPEECH))
        await appoint(live, three, "moderator")
        await three.ask(m.Order(1, m.OrderAct.HIDE))
        await ann.until(lambda: ann.sees(three.you) is None)
        assert await finds(ann, "hans") == ["Hans Four"]
        assert await finds(two, "ann") == []
        assert await finds(three, "hans") == ["Hans Two", "Hans Four"]


async def behind_a_curtain(live: Live, owner: Player) -> None:
    """An estate of the owner about (146, 128) m into which nobody sees."""
    by, house = By(owner.you, "Olga"), [(px, pz) for px in (9, 10, 11) for pz in (7, 8, 9)]
    rules = LandRules(claim="anywhere", price=0)
    number = (await live.world.store.run(land.claim, land.Claim(by, house, 0, rules, unix_ms()))).number
    allow = rights.Allow(by, number, None, unix_ms(), Verb.ENTER, None, None)
    await live.world.store.run(rights.allow, allow)


async def test_who_is_behind_a_curtain_is_not_found_by_anybody(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        olga, ann, ben = [await live.join(name, keep=True) for name in ("Olga", "Ann", "Ben")]
        await behind_a_curtain(live, olga)
        assert await finds(ann, "ben") == ["Ben"]
        ben.move(146, 128)
        await eventually(lambda: not live.world.fanout.mirror.visible([ben.you], (0,)))
        assert await finds(ann, "ben") == []
        assert await finds(olga, "ben") == []


async def test_finding_has_a_rate(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann = await live.join("Ann")
        answers = [await ann.ask(m.Find(n, "bo")) for n in range(1, 8)]
        assert [getattr(answer, "code", "") for answer in answers].count("rate") in (1, 2)


async def test_whom_one_blocks_is_told_with_names(tmp_path: Path) -> None:
    async with live_world(tmp_path / "data", source=Meadow()) as live:
        ann, ben = await live.join("Ann", keep=True), await live.join("Ben", keep=True)
        gus, gil = await live.join("Gus"), await live.join("Gil")
        for number, (who, reach) in enumerate([(ben, m.BlockReach.ALL), (gus, m.BlockReach.SPEECH)], 1):
            await ann.ask(m.Block(number, who.you, True, reach))
        await gil.ask(m.Block(1, ann.you, True, m.BlockReach.ALL))
        told = (await ann.ask(m.Account(3, m.AccountAct.BLOCKED))).result
        assert told == [[ben.you, "Ben", 0], [gus.you, "Gus", 1]]
        assert (await gil.ask(m.Account(2, m.AccountAct.BLOCKED))).result == [[ann.you, "Ann", 0]]
        assert (await ben.ask(m.Account(1, m.AccountAct.BLOCKED))).result == [], "not told who blocks one"
        await ann.ask(m.Block(4, ben.you, False))
        await gus.leave()
        await ann.until(lambda: ann.sees(gus.you) is None)
        assert (await ann.ask(m.Account(5, m.AccountAct.BLOCKED))).result == []
