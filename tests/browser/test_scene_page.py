"""The scene in a real browser: land, sky and what grows, from the tiles of a served world."""

import io
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageStat

from browsing import until

if TYPE_CHECKING:
    from playwright.async_api import Page

Visit = Callable[..., Any]

MOST_CALLS = 60
SETTLED = "app.settled.every((isSo) => isSo()) && [...app.tiles.all()].length >= 9 && !app.tiles.busy"
MEMORY = "(({ geometries, textures }) => [geometries, textures])(app.stage.renderer.info.memory)"


async def imported(page: "Page", module: str, body: str) -> Any:
    """What a function's body gives that has a module of the scene as ``it``."""
    return await page.evaluate(
        f"import(`/web/${{document.documentElement.dataset.version}}/scene/{module}`)"
        f".then(async (it) => {{ {body} }})"
    )


async def frames(page: "Page", count: int) -> None:
    """Let so many frames be drawn."""
    drawn = await page.evaluate("app.stage.drawn")
    await until(page, f"app.stage.drawn >= {drawn + count}")


async def brightness(page: "Page") -> float:
    """Of the picture, 0 to 255."""
    picture = Image.open(io.BytesIO(await page.screenshot()))
    return float(ImageStat.Stat(picture.convert("L")).mean[0])


async def test_nine_regions_are_drawn_in_few_calls_and_nothing_is_left_when_they_go(page: "Page") -> None:
    await until(page, SETTLED)
    await frames(page, 3)
    calls = await page.evaluate("app.stage.renderer.info.render.calls")
    assert 5 < calls <= MOST_CALLS

    before = await page.evaluate(MEMORY)
    for _ in range(2):
        await page.evaluate(
            "{ const all = [...app.tiles.all()]; for (const { rx, rz } of all) app.tiles.emit('go', { rx, rz });"
            " for (const tile of all) app.tiles.emit('come', { rx: tile.rx, rz: tile.rz, tile }); }"
        )
        await until(page, SETTLED)
        await frames(page, 3)
    geometries, textures = await page.evaluate(MEMORY)
    assert geometries <= before[0] + 2
    assert textures <= before[1] + 2


async def test_every_picture_quality_draws_and_night_is_darker_than_noon(visit: Visit) -> None:
    async with visit(viewport={"width": 320, "height": 180}) as page:
        await until(page, SETTLED)
        for quality in ("low", "medium", "high"):
            await page.evaluate(f"app.settings.set('quality', '{quality}')")
            await until(page, SETTLED)
            await frames(page, 1)
        await page.evaluate("app.settings.set('quality', 'low')")
        light = []
        for hour in ("noon", "night"):
            await page.evaluate(f"app.settings.set('hour', '{hour}')")
            await frames(page, 2)
            light.append(await brightness(page))
        noon, night = light
        assert noon > night + 15 > 20


async def test_neighbours_look_alike_along_their_border(page: "Page") -> None:
    await until(page, SETTLED)
    differing = await imported(
        page,
        "relief.js",
        """
        const made = (rx, rz) => {
          const into = it.emptyRelief();
          for (const _ of it.weaveRelief((dx, dz) => app.tiles.tile(rx + dx, rz + dz), into));
          return into;
        };
        const { rx, rz } = [...app.tiles.all()].find(({ rx, rz }) =>
          [-1, 0, 1].every((dz) => [-1, 0, 1, 2].some((dx) => app.tiles.tile(rx + dx, rz + dz)))
          && app.tiles.tile(rx + 1, rz));
        const [one, other] = [made(rx, rz), made(rx + 1, rz)];
        let differing = 0;
        // Without the corners' rows, which look at regions that may not be here.
        for (let z = 8; z < it.SIDE - 8; z++) {
          for (let k = 0; k < 4; k++) {
            const [east, west] = [4 * (z * it.SIDE + it.SIDE - 1) + k, 4 * z * it.SIDE + k];
            if (Math.abs(one.colours[east] - other.colours[west]) > 1) differing++;
            if (k < 2 && Math.abs(one.shapes[east] - other.shapes[west]) > 1) differing++;
          }
        }
        return differing;
        """,
    )
    assert differing == 0


