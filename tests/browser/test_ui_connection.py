"""Bad days: a server that is away for a while, and one that does not come back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_server import served

Visit = Callable[..., Any]
LOST = "WebSocket connection to|Failed to load resource"


async def test_a_server_that_starts_anew_is_waited_for_and_said_so(visit: Visit, tmp_path: Path) -> None:
    async with served(tmp_path / "data") as world, visit("/?flat", port=world.port, allowed=LOST) as page:
        world.interrupt()
        assert await world.ended() == 0
        await page.get_by_text("The connection is lost. Coming back by itself.").wait_for()
        async with served(tmp_path / "data", server={"port": world.port}):
            await page.get_by_text("You are back").wait_for()
            assert not await page.locator(".banner").is_visible()
            assert await page.evaluate("app.world.connected")


async def test_who_leaves_may_come_back(visit: Visit) -> None:
    import browsing

    async with visit("/?flat") as page:
        await page.evaluate("app.panels.open('account')")
        await page.get_by_role("button", name="Leave the world").click()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Come back").click()
        await browsing.inside(page)
