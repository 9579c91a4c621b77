"""Links to a place in a real world: who comes by one is set down there, if it may be there."""

from pathlib import Path
from typing import Any

import pytest

from live_server import Live, Player, live_world
from worldloom.app.clock import unix_ms
from worldloom.gateway.links import UNWOVEN_A_MINUTE
from worldloom.realm.estates import LandRules
from worldloom.realm.rights import NONE, Verb
from worldloom.services import land, rights
from worldloom.services.asking import By
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.testing.land import Meadow

pytestmark = pytest.mark.slow

SPAWN_M = 128
NEAR_SPAWN_M = 20


def units(x: float, z: float) -> list[int]:
    return [round(x * XZ_PER_M), round(z * XZ_PER_M)]


def place(player: Player) -> tuple[float, float]:
    return player.welcome.x / XZ_PER_M, player.welcome.z / XZ_PER_M


def is_at_the_spawn(player: Player) -> bool:
    return all(abs(at - SPAWN_M) < NEAR_SPAWN_M for at in place(player))


async def house(live: Live, owner: Player, verbs: Verb) -> None:
    """An estate from (1024, 1024) m to (1072, 1072) m, in which everyone has these rights."""
    by, parcels = By(owner.you, "Olga"), [(px, pz) for px in (64, 65, 66) for pz in (64, 65, 66)]
    claim = land.Claim(by, parcels, 0, LandRules(claim="anywhere", price=0), unix_ms())
    number = (await live.world.store.run(land.claim, claim)).number
    allow = rights.Allow(by, number, None, unix_ms(), verbs, None, None)
    await live.world.store.run(rights.allow, allow)


def world(tmp_path: Path, **sections: Any) -> Any:
    return live_world(tmp_path / "data", source=Meadow(), **sections)


async def test_guests_and_accounts_come_to_the_place_and_accounts_go_on_from_there(tmp_path: Path) -> None:
    async with world(tmp_path) as live:
        guest = await live.join(at=units(3_000.5, -2_000))
        ann = await live.join("Ann", keep=True, at=units(-700, 4_000))
        assert (place(guest), place(ann)) == ((3_000.5, -2_000), (-700, 4_000))
        token = ann.welcome.token
        await ann.leave()
        again = await live.join(token=token)
        assert place(again) == (-700, 4_000)
        await again.leave()
        assert place(await live.join(token=token, at=units(10, 20))) == (10, 20)


async def test_outside_of_the_world_and_with_links_off_it_is_the_spawn(tmp_path: Path) -> None:
    async with world(tmp_path) as live:
        assert is_at_the_spawn(await live.join(at=[2**31 - 1, -(2**31)]))
    async with world(tmp_path, access={"links": False}) as live:
        assert is_at_the_spawn(await live.join(at=units(3_000, 3_000)))


async def test_a_shut_house_is_not_entered_by_a_link_but_by_its_owner(tmp_path: Path) -> None:
    async with world(tmp_path) as live:
        olga = await live.join("Olga", keep=True)
        token = olga.welcome.token
        await house(live, olga, NONE)
        stranger = await live.join(at=units(1_040, 1_050))
        x, z = place(stranger)
        assert not (1_024 <= x < 1_072 and 1_024 <= z < 1_072)
        assert abs(x - 1_040) < 64
        assert abs(z - 1_050) < 64
        await olga.leave()
        assert place(await live.join(token=token, at=units(1_040, 1_050))) == (1_040, 1_050)


async def test_an_address_comes_to_few_new_places_a_minute_and_to_known_ones_at_will(tmp_path: Path) -> None:
    async with world(tmp_path) as live:
        places = [units(10_000 + 3_000 * n, 0) for n in range(UNWOVEN_A_MINUTE + 1)]
        came = [await live.join(at=at) for at in places]
        assert [is_at_the_spawn(one) for one in came] == [False] * UNWOVEN_A_MINUTE + [True]
        assert place(await live.join(at=places[0])) == (10_000, 0)


async def test_who_comes_back_stays_where_it_was(tmp_path: Path) -> None:
    async with world(tmp_path) as live:
        ann = await live.join("Ann", at=units(500, 500))
        resume = ann.welcome.resume
        await ann.drop()
        again = await live.dial()
        await again.hello("Ann", resume=resume, at=units(900, 900))
        assert again.welcome.resumed
        assert place(again) == (500, 500)
        # A token that is not good any more is no way to the place either.
        assert is_at_the_spawn(await live.join(resume="0123456789abcdef", at=units(900, 900)))
