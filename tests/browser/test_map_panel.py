"""The map: it finds places, people and estates, tells about a point, and leads there; what was seen stays known."""

from collections.abc import Callable
from typing import Any

from live_server import SPAWN_M, Served

Visit = Callable[..., Any]


async def test_a_place_is_found_and_walked_to(visit: Visit) -> None:
    import browsing

    x, z = SPAWN_M + 14, SPAWN_M - 9
    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('map')")
        await page.get_by_label("Find on the map").fill(f"{x}, {z}")
        await page.get_by_label("Find on the map").press("Enter")
        card = page.get_by_role("region", name="This place")
        await card.get_by_text("region 0, 0").wait_for()
        await card.get_by_role("button", name="Walk there").click()
        await browsing.until(page, f"Math.hypot(app.world.me.x - {x}, app.world.me.z - {z}) < 1")
        assert await page.evaluate("app.panels.current") == ""


async def test_somebody_in_view_is_found(visit: Visit, world: Served) -> None:
    import browsing

    maya = await world.join("Maya Mapped")
    async with visit("/?flat") as page:
        await browsing.until(page, f"app.people.get({maya.you})?.name")
        await page.evaluate("app.panels.open('map')")
        await page.get_by_label("Find on the map").fill("maya")
        await page.get_by_role("button", name="Maya Mapped").click()
        card = page.get_by_role("region", name="This place")
        await card.get_by_role("heading", name="Maya Mapped").wait_for()
        await card.get_by_role("button", name="Walk to Maya Mapped").wait_for()
        await card.get_by_role("button", name="Whisper").click()
        assert await page.get_by_placeholder("To Maya Mapped").is_visible()
        await page.keyboard.press("Escape")
        assert await page.get_by_label("How loud").input_value() == "say"
    await maya.leave()


async def test_a_tap_on_the_map_presses_nothing_of_the_card_that_it_opens(visit: Visit) -> None:
    import browsing

    async with visit("/?flat", viewport=browsing.PHONE, has_touch=True, is_mobile=True) as page:
        await page.evaluate("app.panels.open('map')")
        card = page.get_by_role("region", name="This place")
        walk = card.get_by_role("button", name="Walk there")
        await browsing.tap(page, 195, 400)
        await walk.wait_for()
        await page.wait_for_timeout(600)
        under = await walk.bounding_box()
        assert under is not None
        await card.get_by_role("button", name="Close this card").click()
        await browsing.tap(page, under["x"] + under["width"] / 2, under["y"] + under["height"] / 2)
        await walk.wait_for()
        await page.wait_for_timeout(600)
        assert await page.evaluate("app.panels.current") == "map"
        assert await walk.is_visible()
        assert await page.locator(".toast.stays").count() == 0


async def test_the_map_is_moved_and_read_by_keys(visit: Visit) -> None:
    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('map')")
        await page.locator(".map-canvas").focus()
        for key in ("ArrowRight", "ArrowRight", "-", "+", "Enter"):
            await page.keyboard.press(key)
        card = page.get_by_role("region", name="This place")
        await card.get_by_text(f"{SPAWN_M + 120}, {SPAWN_M} · region 0, 0").wait_for()
        await page.keyboard.press("Escape")
        assert await card.count() == 0
        assert await page.evaluate("app.panels.current") == "map"


async def test_what_was_seen_is_known_when_one_comes_again(visit: Visit) -> None:
    import browsing

    kept = """new Promise((resolve) => {
      const asked = indexedDB.open("worldloom-map", 1);
      asked.onsuccess = () => {
        const count = asked.result.transaction("regions").objectStore("regions").count();
        count.onsuccess = () => { asked.result.close(); resolve(count.result); };
      };
    })"""
    async with visit("/?flat") as page:
        await browsing.until(page, kept)
        await page.reload()
        await browsing.inside(page)
        atlas = "/map/atlas.js"
        known = f"""(async () => {{
          const base = new URL("..", document.querySelector('script[src*="app/main.js"]').src).href;
          const {{ atlasOf }} = await import(base.replace(/[/]$/, "") + "{atlas}");
          return Boolean(atlasOf(app).block(0, 0));
        }})()"""
        await browsing.until(page, known)


_OVER_A_BORDER = """Promise.all([
  import(`/web/${document.documentElement.dataset.version}/map/paint.js`), import("worldloom/tiles.js"),
]).then(([{ POINT_M, painted }, { REGION_M, SAMPLES, ThingKind }]) => {
  const tile = (rx, things) => ({ rx, rz: 0, things, heights: new Int16Array(SAMPLES ** 2).fill(64),
    surface: new Uint8Array((SAMPLES - 1) ** 2).fill(3) });
  const tree = { kind: ThingKind.CONIFER, x: 0.4, z: REGION_M / 2, scale: 1.5, yaw: 0 };
  const [west, east] = [tile(0, []), tile(1, [tree])];
  return [painted(west), painted(west, [east])].map((canvas) =>
    [...canvas.getContext("2d").getImageData(canvas.width - 1, REGION_M / 2 / POINT_M, 1, 1).data.slice(0, 3)]);
})"""
"""The colour at a border of a region alone, and of one beside which a tree stands."""


async def test_a_tree_at_a_border_is_painted_on_both_sides_of_it(visit: Visit) -> None:
    async with visit("/?flat") as page:
        alone, beside = await page.evaluate(_OVER_A_BORDER)
        assert max(alone) > 120
        assert beside == [0x26, 0x46, 0x30]


async def test_the_map_passes_axe(visit: Visit) -> None:
    import browsing

    async with visit("/?flat", viewport=browsing.PHONE) as page:
        await page.evaluate("app.panels.open('map')")
        await page.get_by_label("Find on the map").fill("5, 5")
        await page.get_by_label("Find on the map").press("Enter")
        await page.get_by_role("region", name="This place").wait_for()
        assert await browsing.axe(page) == []
