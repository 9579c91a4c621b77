"""Edits of terrain by the SDK, time in hand: lost connections, land that is made later, who is near and who is far."""

import asyncio

import numpy as np
import pytest

from worldloom_sdk import Bot, TerrainEdited
from worldloom_sdk.protocol.tiles import SAMPLES
from worldloom_sdk.testing import World

pytestmark = pytest.mark.slow


async def owner(world: World, x: float, z: float) -> Bot:
    olga = await world.bot("Olga", at=(x, z))
    await world.give_role("Olga", "owner")
    return olga


async def test_a_border_that_was_edited_is_whole_when_the_land_beside_it_is_made() -> None:
    async with World(land="noise") as world:
        olga = await owner(world, 10, 10)
        await world.drive(olga.terrain.wait(500, 10))
        assert (2, 0) not in world.node.land
        await world.drive(olga.edit_terrain(500, 20, [[float(9 + n) for n in range(7)]]))
        ben = await world.bot("Ben", at=(530, 22))
        for rx in (1, 2):
            await world.drive(ben.terrain.wait(256.0 * rx + 1, 10))
        west, east = (ben.terrain.heights(rx, 0) for rx in (1, 2))
        assert west is not None
        assert east is not None
        assert east[10, 0] == west[10, SAMPLES - 1] == 15 * 32
        assert np.array_equal(east[:, 0], west[:, -1])
        assert (await world.drive(ben.terrain.wait(512, 20)), ben.terrain.peek(511.999, 20)) == (
            15.0, pytest.approx(15.0, abs=0.01),
        )  # fmt: skip


async def test_what_was_edited_while_one_was_away_is_known_after_coming_back() -> None:
    async with World(land="flat") as world:
        olga, ben = await owner(world, 0, 0), await world.bot("Ben", at=(2, 0))
        assert await world.drive(ben.terrain.wait(40, 40)) == 5.0
        await world.drive(olga.edit_terrain(40, 40, [[7.0]]))
        world.hang_up(ben)
        await world.drive(olga.edit_terrain(42, 40, [[8.0]]))
        await world.until(lambda: ben.client.in_world)
        await world.run(1)
        assert [await world.drive(ben.terrain.wait(x, 40)) for x in (40, 42)] == [7.0, 8.0]


async def test_a_session_that_is_new_asks_for_everything_anew() -> None:
    async with World(land="flat", config={"session.resume_s": 1}) as world:
        olga, ben = await owner(world, 0, 0), await world.bot("Ben", at=(2, 0))
        assert await world.drive(ben.terrain.wait(40, 40)) == 5.0
        ben.client._link._resume = None
        world.hang_up(ben)
        await world.drive(olga.edit_terrain(40, 40, [[7.0]]))
        await world.until(lambda: ben.client.in_world)
        await world.run(1)
        assert await world.drive(ben.terrain.wait(40, 40)) == 7.0


async def test_edits_are_heard_of_by_who_is_near_and_not_by_who_is_far() -> None:
    async with World(land="flat") as world:
        olga, ben = await owner(world, 0, 0), await world.bot("Ben", at=(250, 0))
        far = await world.bot("Far", at=(2_000, 0))
        heard = []
        for bot in (ben, far):
            bot.on(TerrainEdited)(
                lambda event, bot=bot: heard.append((bot.name, event.patch.heights.tolist()))
            )
        await world.drive(olga.edit_terrain(10, 10, [[6.0, None]]))
        await world.run(1)
        assert heard == [("Ben", [[192, -32_768]])]
        # Where it comes later it learns of it by the region.
        again = await world.bot("Far 2", at=(60, 0))
        assert await world.drive(again.terrain.wait(10, 10)) == 6.0


async def test_edits_of_several_at_once_all_show_everywhere() -> None:
    async with World(land="flat", config={"limits.commands_per_s": 1_000}) as world:
        olga, ben = await owner(world, 0, 0), await world.bot("Ben", at=(2, 0))
        other = await world.bot("Otto", at=(4, 0))
        await world.give_role("Otto", "owner")
        await world.drive(ben.terrain.wait(1, 1))

        async def edit(bot: Bot, first: int) -> None:
            for n in range(20):
                await bot.edit_terrain(2.0 * (first + n) - 40, 0, [[float(first + n)]])

        await world.drive(asyncio.gather(edit(olga, 0), edit(other, 10)))
        await world.run(1)
        for bot in (olga, ben, other):
            found = [await world.drive(bot.terrain.wait(2.0 * n - 40, 0)) for n in range(30)]
            assert found == [float(n) for n in range(30)]
