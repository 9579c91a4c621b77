"""The pictures of the browser client in docs/pictures: ``python tools/pictures.py [NAME ...] [--data DIR]``.

Serves a world of a fixed seed with the trained generator, weaves the land round each place, opens the page there, sets
the hour and the view, and writes ``docs/pictures/web-NAME.jpg``. It draws by software: a picture takes a minute or two.
``--data`` keeps the world, so that land need not be woven again.
"""

import argparse
import asyncio
import io
import math
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import browsing  # noqa: E402
from live_server import Served, served  # noqa: E402
from worldloom_sdk import Bot, Client, Gesture, rectangle  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 200_000
SEED = 3
"""As that of docs/pictures/map.jpg, by which places are found."""
REACH_M = 768
"""So far round a place there is to be land in view, in steps of what is woven round a body."""
WAYS = (((1, 0), (1, 1)), ((0, 1), (-1, 1)), ((-1, 0), (-1, -1)), ((0, -1), (1, -1)))
"""Whither its scouts run, in such steps."""
SPEED_M_S = 90.0
PATIENCE_S = 900.0
SMALL = {"width": 320, "height": 180}
"""While mist clears, frame by frame, it is drawn small."""
SECTIONS: dict[str, dict[str, Any]] = {
    "world": {"seed": SEED, "name": "Worldloom", "spawn_radius_m": 3.0},
    "worldgen": {"generator": "gan", "deadline_s": 120.0, "ahead_s": 5.0},
}
SETTLED = (
    "app.settled.every((isSo) => isSo()) && !app.tiles.busy"
    " && [...app.world.land.regions.keys()].length <= [...app.tiles.all()].length"
)
CHEER, CLAP, DANCE, POINT, WAVE = 18, 19, 17, 21, 16

STROLL = """async ([x, z]) => {
  for (const [dx, dz] of [[1, 1], [-1, 1], [-1, -1], [1, -1], [0, 0]]) {
    await app.world.walkTo(x + 256 * dx, z + 256 * dz, { speed: 80 });
  }
}"""

Company = Callable[["Scenery"], Awaitable[None]]


@dataclass(frozen=True)
class Picture:
    """One picture: where, when, how seen, and who is about.

    Attributes:
        at: Where the body stands, metres.
        yaw: Whither one looks, degrees; 0 is south (+z), 90 east.
        pitch: Degrees, up is positive.
        hour: A choice of the setting.
        strolls: Whether one has been round there before: the map has what was seen.
        company: Brings whoever else is there, before the page is opened.
        then: Evaluated in the page at the end.
        behind: Metres from the eye to the body.
        page: Of ``visiting``.
    """

    at: tuple[float, float]
    yaw: float = 0.0
    pitch: float = -5.0
    hour: str = "morning"
    strolls: bool = False
    company: Company | None = None
    then: str = ""
    behind: float = 4.6
    page: dict[str, Any] = field(default_factory=lambda: {"viewport": {"width": 1280, "height": 720}})


class Scenery:
    """A served world, and the bots that are in it until the picture is made."""

    def __init__(self, world: Served, stack: AsyncExitStack) -> None:
        self.world = world
        self.url = f"127.0.0.1:{world.port}"
        self._stack = stack

    async def comes(self, name: str, at: tuple[float, float], **who: Any) -> Client:
        """Somebody by the SDK."""
        client = Client(self.url, name=name, at=at, patience_s=30, **who)
        return await self._stack.enter_async_context(client)

    async def weave(self, x: float, z: float) -> None:
        """Have the land made round a place: four bots run out from it, and wait where there is none yet."""
        await asyncio.gather(*(self._scout(x, z, way) for way in WAYS))

    async def _scout(self, x: float, z: float, way: Sequence[tuple[int, int]]) -> None:
        scout = Bot(Client(self.url, at=(x, z), patience_s=30))
        await scout.start()
        try:
            for dx, dz in way:
                await scout.walk_to(x + REACH_M * dx, z + REACH_M * dz, speed=SPEED_M_S)
        finally:
            await scout.stop()


