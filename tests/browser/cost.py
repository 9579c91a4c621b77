"""What the page costs, one line a figure: ``python tests/browser/cost.py``; with ``--walk`` METRES for a longer walk.

Serves a world of noise, warms it, and draws by software. Run it alone: times are as noisy as the machine. What is asked
of the page stands beside each figure.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

from people_bench import MEASURE  # noqa: E402
from playwright.async_api import Browser, Page  # noqa: E402

from browsing import DESK, chromium, inside, until  # noqa: E402
from live_server import Served, served  # noqa: E402

OPENINGS = 5
NINE = "[...app.tiles.all()].length >= 9 && !app.tiles.busy && app.settled.every((isSo) => isSo())"
DRAWN = (
    "globalThis.app?.stage && app.tiles.ground(app.body.pose.x, app.body.pose.z) !== undefined"
    " && app.stage.renderer.info.render.triangles > 5000 && app.stage.drawn > 1"
)
"""The land on which one stands is drawn: more than the sky and a body."""
KEPT = """() => {
  const { geometries, textures } = app.stage.renderer.info.memory;
  return [performance.memory.usedJSHeapSize / 1e6, geometries, textures];
}"""
HURRY = """async ([x, z]) => {
  // Faster than a body runs, so that land comes and goes as on a long walk; the body that is drawn follows.
  const follow = setInterval(() => app.world.emit("corrected", { reason: 0, ...app.world.me }), 100);
  while (Math.hypot(x - app.world.me.x, z - app.world.me.z) > 2) {
    app.stage.stir();
    await app.world.walkTo(x, z, { speed: %g }).catch(() => {});
  }
  clearInterval(follow);
}"""
SPEED_M_PER_S = 200 * 256 / (30 * 60)
"""200 regions in half an hour."""
STALLS = """() => {
  globalThis.stalls = [];
  const watch = new PerformanceObserver((list) => stalls.push(...list.getEntries().map((one) => one.duration)));
  watch.observe({ type: "longtask" });
}"""
PATIENCE_S = 300.0


def tell(what: str, found: str, asked: str) -> None:
    """One line."""
    sys.stdout.write(f"{what}: {found} (asked: {asked})\n")
    sys.stdout.flush()


async def opening(browser: Browser, url: str) -> tuple[float, float, float]:
    """Open it as a browser that was never here; seconds to the first useful picture, kB of code and kB of land."""
    context = await browser.new_context(viewport=DESK)
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    paths: dict[str, str] = {}
    sizes = {"code": 0.0, "land": 0.0}
    session.on(
        "Network.requestWillBeSent", lambda told: paths.update({told["requestId"]: told["request"]["url"]})
    )
    session.on(
        "Network.loadingFinished",
        lambda told: sizes.update(
            {kind: sizes[kind] + told["encodedDataLength"] / 1000}
            if (kind := "land" if "/content/" in paths.get(told["requestId"], "") else "code")
            else {}
        ),
    )
    await session.send("Network.enable")
    began = time.monotonic()
    await page.goto(url)
    await until(page, DRAWN, PATIENCE_S)
    took = time.monotonic() - began
    await until(page, NINE, PATIENCE_S)
    await context.close()
    return took, sizes["code"], sizes["land"]


async def crowded(browser: Browser, url: str) -> None:
    """A thousand in view who move, over nine regions."""
    page = await browser.new_page(viewport=DESK)
    await page.goto(url)
    await inside(page)
    await until(page, NINE, PATIENCE_S)
    await page.evaluate("() => {" + (HERE / "crowd.js").read_text() + "}")
    await page.evaluate("globalThis.crowd = makeCrowd({ count: 1000 }); 0")
    await until(page, "app.people.list().length >= 1000", PATIENCE_S)
    drawn = await page.evaluate("app.stage.drawn")
    await until(page, f"app.stage.stir(), app.stage.drawn > {drawn + 5}", PATIENCE_S)
    calls = await page.evaluate("app.stage.renderer.info.render.calls")
    regions = await page.evaluate("[...app.tiles.all()].length")
    tell("draw calls, 1,000 avatars", f"{calls} with {regions} regions here", "at most 150 with 9")
    found = await page.evaluate(MEASURE, 400)
    tell("layer of people, 1,000 moving", f"{found['half']:.2f} ms a frame (95 %: {found['most']:.2f})", "-")
    tell("all layers, 1,000 moving, without drawing", f"{found['whole']:.2f} ms a frame", "under 4 ms")
    await page.close()


async def settled(page: Page) -> list[float]:
    """Megabytes of heap after collecting, geometries, textures."""
    await until(page, NINE, PATIENCE_S)
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    return list(await page.evaluate(KEPT))


async def walk(browser: Browser, url: str, metres: int) -> None:
    """There and back again, so that what is kept can be compared at one place."""
    page = await browser.new_page(viewport={"width": 320, "height": 180})
    await page.goto(url)
    await inside(page)
    await page.evaluate("app.settings.set('quality', 'low')")
    x, z = await page.evaluate("[app.body.pose.x, app.body.pose.z]")
    await settled(page)
    await page.evaluate(STALLS)
    for at, goal in (
        ("first turn", metres / 4),
        ("back", 0),
        ("second turn", -metres / 4),
        ("back again", 0),
    ):
        await page.evaluate(HURRY % SPEED_M_PER_S, [x + goal, z])
        stalls = await page.evaluate("stalls.splice(0)")
        over = sum(stall > 100 for stall in stalls)
        tell(
            f"script, {at}",
            f"longest {max(stalls, default=0):.0f} ms, {over} over 100 ms",
            "none over 100 ms",
        )
        heap, geometries, textures = await settled(page)
        tell(f"memory, {at}", f"{heap:.0f} MB of heap, {geometries} geometries, {textures} textures", "flat")
    await page.close()


async def measure(world: Served, metres: int) -> None:
    """All of it, one after the other."""
    url = f"http://127.0.0.1:{world.port}"
    async with chromium() as browser:
        # The first makes the land.
        await opening(browser, url)
        opened = [await opening(browser, url) for _ in range(OPENINGS)]
        took, code, land = (statistics.median(column) for column in zip(*opened, strict=True))
        tell("before walking, without tiles", f"{code:.0f} kB", "under 700 kB")
        tell("nine and more tiles", f"{land:.0f} kB", "-")
        tell("first useful picture, cold cache", f"{took:.1f} s", "under 3 s")
        await crowded(browser, url)
        await walk(browser, url, metres)
    decoded = await asyncio.to_thread(
        subprocess.run,
        ["node", "examples/decode.js", "3000"],
        cwd=ROOT / "client_sdk" / "js",
        capture_output=True,
        text=True,
        check=True,
    )
    tell("decode", decoded.stdout.strip(), "under 1 ms")


async def run(metres: int) -> None:
    """In a world of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with served(Path(folder) / "data") as world:
            await measure(world, metres)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walk", type=int, default=8000, help="metres (%(default)s)")
    asyncio.run(run(parser.parse_args().walk))


if __name__ == "__main__":
    main()
