"""Whoever presses keys or puts a thumb down walks, at once here and soon in the world."""

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from browsing import PHONE, tap, until
from live_server import Player, Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from conftest import Visit

RESTS = "app.body.speed === 0"
SPOT = """((them) => {
  const at = app.stage.camera.position.clone().set(them.x, them.y + 1, them.z).project(app.stage.camera);
  return [(at.x + 1) / 2 * innerWidth, (1 - at.y) / 2 * innerHeight];
})(app.people.get(%d))"""
"""Where somebody's middle is on the screen."""


@asynccontextmanager
async def watched(page: "Page", world: Served) -> "AsyncIterator[tuple[Player, int]]":
    """Somebody else who sees the page's body, and that body's avatar id."""
    watcher = await world.join("Watcher")
    avatar = await page.evaluate("app.world.me.id")
    await watcher.until(lambda: watcher.sees(avatar) is not None)
    await page.evaluate("document.getElementById('stage').focus()")
    yield watcher, avatar
    await watcher.leave()


async def hold(page: "Page", key: str, condition: str) -> None:
    """Hold a key until something is true, and let the body come to rest."""
    await page.keyboard.down(key)
    await until(page, condition)
    await page.keyboard.up(key)
    await until(page, RESTS)


async def pose(page: "Page") -> dict[str, Any]:
    return await page.evaluate("({ ...app.body.pose })")