async def stand(client: Client, x: float, z: float, yaw: float, gesture: int) -> None:
    """Stand somewhere and show something; ``yaw`` in radians."""
    await client.move(x, z, yaw=yaw, gesture=gesture)


async def concert(scenery: Scenery) -> None:
    """Four play at the water's edge, and rings of people dance in front of them."""
    x0, z0 = BEACH
    for number, name in enumerate(("Wren", "Sparrow", "Lark", "Finch")):
        z = z0 + 3.0 * (number - 1.5)
        player = await scenery.comes(name, (x0, z), bot=True)
        await stand(player, x0, z, math.pi / 2, DANCE if number % 2 else Gesture.STAND)
    for number in range(CROWD):
        row, seat = divmod(number, 18)
        angle = math.pi / 2 + (seat - 8.5) * 0.115 + 0.05 * (row % 2) + 0.02 * math.sin(7 * number)
        far = 7 + 1.9 * row + 0.5 * math.sin(3 * number)
        x, z = x0 + far * math.sin(angle), z0 + far * math.cos(angle)
        name = f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST)]}"
        guest = await scenery.comes(name, (x, z), bot=True)
        await stand(guest, x, z, angle + math.pi, (DANCE, CLAP, CHEER, DANCE, WAVE)[number % 5])


