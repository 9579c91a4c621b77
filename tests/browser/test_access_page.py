"""Everybody can use the page: axe-core finds nothing in any panel, keys reach all of it, and nothing is cut off.

axe-core comes with ``npm install`` in ``client_sdk/js``; without it, its tests are skipped in plain sight, or fail with
``WORLDLOOM_TEST_REQUIRE_SERVICES=1``.
"""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from live_server import Served

if TYPE_CHECKING:
    from playwright.async_api import Page

REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"
AXE = Path(__file__).parents[2] / "client_sdk" / "js" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ZOOMED = {"viewport": {"width": 640, "height": 360}, "device_scale_factor": 2}
"""1280 x 720 at 200 %."""
SIZES = {"phone": PHONE, "zoomed": ZOOMED}
FINDINGS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.flatMap(
  ({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary}`))"""
BRIGHT = """() => {
  document.getElementById("stage").hidden = true;
  document.body.style.background = "#fff";
}"""
"""The worst that can lie behind a panel; of a picture axe-core cannot tell."""
CUT_OFF = """() => [document.scrollingElement, ...document.querySelectorAll(".panel-body, .chat, .card")]
  .filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.className || box.tagName}: ${box.scrollWidth} in ${box.clientWidth}`)"""
SMALL = """() => [...document.querySelectorAll("button, input, select, textarea, summary")]
  .filter((one) => one.checkVisibility() && !one.matches(".line .name"))
  .map((one) => [one.getAttribute("aria-label") || one.textContent || one.id || one.type, one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 40 || height < 40)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""

Visit = Callable[..., Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(world: Served) -> AsyncIterator[str]:
    """The token of somebody who sees every panel."""
    import browsing

    yield await browsing.account(world, "Olga", "owner")


async def _panels(page: "Page") -> list[str]:
    return await page.eval_on_selector_all(".bar [data-panel]", "all => all.map((one) => one.dataset.panel)")


async def _each_panel(page: "Page", look: str) -> dict[str, Any]:
    """What a script finds with each panel open, and everything unfolded, and with none."""
    found = {"": await page.evaluate(look)}
    for panel in await _panels(page):
        await page.evaluate("(id) => app.panels.open(id)", panel)
        await page.wait_for_timeout(400)
        await page.evaluate(
            "document.querySelectorAll('.panel details').forEach((one) => { one.open = true; })"
        )
        await page.wait_for_timeout(400)
        found[panel] = await page.evaluate(look)
    return {panel: what for panel, what in found.items() if what}


@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_in_any_panel(visit: Visit, owner: str, size: str) -> None:
    if not AXE.is_file():
        (pytest.fail if REQUIRED else pytest.skip)("there is no axe-core: npm install in client_sdk/js")
    async with visit("/?flat", token=owner, **SIZES[size]) as page:
        await page.evaluate(AXE.read_text())
        await page.evaluate(BRIGHT)
        assert not await _each_panel(page, FINDINGS)


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_cut_off_and_everything_is_large_enough_to_hit(
    visit: Visit, owner: str, size: str
) -> None:
    async with visit("/?flat", token=owner, **SIZES[size]) as page:
        assert not await _each_panel(page, CUT_OFF)
        assert not await _each_panel(page, SMALL)


async def test_axe_finds_nothing_where_a_newcomer_stands(visit: Visit) -> None:
    if not AXE.is_file():
        (pytest.fail if REQUIRED else pytest.skip)("there is no axe-core: npm install in client_sdk/js")
    async with visit("/", first=True) as page:
        await page.evaluate(AXE.read_text())
        await page.evaluate(BRIGHT)
        assert not await page.evaluate(FINDINGS)


async def test_every_panel_is_reached_opened_and_left_by_keys_alone(visit: Visit, owner: str) -> None:
    async with visit("/?flat", token=owner) as page:
        panels = await _panels(page)
        for panel in panels:
            for _ in range(40):
                await page.keyboard.press("Tab")
                if await page.evaluate("document.activeElement.dataset.panel") == panel:
                    break
            await page.keyboard.press("Enter")
            assert await page.evaluate("app.panels.current") == panel
            assert await page.evaluate("document.activeElement.closest('.panel') !== null")
            await page.keyboard.press("Escape")
            assert await page.evaluate("app.panels.current") == ""
            assert await page.evaluate("document.activeElement.dataset.panel") == panel


async def test_little_moves_where_that_is_asked_for(visit: Visit) -> None:
    async with visit("/?flat", reduced_motion="reduce") as page:
        await page.evaluate("app.toasts.tell('Hello')")
        assert await page.evaluate(
            "getComputedStyle(document.querySelector('.toast')).animationDuration"
        ) in ("1e-05s", "0.00001s")
