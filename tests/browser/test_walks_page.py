"""Whoever is led somewhere by the page is told where to, how far it is, how to stop, and how it ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from browsing import until
from live_server import SPAWN_M, Served

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]

PILL = ".toast.stays"
TOAST = ".toast:not(.stays)"
LEFT = f"Number(document.querySelector('{PILL} small')?.textContent.match(/^(\\d+) m left$/)?.[1])"
LED = """(goal) => import(`/web/${document.documentElement.dataset.version}/ui/walk.js`)
  .then(({ lead }) => void lead(app, goal))"""


async def led(page: "Page", to: str, dx: float, dz: float) -> None:
    """Have the page lead somebody so far from where they are."""
    x, z = await page.evaluate("[app.body.pose.x, app.body.pose.z]")
    await page.evaluate(LED, {"to": to, "x": x + dx, "z": z + dz})


async def test_a_walk_from_the_map_tells_how_far_it_is_and_that_one_is_there(visit: Visit) -> None:
    x, z = SPAWN_M + 6, SPAWN_M - 3
    async with visit("/") as page:
        await page.evaluate(f"app.panels.open('map', {{ x: {x}, z: {z} }})")
        await page.get_by_role("button", name="Walk there").click()
        pill = page.locator(PILL, has_text=f"Walking to {x}, {z}.")
        await pill.get_by_text("m left").wait_for()
        await page.locator(TOAST, has_text=f"You are at {x}, {z}.").wait_for()
        assert await pill.count() == 0
        assert await page.evaluate(f"Math.hypot(app.body.pose.x - {x}, app.body.pose.z - {z})") < 1


async def test_a_led_walk_is_stopped_by_its_button_or_a_key_and_says_no_more(visit: Visit) -> None:
    async with visit("/") as page:
        await led(page, "the far meadow", 120, 0)
        await until(page, f"{LEFT} < 118")
        await page.locator(PILL).get_by_role("button", name="Stop").click()
        await until(page, f"!app.body.walks && !document.querySelector('{PILL}')")
        await led(page, "the far meadow", 120, 0)
        await until(page, f"document.querySelector('{PILL}')")
        await page.keyboard.down("s")
        await until(page, f"!app.body.walks && !document.querySelector('{PILL}')")
        await page.keyboard.up("s")
        assert await page.locator(TOAST).count() == 0


async def test_who_cannot_go_on_is_told_how_far_it_would_be_and_may_walk_on(visit: Visit) -> None:
    async with visit("/") as page:
        await page.evaluate("globalThis.goal = [app.body.pose.x + 60, app.body.pose.z]")
        await led(page, "the walled garden", 60, 0)
        await until(page, "app.body.speed > 1")
        # As the world says it where land is private.
        await page.evaluate(
            "app.world.emit('corrected', { reason: 7, x: app.body.pose.x - 1, y: 0, z: app.body.pose.z })"
        )
        await page.locator(TOAST, has_text="This land is private").wait_for()
        held = page.locator(TOAST, has_text="There is no going on just now: ")
        await held.get_by_text("m left to the walled garden.").wait_for()
        assert await page.locator(PILL).count() == 0
        # It is stopped again at once, where it still is private.
        goal = await page.evaluate(
            """() => {
              const walkTo = app.body.walkTo.bind(app.body);
              globalThis.again = [];
              app.body.walkTo = (x, z) => { again.push([x, z]); return walkTo(x, z); };
              return goal;
            }"""
        )
        await held.get_by_role("button", name="Walk on").click()
        await until(page, "again.length > 0")
        assert await page.evaluate("again[0]") == goal


async def test_a_click_on_the_ground_near_by_says_nothing(visit: Visit) -> None:
    async with visit("/") as page:
        await until(page, "app.tiles?.ground(app.body.pose.x, app.body.pose.z) !== undefined")
        await page.evaluate("app.view.pitch = -0.6")
        await page.mouse.click(320, 340)
        await until(page, "app.body.walks")
        assert await page.locator(PILL).count() == 0
        await until(page, "!app.body.walks")
        assert await page.locator(TOAST).count() == 0


async def test_who_is_led_to_somebody_out_of_view_ends_beside_them(visit: Visit, world: Served) -> None:
    ada = await world.join("Ada Led To")
    async with visit("/?flat") as page:
        await until(page, f"app.people.get({ada.you})?.name")
        x, z = await page.evaluate("[app.world.me.x, app.world.me.z]")
        ada.move(x + 6, z)
        await until(page, f"app.people.get({ada.you}).distance > 5")
        await page.evaluate(
            "(avatar) => { const { get } = app.people; globalThis.seen = () => { delete app.people.get; };"
            " app.people.get = (one) => one === avatar ? undefined : get.call(app.people, one); }",
            ada.you,
        )
        await page.evaluate(LED, {"to": "Ada Led To", "x": x - 30, "z": z, "avatar": ada.you})
        await until(page, f"app.world.me.x < {x} - 0.5")
        await page.evaluate("globalThis.seen()")
        await page.locator(TOAST, has_text="You are with Ada Led To.").wait_for()
        assert await page.locator(PILL).count() == 0
    await ada.leave()