async def test_a_tile_that_does_not_come_fails_alone_and_is_asked_for_again(page: "Page") -> None:
    told = await imported(
        page,
        "tiles.js",
        """
        const { Emitter } = await import("worldloom/emitter.js");
        const world = new Emitter();
        const regions = [[0, 0], [1, 0], [0, 1]].map(([rx, rz]) => ({ rx, rz, state: 0 }));
        let failures = 0;
        Object.assign(world, {
          me: { x: 10, z: 10 },
          land: { regions: new Map(regions.map((region) => [`${region.rx},${region.rz}`, region])) },
          tile: async (rx, rz) => {
            if (rx === 1 && failures++ === 0) throw new Error("lost on the way");
            return { rx, rz };
          },
        });
        const tiles = new it.Tiles(world, () => 1);
        const states = [];
        tiles.on("state", ({ rx, rz, state }) => states.push(`${rx},${rz} ${state}`));
        const come = new Set();
        tiles.on("come", ({ rx, rz }) => come.add(`${rx},${rz}`));
        await new Promise((resolve) => { setTimeout(resolve, 500); });
        const early = [...come].sort();
        await tiles.next("come", { timeoutMs: 20000 });
        world.me = { x: 256 * 9, z: 10 };
        const gone = [];
        tiles.on("go", ({ rx, rz }) => gone.push(`${rx},${rz}`));
        tiles.look();
        return { early, late: [...come].sort(), bad: states.includes("1,0 bad"), gone: gone.length };
        """,
    )
    assert told == {"early": ["0,0", "0,1"], "late": ["0,0", "0,1", "1,0"], "bad": True, "gone": 3}


async def test_land_is_clear_from_64_m_inside_what_is_known_and_hidden_beyond(page: "Page") -> None:
    edges = await imported(
        page,
        "known.js",
        """
        const known = new it.Known();
        known.show(0, 0);
        known.show(-1, 0);
        for (let i = 0; i < 40; i++) known.frame(0.1);
        const at = (x, z) => known.edges.image.data[((z / 64 + 64) % 64) * 64 + ((x / 64 + 64) % 64)];
        const shown = [at(0, 128), at(64, 64), at(0, 0), at(256, 128), at(320, 128), at(-192, 128)];
        known.hide(-1, 0);
        return [...shown, at(0, 128)];
        """,
    )
    assert edges == [255, 255, 0, 0, 0, 255, 0]


async def test_days_have_light_at_every_hour_and_longer_days_than_nights(page: "Page") -> None:
    hours = await imported(
        page,
        "daylight.js",
        """
        return Array.from({ length: 400 }, (_, i) => it.daylightAt(i / 400)).map(({ sun, light, beam, sky, night }) =>
          ({ up: sun[1], from: light[1], beam: Math.max(...beam), sky: Math.max(...sky), night }));
        """,
    )
    assert all(hour["from"] > 0 and hour["sky"] > 0.15 for hour in hours)
    assert all(abs(one["beam"] - other["beam"]) < 0.2 for one, other in pairwise(hours))
    assert sum(hour["up"] > 0 for hour in hours) > 0.55 * len(hours)


async def test_no_more_pictures_are_drawn_than_were_asked_for_and_what_moves_goes_on(page: "Page") -> None:
    await until(page, SETTLED)
    drawn, moved = await page.evaluate(
        """async () => {
          app.settings.set("pictures", "5");
          let moved = 0;
          app.stage.add({ name: "probe", frame: () => moved++ });
          const before = app.stage.drawn;
          await new Promise((resolve) => setTimeout(resolve, 3_000));
          app.stage.remove("probe");
          return [app.stage.drawn - before, moved];
        }"""
    )
    assert 1 <= drawn <= 16
    assert moved > drawn
