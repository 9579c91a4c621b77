"""A browser in the world: Chromium by Playwright, and pages that tell of every error and of every other server.

Knows no test: the fixtures are in ``tests/browser/conftest.py``.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebSocket,
    async_playwright,
)

from live_server import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
]
"""It draws by software, so that a machine without a graphics card shows the same."""
DESK = {"width": 640, "height": 360}
COARSE = 0.4
"""Points drawn for one of the page: software draws every one of them."""
SPARING = "localStorage.setItem('worldloom:pictures', '\"5\"')"
"""So few pictures a second, unless somebody chose: each takes a processor for a twelfth of one."""
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
_INLINE = ("data:", "blob:", "about:")


@dataclass
class Watch:
    """What a page did that it should not."""

    origin: str
    allowed: str = "(?!)"
    """A regular expression of console errors that the test brings about."""
    faults: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Listen to a page that has not been opened yet."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"an error: {error}"))
        page.on("request", self._asked)
        page.on("websocket", self._dialled)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not re.search(self.allowed, message.text):
            self.faults.append(f"the console: {message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        self._addressed(request.url)

    def _dialled(self, socket: WebSocket) -> None:
        self._addressed(socket.url.replace("ws", "http", 1))

    def _addressed(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", *_INLINE)):
            self.faults.append(f"it asked another server: {url}")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that draws by software."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    port: int,
    path: str = "/",
    *,
    allowed: str = "(?!)",
    settled: bool = True,
    first: bool = False,
    token: str = "",
    **context: Any,
) -> AsyncIterator[Page]:
    """A page of a browser that has never been here; in the end it must have done nothing wrong.

    Args:
        browser: Of ``chromium``.
        port: Of the world's server.
        path: What is opened; with a query if need be.
        allowed: A regular expression of console errors that the test brings about.
        settled: Wait until it is in the world.
        first: Whether it is greeted as a newcomer.
        token: Of the account that this browser is known by.
        context: Of Playwright's ``new_context``: ``viewport``, ``has_touch``, ``reduced_motion`` and so on.
    """
    watch = Watch(f"http://127.0.0.1:{port}", allowed)
    async with _nobodys(browser, watch.origin, context) as made:
        page = await made.new_page()
        await page.add_init_script(f"localStorage.getItem('worldloom:pictures') ?? {SPARING}")
        if not first:
            await page.add_init_script("localStorage.setItem('worldloom:greeted', 'true')")
        if token:
            await page.add_init_script(f"localStorage.setItem('worldloom:token', '{json.dumps(token)}')")
        watch.over(page)
        await page.goto(watch.origin + path)
        if settled:
            await inside(page)
        yield page
        assert not watch.faults, "\n".join(watch.faults)


_at_rest: dict[Browser, list[BrowserContext]] = {}
"""Usual ones that nobody uses now. They remember nothing of anybody, but have read the page's files."""


@asynccontextmanager
async def _nobodys(browser: Browser, origin: str, unusual: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    """What a browser keeps of one person, empty."""
    rested = [] if unusual else _at_rest.setdefault(browser, [])
    if rested:
        made = rested.pop()
    else:
        made = await browser.new_context(**{"viewport": DESK, "device_scale_factor": COARSE, **unusual})
        made.set_default_timeout(PATIENCE_MS)
    try:
        yield made
        if not unusual:
            await _forget(made, origin)
            rested.append(made)
    finally:
        if made not in rested:
            await made.close()


async def _forget(context: BrowserContext, origin: str) -> None:
    last = await context.new_page()
    for page in context.pages:
        if page is not last:
            await page.close()
    devtools = await context.new_cdp_session(last)
    await devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    await last.close()


async def account(world: Served, name: str, role: str = "") -> str:
    """The token of a new account; the operator gives it the role."""
    player = await world.join(name, keep=True)
    token = player.welcome.token
    assert token is not None
    await player.leave()
    if role:
        await operator(world, "people", "role", name, role, "--yes")
    return token


async def operator(world: Served, *words: str) -> None:
    """Have the operator do something."""
    command = [sys.executable, "-m", "worldloom", *words, "--data", str(world.data)]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "PYTHONPATH": path})
    assert await process.wait() == 0


async def inside(page: Page) -> None:
    """Wait until the page stands in the world with all its parts."""
    await page.wait_for_selector("html[data-state=in]", state="attached")


async def until(page: Page, expression: str, patience_s: float = PATIENCE_MS / 1000) -> Any:
    """Wait until an expression is true in the page; its value. Playwright's own wait offends the page's policy."""
    async with asyncio.timeout(patience_s):
        while True:
            if value := await page.evaluate(expression):
                return value
            await asyncio.sleep(0.05)


async def tap(page: Page, x: float, y: float) -> None:
    """A finger down and up again within 60 ms, however busy the page is: what Playwright sends waits for it between."""
    chromium, now = await page.context.new_cdp_session(page), time.time()
    for kind, spots, at in (("touchStart", [{"x": x, "y": y}], now), ("touchEnd", [], now + 0.06)):
        await chromium.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots, "timestamp": at})
    await chromium.detach()


AXE = Path(__file__).parent.parent / "client_sdk" / "js" / "node_modules" / "axe-core" / "axe.min.js"
"""Comes with ``npm install`` in ``client_sdk/js``."""
_FINDINGS = """async () => {
  // The worst that can lie behind a panel; of a picture axe-core cannot tell.
  document.getElementById("stage").hidden = true;
  document.body.style.background = "#fff";
  return (await axe.run(document, { resultTypes: ["violations"] })).violations.flatMap(
    ({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary}`));
}"""


async def axe(page: Page) -> list[str]:
    """What axe-core finds against the page as it stands."""
    await page.evaluate(AXE.read_text())
    found: list[str] = await page.evaluate(_FINDINGS)
    return found
