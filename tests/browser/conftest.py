"""A served world and a browser in it, launched once for each worker.

Skipped in plain sight where Chromium or Playwright is missing; ``WORLDLOOM_TEST_REQUIRE_SERVICES=1`` makes that a
failure. To have them: ``apt-get install chromium``, and the extra ``test``.
"""

import importlib.util
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from live_server import Served, served

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

HERE = Path(__file__).parent
REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"

Visit = Callable[..., "AbstractAsyncContextManager[Page]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is slow, and runs in the one loop that the browser lives in."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> "AsyncIterator[Browser]":
    """Chromium; one for each worker."""
    missing = "there is no Playwright" if importlib.util.find_spec("playwright") is None else ""
    if not missing:
        import browsing

        missing = "" if browsing.CHROMIUM else "there is no chromium"
    if missing:
        (pytest.fail if REQUIRED else pytest.skip)(f"the browser client cannot be tried: {missing}")
    async with browsing.chromium() as launched:
        yield launched


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A world in a process of its own, for all tests of a file: use names of your own."""
    async with served(tmp_path_factory.mktemp("world") / "data") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: "Browser", world: Served) -> AsyncIterator[Visit]:
    """Opens pages of that world, or of another by ``port``: ``async with visit("/?flat") as page``.

    Every error of a page, and every address outside the server, fails the test; see ``browsing.visiting``.
    """
    import browsing

    def opened(path: str = "/", *, port: int = 0, **how: Any) -> "AbstractAsyncContextManager[Page]":
        return browsing.visiting(browser, port or world.port, path, **how)

    yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def page(visit: Visit) -> "AsyncIterator[Page]":
    """Somebody new in the world, at a small desk."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(visit())
