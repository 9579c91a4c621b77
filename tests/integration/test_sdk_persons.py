"""Looks, finding people and links by the SDK, time in hand."""

import pytest

from worldloom_sdk import Bot, Look, LookChanged, Refused
from worldloom_sdk.protocol.looks import default_look
from worldloom_sdk.testing import World

pytestmark = pytest.mark.slow

LOOK = Look(2, 1, 4, 18, 3)


async def test_a_look_is_asked_for_told_when_it_changes_and_kept() -> None:
    async with World() as world:
        ann, ben = await world.bot("Ann", at=(0, 0)), await world.bot("Ben", at=(2, 0))
        heard: list[LookChanged] = []
        ben.on(LookChanged)(heard.append)
        assert await world.drive(ben.look_of(ann.me.id)) == default_look(ann.me.id) == ann.me.look
        await world.drive(ann.look(LOOK))
        await world.until(lambda: bool(heard))
        assert heard == [LookChanged(ann.me.id, LOOK)]
        assert (ben.find(ann.me.id).look, ann.me.look) == (LOOK, LOOK)
        await world.drive(ann.stop())
        again = await world.bot("Ann")
        assert again.me.look == LOOK


async def test_who_changed_out_of_view_is_asked_about_again() -> None:
    async with World() as world:
        ann, ben = await world.bot("Ann", at=(0, 0)), await world.bot("Ben", at=(60, 0))
        await world.drive(ben.look_of(ann.me.id))
        await world.drive(ann.walk_to(-60, 0, speed=12.0), 30)
        await world.until(lambda: ben.find(ann.me.id) is None)
        await world.drive(ann.look(LOOK))
        await world.run(2)
        await world.drive(ann.walk_to(0, 0, speed=12.0), 30)
        await world.until(lambda: ben.find(ann.me.id) is not None)
        assert ben.find(ann.me.id).look is None
        assert await world.drive(ben.look_of(ann.me.id)) == LOOK


async def test_a_look_that_there_is_not_is_told_before_it_is_sent() -> None:
    async with World() as world:
        ann = await world.bot("Ann")
        with pytest.raises(ValueError, match="expected a body from 0 to 7, got 8"):
            await ann.look(LOOK._replace(body=8))
        for look in (LOOK, None, LOOK):
            await world.drive(ann.look(look))
        with pytest.raises(Refused, match="too many looks"):
            await world.drive(ann.look(None))


async def test_people_are_found_wherever_they_are_if_they_want_to_be() -> None:
    async with World() as world:
        ann, hilda = await world.bot("Ann", at=(0, 0)), await world.bot("Hilda", at=(900, -900))
        (found,) = await world.drive(ann.find_people("hil"))
        assert (found.avatar, found.name, found.x, found.z) == (hilda.me.id, "Hilda", 912, -912)
        await world.drive(hilda.client.persons.findable(False))
        assert await world.drive(ann.find_people("hil")) == []


async def test_a_guest_begins_where_it_asked_to() -> None:
    async with World() as world:
        guest = await world.join("Gus", make=Bot, at=(700, 300))
        assert (guest.position.x, guest.position.z) == (700, 300)
        world.hang_up(guest)
        await world.until(lambda: guest.client.in_world)
        assert (guest.position.x, guest.position.z) == (700, 300)