async def settlers(scenery: Scenery) -> None:
    """Land that is owned, offered and let, round a place; in a world that was kept it is so already."""
    surveyor = await scenery.comes("", VALLEY)
    open_already = [zone async for zone in surveyor.land.zones()]
    await surveyor.stop()
    if open_already:
        return
    await browsing.operator(
        scenery.world,
        "land",
        "open",
        f"--around={VALLEY[0]},{VALLEY[1]}",
        "--regions",
        "4x4",
        "--price",
        "10",
    )
    px, pz = int(VALLEY[0] // 16), int(VALLEY[1] // 16)
    for number, (name, estate, dx, dz, wide, deep, deal) in enumerate(ESTATES):
        who = await scenery.comes(name, VALLEY, keep=True)
        await browsing.operator(scenery.world, "money", "mint", "50000", "--to", name)
        plot = await who.land.claim(rectangle(px + dx, pz + dz, wide, deep), name=estate)
        if deal == "sale":
            await who.market.sell(plot, 120_000 + 35_000 * number, seconds=86_400 * 9)
        elif deal == "auction":
            await who.market.auction(plot, 40_000, step=1_000, seconds=86_400 * 3)
        elif deal == "let":
            await who.market.offer_lease(plot, 2_500, period_s=86_400 * 7, max_periods=12)
        await who.stop()


VALLEY = (332.0, 2333.0)
COAST = (-2210.0, 2620.0)
BEACH = (-2720.0, 2720.0)
CROWD = 126
FIRST = ("Ada", "Bo", "Cy", "Dora", "Emil", "Fia", "Gus", "Hilda", "Ida", "Jon", "Kai", "Lin", "Mo", "Nia")
LAST = ("Wood", "Hill", "Brook", "Field", "Marsh", "Stone", "Ford", "Heath", "Shore")
ESTATES = (
    ("Ada", "Snowgate", -14, 2, 9, 6, "sale"),
    ("Bo", "Brook House", -3, -9, 6, 6, ""),
    ("Cy", "Larch Wood", 5, 4, 10, 7, "auction"),
    ("Dora", "The Meadow", 5, -9, 8, 10, "let"),
    ("Emil", "Hermitage", -13, -11, 7, 7, "sale"),
    ("Fia", "Mill", -4, 6, 6, 6, "sale"),
    ("Gus", "High Field", -24, -6, 8, 9, ""),
    ("Hilda", "Stone Row", 16, -3, 9, 5, "sale"),
)
PICTURES_BY_NAME = {
    "valley": Picture(VALLEY, yaw=-112, pitch=6),
    "coast": Picture(COAST, yaw=125, pitch=0, hour="noon"),
    "concert": Picture(
        (BEACH[0] + 21, BEACH[1] - 1), yaw=-84, pitch=-8, hour="evening", company=concert, behind=7
    ),
    "map": Picture(VALLEY, strolls=True, company=settlers, then="app.panels.open('map')"),
    "phone": Picture(
        COAST,
        yaw=125,
        hour="evening",
        page={
            "viewport": browsing.PHONE,
            "device_scale_factor": 2,
            "has_touch": True,
            "is_mobile": True,
        },
    ),
}


@asynccontextmanager
async def opened(browser: Browser, world: Served, picture: Picture) -> AsyncIterator[Page]:
    """The page at its place; land takes its time, and whoever comes before it is made is set down elsewhere."""
    x, z = picture.at
    shape = {"device_scale_factor": 1, **picture.page, "viewport": SMALL}
    async with browsing.visiting(browser, world.port, f"/@{x:g},{z:g}", **shape) as page:
        far = await page.evaluate(f"Math.hypot(app.body.pose.x - {x}, app.body.pose.z - {z})")
        if far > 20:
            raise RuntimeError(f"expected to be at {x:g}, {z:g}, got {far:.0f} m from there")
        yield page


async def show(page: Page, picture: Picture, quality: str) -> bytes:
    """The picture, as PNG."""
    for name, value in {"quality": "low", "view": 4, "hour": picture.hour}.items():
        await page.evaluate("([name, value]) => app.settings.set(name, value)", [name, value])
    await page.evaluate(
        f"Object.assign(app.view, {{ yaw: {math.radians(picture.yaw)}, pitch: {math.radians(picture.pitch)},"
        f" distance: {picture.behind} }})"
    )
    if picture.strolls:
        await page.evaluate(STROLL, picture.at)
    await drawn(page, 60)
    await page.evaluate(f"app.settings.set('quality', '{quality}')")
    await page.set_viewport_size(picture.page["viewport"])
    await page.evaluate("document.querySelectorAll('.toast').forEach((one) => one.remove())")
    if picture.then:
        await page.evaluate(picture.then)
    await drawn(page, 8)
    return await page.screenshot(timeout=PATIENCE_S * 1000)


async def drawn(page: Page, frames: int) -> None:
    """Wait until all that is here is drawn, and so many frames more."""
    await browsing.until(page, SETTLED, PATIENCE_S)
    before = await page.evaluate("app.stage.stir(), app.stage.drawn")
    await browsing.until(page, f"app.stage.stir(), app.stage.drawn >= {before + frames}", PATIENCE_S)


def small_jpeg(png: bytes) -> bytes:
    """As good as it may be within the bytes that a picture may have."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(92, 40, -3):
        kept = io.BytesIO()
        picture.save(kept, "JPEG", quality=quality, optimize=True, progressive=True)
        if kept.tell() < MOST_BYTES:
            break
    return kept.getvalue()


async def make(names: list[str], data: Path, out: Path, quality: str) -> None:
    """Serve, and make them one after the other."""
    async with served(data, **SECTIONS) as world, browsing.chromium() as browser:
        for name in names:
            picture = PICTURES_BY_NAME[name]
            async with AsyncExitStack() as stack:
                scenery = Scenery(world, stack)
                await scenery.weave(*picture.at)
                if picture.company:
                    await picture.company(scenery)
                async with opened(browser, world, picture) as page:
                    png = await show(page, picture, quality)
            (out / f"web-{name}.jpg").write_bytes(small_jpeg(png))
            sys.stdout.write(f"web-{name}.jpg\n")


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PICTURES_BY_NAME), help="default: all")
    parser.add_argument("--data", type=Path, help="where the world is kept (default: nowhere)")
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--quality", choices=("low", "medium", "high"), default="high")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or Path(folder) / "data"
        asyncio.run(make(options.names, data, options.out, options.quality))


if __name__ == "__main__":
    main()
