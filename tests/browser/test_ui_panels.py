"""Settings, help, and the world as a map where there is no WebGL 2."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from live_server import Served
from worldloom_sdk.protocol import messages as m

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]
WHERE = "[app.world.me.x, app.world.me.z]"


async def test_a_setting_stays_over_a_reload(visit: Visit) -> None:
    import browsing

    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('settings')")
        await page.get_by_label("Volume").fill("75")
        assert await page.evaluate("app.settings.get('volume')") == 75
        await page.reload()
        await browsing.inside(page)
        assert await page.evaluate("app.settings.get('volume')") == 75


async def test_help_says_how_the_land_was_made_and_what_came_from_others(visit: Visit) -> None:
    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('help')")
        await page.get_by_text("made by mathematical noise, without a trained model (seed 7").wait_for()
        licences = await page.get_by_role("link", name="licence MIT").all()
        assert len(licences) >= 2
        for licence in licences:
            assert await page.evaluate(
                "(url) => fetch(url).then((answer) => answer.ok)", await licence.get_attribute("href")
            )


async def test_without_webgl_one_walks_by_keys_and_by_clicks(visit: Visit) -> None:
    import browsing

    async with visit("/?flat") as page:
        x, z = await page.evaluate(WHERE)
        await page.locator("#stage").focus()
        await page.keyboard.down("ArrowRight")
        await browsing.until(page, f"app.world.me.x > {x + 1}")
        await page.keyboard.up("ArrowRight")
        await page.mouse.click(320, 180 + 60)
        await browsing.until(page, f"app.world.me.z > {z + 10}")


async def test_people_in_view_are_found_by_name_and_walked_to(visit: Visit, world: Served) -> None:
    import browsing

    ada = await world.join("Ada Far")
    ada.move(158, 128)
    async with visit("/?flat") as page:
        await browsing.until(page, "app.people.list().some(({ distance }) => distance > 25)")
        await page.evaluate("app.panels.open('people')")
        await page.get_by_label("Find somebody by name").fill("ada f")
        await page.get_by_text("Found: 1").wait_for()
        await _choose(page, "Ada Far")
        await page.get_by_text("30 m to the east").wait_for()
        await page.get_by_role("button", name="Walk to").click()
        # As near as one talks, and no nearer.
        away = "Math.hypot(app.world.me.x - 158, app.world.me.z - 128)"
        await browsing.until(page, f"{away} < 1.8")
        await page.wait_for_timeout(500)
        assert await page.evaluate(away) > 1.4
    await ada.leave()


async def _choose(page: "Page", name: str) -> None:
    await page.locator(".person", has_text=name).click()


_WHITES = """(() => {
  const canvas = document.querySelector(".look-preview");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    count += data[at + 3] > 0 && Math.min(data[at], data[at + 1], data[at + 2]) > 200;
  }
  return count;
})()"""
"""Points of the preview that are as light as the whites of eyes."""


async def test_the_picture_of_oneself_shows_the_face_and_is_turned_by_keys(visit: Visit) -> None:
    import browsing

    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('account')")
        for part in ("Skin 8", "Hair 1", "Top 5", "Legs 5"):  # Dark ones.
            await page.get_by_label(f"{part} of").check()
        await browsing.until(page, f"{_WHITES} > 50")
        for _ in range(10):  # Half round.
            await page.locator(".look-preview").press("ArrowRight")
        await browsing.until(page, f"{_WHITES} === 0")


async def test_a_look_that_is_chosen_is_seen_by_others(visit: Visit, world: Served) -> None:
    ada = await world.join("Ada Looks")
    async with visit("/?flat") as page:
        you = await page.evaluate("app.world.welcome.you")
        ada.send(m.Who([you]))
        await ada.next(m.People)
        await page.evaluate("app.panels.open('account')")
        worn = await page.locator("[name=look-top]:checked").input_value()
        top = 8 if worn == "9" else 9
        await page.get_by_label(f"Top {top + 1} of").check()
        seen = await ada.next(m.Looks)
        assert [(worn.avatar, worn.look[3]) for worn in seen.looks] == [(you, top)]
        await page.get_by_text("Others see it.").wait_for()
    await ada.leave()
