"""The whole of it: people who meet by browsers, bots among them, land that comes as they walk, and bad days."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import PHONE, until
from live_server import Served, served
from wire import wired
from worldloom_sdk import Client, Gesture

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]

BOTS = 20
SMALL = {"width": 480, "height": 320}
CHATTY = {"width": 700, "height": 460}
"""On smaller pages the chat is folded."""
LOST = "WebSocket connection to|Failed to load resource"
NEAR = "Math.max(Math.abs(tile.rx - rx), Math.abs(tile.rz - rz)) <= 1"
COMPLETE = (
    "(([rx, rz]) => [...app.tiles.all()].filter((tile) => " + NEAR + ").length === 9)"
    "([app.body.pose.x, app.body.pose.z].map((at) => Math.floor(at / 256)))"
)


@asynccontextmanager
async def bots(world: Served, count: int) -> AsyncIterator[list[Client]]:
    """Bots by the SDK, in a ring round where newcomers are set down."""
    async with AsyncExitStack() as stack:
        all_of_them = []
        for number in range(count):
            bot = Client(f"127.0.0.1:{world.port}", name=f"Bot {number}", bot=True, patience_s=30)
            await stack.enter_async_context(bot)
            here = bot.position
            await bot.move(here.x + 6 + number % 5, here.z + 8 + number // 5, gesture=Gesture.STAND)
            all_of_them.append(bot)
        yield all_of_them


async def simply(page: "Page") -> None:
    """Drawn as quickly as may be; many run at once."""
    await page.evaluate("app.settings.set('quality', 'low'), app.settings.set('view', 1)")


async def walk(page: "Page", key: str, condition: str, patience_s: float = 60) -> None:
    """Hold a key until something is true."""
    await page.evaluate("document.getElementById('stage').focus()")
    await page.keyboard.down(key)
    await until(page, condition, patience_s)
    await page.keyboard.up(key)


def seen(avatar: int) -> str:
    """Where a page sees somebody."""
    return f"(({{ x, z }}) => [x, z])(app.people.get({avatar}))"


async def test_two_people_and_twenty_bots_see_and_hear_each_other(visit: Visit, world: Served) -> None:
    async with (
        bots(world, BOTS) as company,
        visit(viewport=CHATTY) as ada,
        visit(viewport=CHATTY) as bo,
    ):
        for page in (ada, bo):
            await simply(page)
            await until(page, f"app.people.list().length >= {BOTS + 1}")
        you, name = await ada.evaluate("[app.world.welcome.you, app.world.welcome.name]")
        await until(bo, f"app.people.list().some((one) => one.avatar === {you} && one.name === '{name}')")
        assert await bo.evaluate(f"app.people.get({you}).kind") == "guest"
        await until(bo, f"app.people.list().filter((one) => one.kind === 'bot').length === {BOTS}")
        await until(bo, "[...document.querySelectorAll('.tag-bot')].some((badge) => badge.checkVisibility())")

        x, z = await bo.evaluate(seen(you))
        await walk(ada, "w", f"Math.hypot(app.body.pose.x - {x}, app.body.pose.z - {z}) > 4")
        await until(bo, f"(([x, z]) => Math.hypot(x - {x}, z - {z}) > 3)({seen(you)})")

        await ada.get_by_label("Your words").fill("Good evening")
        await ada.get_by_label("Your words").press("Enter")
        await bo.get_by_role("log").get_by_text("Good evening").wait_for()
        await until(
            ada, "[...document.querySelectorAll('.bubble')].some((one) => one.textContent === 'Good evening')"
        )
        await company[0].say("Good evening to you")
        await ada.get_by_role("log").get_by_text("Good evening to you").wait_for()
        await until(bo, "document.querySelector('.chat .badge')?.textContent === 'bot'")


async def test_land_is_there_before_one_walks_over_a_border(visit: Visit) -> None:
    async with visit("/@2540,120", viewport=SMALL) as page:
        await simply(page)
        await until(page, f"app.body.pose.x > 2500 && {COMPLETE}", 60)
        await page.evaluate(
            "{ globalThis.holes = 0; globalThis.looks = 0;"
            " app.stage.add({ name: 'watch', frame: () => { const { x, z } = app.body.pose; globalThis.looks++;"
            " if (app.tiles.ground(x, z) === undefined) globalThis.holes++; } }); }"
        )
        await page.evaluate("app.view.yaw = Math.PI / 2")
        await page.keyboard.down("Shift")
        await walk(page, "w", "app.body.pose.x > 2566")
        await page.keyboard.up("Shift")
        # What is ahead now was not there when one came.
        await until(page, f"app.tiles.tile(11, 0) && {COMPLETE}", 60)
        holes, looks = await page.evaluate("[globalThis.holes, globalThis.looks]")
        assert holes == 0
        assert looks > 0


async def test_who_loses_the_network_comes_back_as_the_same_body(visit: Visit, world: Served) -> None:
    async with wired(world.port) as wire, visit(port=wire.port, viewport=SMALL, allowed=LOST) as page:
        await simply(page)
        you = await page.evaluate("app.world.welcome.you")
        await page.evaluate("void app.world.on('resumed', ({ same }) => { globalThis.same = same; })")
        wire.cut()
        await page.get_by_text("The connection is lost. Coming back by itself.").wait_for()
        wire.join()
        await until(page, "globalThis.same !== undefined", 60)
        assert await page.evaluate("globalThis.same")
        assert await page.evaluate("app.world.welcome.you") == you
        assert not await page.locator(".banner").is_visible()


async def test_a_page_rejoins_a_world_that_starts_anew_and_walks_on(visit: Visit, tmp_path: Path) -> None:
    async with (
        served(tmp_path / "data") as first,
        visit(port=first.port, viewport=SMALL, allowed=LOST) as page,
    ):
        await simply(page)
        first.interrupt()
        assert await first.ended(30) == 0
        await page.locator(".banner").wait_for()
        async with served(tmp_path / "data", server={"port": first.port}):
            await until(page, "app.world.connected", 60)
            await page.locator(".banner").wait_for(state="hidden")
            x, z = await page.evaluate("[app.body.pose.x, app.body.pose.z]")
            away = f"Math.hypot(app.body.pose.x - {x}, app.body.pose.z - {z}) > 2"
            await walk(page, "w", away)


async def test_a_phone_opens_panels_by_taps_and_has_its_buttons_for_thumbs(visit: Visit) -> None:
    async with visit(viewport=PHONE, has_touch=True, is_mobile=True) as page:
        await simply(page)
        assert await page.locator(".touch-buttons").is_visible()
        # Panels alone from here on.
        await page.evaluate("app.stage.stop()")
        for name in ("People", "Map", "Settings"):
            await (
                page.get_by_role("navigation", name="Panels")
                .get_by_role("button", name=name, exact=True)
                .tap()
            )
            await page.get_by_role("dialog", name=name).wait_for()
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE["width"]
            await page.get_by_role("dialog", name=name).get_by_role("button", name="Close", exact=True).tap()
        await page.locator(".chat-open").tap()
        await page.get_by_label("Your words").fill("From a phone")
        await page.get_by_label("Your words").press("Enter")
        await page.get_by_role("log").get_by_text("From a phone").wait_for()