async def test_a_walk_by_keys_ends_where_the_world_has_it(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        start = await pose(page)
        await page.evaluate(
            f"globalThis.way = () => Math.hypot(app.body.pose.x - {start['x']}, app.body.pose.z - {start['z']})"
        )
        await hold(page, "w", "way() > 4")
        here = await pose(page)
        await watcher.until(
            lambda: (
                (at := watcher.sees(avatar)) is not None
                and abs(at.x - here["x"]) < 0.5
                and abs(at.z - here["z"]) < 0.5
            )
        )


async def test_shift_runs_and_others_see_it(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        await page.keyboard.down("Shift")
        await page.keyboard.down("w")
        await watcher.until(lambda: watcher.view.avatars[avatar].gesture == 2)
        await page.keyboard.up("w")
        await page.keyboard.up("Shift")
        await watcher.until(lambda: watcher.view.avatars[avatar].gesture == 0)


async def test_others_see_a_jump_and_its_end(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        await until(page, "app.tiles?.ground(app.body.pose.x, app.body.pose.z) !== undefined")
        ground = watcher.sees(avatar)
        assert ground is not None
        await page.keyboard.press("Space", delay=150)
        await watcher.until(lambda: (at := watcher.sees(avatar)) is not None and at.y > ground.y + 0.4)
        await watcher.until(lambda: (at := watcher.sees(avatar)) is not None and at.y < ground.y + 0.1)


async def test_others_see_who_sits_down_until_it_walks(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        await page.keyboard.press("x")
        await watcher.until(lambda: watcher.view.avatars[avatar].gesture == 5)
        await page.keyboard.down("s")
        await watcher.until(lambda: watcher.view.avatars[avatar].gesture == 1)
        await page.keyboard.up("s")


async def test_digits_are_emotes(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        await page.keyboard.press("1")
        await watcher.until(lambda: watcher.view.avatars[avatar].gesture == 16)


async def test_keys_typed_into_a_field_move_nobody(page: "Page") -> None:
    await page.evaluate(
        "{ const field = document.createElement('input'); field.id = 'typed'; app.ui.append(field); field.focus(); }"
    )
    before = await pose(page)
    await page.keyboard.type("wasd xv ")
    assert await page.evaluate("document.getElementById('typed').value") == "wasd xv "
    await page.keyboard.press("Escape")
    assert await page.evaluate("document.activeElement.id") == "stage"
    after = await pose(page)
    assert (after["x"], after["z"], after["gesture"]) == (before["x"], before["z"], 0)


async def test_the_picture_takes_the_keyboard_and_tells_its_keys(page: "Page") -> None:
    label = await page.evaluate("document.getElementById('stage').getAttribute('aria-label')")
    assert "Space jumps" in label
    assert await page.evaluate("document.getElementById('stage').tabIndex") == 0


async def test_it_walks_by_itself_until_a_key_is_pressed(page: "Page", world: Served) -> None:
    async with watched(page, world):
        x, z = await page.evaluate("[app.body.pose.x + 3, app.body.pose.z - 2]")
        await page.evaluate(f"app.body.walkTo({x}, {z})")
        here = await pose(page)
        assert abs(here["x"] - x) < 0.8
        assert abs(here["z"] - z) < 0.8
        await page.evaluate(f"app.view.yaw = -1; globalThis.walk = app.body.walkTo({x} + 60, {z}); 0")
        await until(page, "app.body.speed > 1")
        # Who walks by itself sees where it goes.
        await until(page, "Math.cos(app.view.yaw - Math.PI / 2) > 0.98")
        await hold(page, "s", "!app.body.walks")
        await page.evaluate("walk")


async def test_who_is_set_down_elsewhere_is_there(page: "Page", world: Served) -> None:
    async with watched(page, world) as (watcher, avatar):
        # A place that no walk leads to at once: the world says no, and the body goes no further than it may.
        await page.evaluate(
            "app.world.emit('corrected', { reason: 7, x: app.body.pose.x + 20, y: 0, z: app.body.pose.z })"
        )
        assert await page.evaluate("app.body.speed") == 0
        assert watcher.sees(avatar) is not None
        assert "private" in await page.evaluate("document.querySelector('.toasts').textContent")


async def test_a_drag_turns_the_view_and_the_wheel_goes_into_the_head(page: "Page") -> None:
    yaw = await page.evaluate("app.view.yaw")
    await page.mouse.move(300, 300)
    await page.mouse.down()
    await page.mouse.move(400, 300, steps=4)
    await page.mouse.up()
    assert abs(await page.evaluate("app.view.yaw") - yaw) > 0.2
    for _ in range(8):
        await page.mouse.wheel(0, -240)
    await until(page, "app.view.mode === 'first'")
    await page.keyboard.press("v")
    assert await page.evaluate("app.view.mode") == "third"


async def test_a_thumb_walks_and_lifted_stands(visit: "Visit", world: Served) -> None:
    async with visit(viewport=PHONE, has_touch=True, is_mobile=True) as page:
        start = await pose(page)
        fingers = await page.context.new_cdp_session(page)

        async def touch(kind: str, *points: tuple[int, int]) -> None:
            await fingers.send(
                "Input.dispatchTouchEvent",
                {"type": kind, "touchPoints": [{"x": x, "y": y, "id": 1} for x, y in points]},
            )

        await touch("touchStart", (100, 600))
        await touch("touchMove", (100, 570))
        await touch("touchMove", (100, 545))
        far = f"Math.hypot(app.body.pose.x - {start['x']}, app.body.pose.z - {start['z']}) > 2"
        await until(page, far)
        assert await page.evaluate("!document.querySelector('.stick').hidden")
        await touch("touchEnd")
        await until(page, RESTS)
        sizes = await page.evaluate(
            "[...document.querySelectorAll('.touch-buttons button')].map((one) => one.getBoundingClientRect().width)"
        )
        assert len(sizes) == 3
        assert min(sizes) >= 44


async def test_a_tap_on_somebody_opens_their_page_and_presses_nothing_there(
    visit: "Visit", world: Served
) -> None:
    lou = await world.join("Lou Tapped")
    async with visit(viewport=PHONE, has_touch=True, is_mobile=True) as page:
        # Where everybody is set down, some stand who have left, for as long as they could come back.
        await page.evaluate(
            "globalThis.there = app.body.pose.x - 15; app.body.walkTo(there, app.body.pose.z)"
        )
        await until(page, f"app.body.pose.x < there + 1 && {RESTS}")
        away = "Math.hypot(app.people.get(%d).x - app.body.pose.x, app.people.get(%d).z - app.body.pose.z)"
        x, z, yaw = await page.evaluate("[app.body.pose.x, app.body.pose.z, app.view.yaw]")
        lou.move(x + 4 * math.sin(yaw), z + 4 * math.cos(yaw))
        await until(page, f"app.people.get({lou.you})?.name && {away % (lou.you, lou.you)} > 3")
        await page.wait_for_timeout(1_000)
        await tap(page, *await page.evaluate(SPOT % lou.you))
        await page.get_by_role("dialog", name="Lou Tapped").wait_for()
        await page.wait_for_timeout(600)
        assert await page.locator("dialog[open]").count() == 0
        await page.get_by_role("button", name="Mute").wait_for()
    await lou.leave()


async def test_the_address_says_where_one_is_and_leads_there(visit: "Visit") -> None:
    async with visit("/@140,120") as page:
        await until(page, "Math.hypot(app.body.pose.x - 140, app.body.pose.z - 120) < 0.4")
        assert (await page.evaluate("app.place.link()")).endswith("/@140,120")
        await page.evaluate("app.body.walkTo(136, 120)")
        await page.wait_for_url("**/@136,120")


async def test_who_clicked_a_panel_open_walks_on_from_the_picture_after_escape(visit: "Visit") -> None:
    async with visit("/") as page:
        await page.locator("[data-panel=map]").click()
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.id") == "stage"


async def test_walking_by_keys_takes_the_ring_off_the_button_that_keys_pressed(visit: "Visit") -> None:
    async with visit("/") as page:
        await page.locator("[data-panel=map]").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.dataset.panel") == "map"
        await page.keyboard.press("w")
        assert await page.evaluate("document.activeElement.id") == "stage"
        # Where the picture is in the order, the bar is still found from it.
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.id") == "stage"
