"""Paints the land that it knows as a map with shaded hills, and writes it to a PNG: north is up, 2 m to a pixel.

python -m worldloom_sdk.examples.painter 127.0.0.1:8420 --file map.png --walk 400

With --walk it walks round a square so many metres wide, and so knows more. The PNG is written by zlib alone.
"""

import asyncio
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom_sdk import Blocked, Bot, Client, Interrupted, Joined, RegionWoven, TimedOut
from worldloom_sdk.examples.starting import options_for, telling, who
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLE_M, SURFACE_CELLS, Tile

MOST_REGIONS = 225
"""Fewer than the tiles that the SDK keeps, so that none is fetched again for every picture."""
UNKNOWN, SHALLOW, DEEP = (28, 30, 34), (96, 182, 180), (22, 62, 108)
GROUND = np.array(
    [
        (206, 192, 150), (226, 208, 160), (186, 176, 154), (138, 160, 84), (122, 158, 74), (150, 142, 92),
        (82, 116, 58), (122, 115, 106), (142, 134, 118), (243, 246, 250), (104, 136, 80),
    ],
    np.float64,
)  # fmt: skip
"""Red, green and blue of each ``Surface``: seabed, sand, pebbles, grass, meadow, heath, forest, rock, scree, snow,
marsh."""
GRASS = 3


def paint(tile: Tile) -> npt.NDArray[np.uint8]:
    """One region as pixels ``[128, 128, 3]``, north up, lit from the north-west."""
    metres = (
        tile.heights.astype(np.float64) / HEIGHTS_PER_M
    )  # [129, 129], the edges shared with the neighbours
    slope_x = (metres[:-1, 1:] - metres[:-1, :-1]) / SAMPLE_M
    slope_z = (metres[1:, :-1] - metres[:-1, :-1]) / SAMPLE_M
    light = (1.0 + 0.7 * slope_x + 0.7 * slope_z) / np.sqrt(1.0 + slope_x**2 + slope_z**2)
    known = np.where(tile.surface < len(GROUND), tile.surface, GRASS)
    land = GROUND[known] * np.clip(light, 0.35, 1.35)[..., None]
    depth = np.clip(-metres[:-1, :-1] / 40.0, 0.0, 1.0)[..., None]
    sea = np.array(SHALLOW) * (1.0 - depth) + np.array(DEEP) * depth
    return np.asarray(np.clip(np.where(metres[:-1, :-1, None] < 0.0, sea, land), 0, 255).astype(np.uint8))


def join(tiles: list[Tile]) -> npt.NDArray[np.uint8]:
    """The smallest picture that holds all regions."""
    west, north = min(tile.rx for tile in tiles), min(tile.rz for tile in tiles)
    wide, high = max(tile.rx for tile in tiles) - west + 1, max(tile.rz for tile in tiles) - north + 1
    picture = np.full((high * SURFACE_CELLS, wide * SURFACE_CELLS, 3), UNKNOWN, np.uint8)
    for tile in tiles:
        x, z = (tile.rx - west) * SURFACE_CELLS, (tile.rz - north) * SURFACE_CELLS
        picture[z : z + SURFACE_CELLS, x : x + SURFACE_CELLS] = paint(tile)
    return picture


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of pixels ``[height, width, 3]``."""
    height, width, _ = picture.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    rows = np.insert(
        picture.reshape(height, width * 3), 0, 0, axis=1
    )  # each row begins with its filter: none
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write(file: Path, tiles: list[Tile]) -> None:
    """Paint and write; who looks at the file finds the old picture or the new one."""
    draft = file.with_name(f".{file.name}.new")
    draft.write_bytes(png(join(tiles)))
    os.replace(draft, file)


def make_bot(
    where: str | Client, name: str = "Painter", file: Path = Path("map.png"), walk_m: float = 0.0, **who: Any
) -> Bot:
    """A bot that paints, ten seconds after it has learnt of new land at the latest."""
    bot = Bot(where, name=name, **who)
    regions: dict[tuple[int, int], str] = {}
    painted = 0

    @bot.on(RegionWoven, check=lambda region: len(regions) < MOST_REGIONS)
    def learn(region: RegionWoven) -> None:
        regions[region.rx, region.rz] = region.sha256

    @bot.every(10.0)
    async def work() -> None:
        nonlocal painted
        if len(regions) == painted:
            return
        for rx, rz in list(regions):
            await bot.terrain.wait((rx + 0.5) * REGION_M, (rz + 0.5) * REGION_M)
        tiles = [tile for region in regions if (tile := bot.terrain.tile(*region)) is not None]
        await asyncio.to_thread(write, file, tiles)
        painted = len(regions)
        print(f"{file}: {painted} regions", flush=True)

    @bot.on(Joined, check=lambda event: walk_m > 0.0)
    async def walk(event: Joined) -> None:
        here, half = event.me.position, walk_m / 2
        for x, z in ((-half, -half), (half, -half), (half, half), (-half, half), (-half, -half), (0, 0)):
            try:
                await bot.walk_to(here.x + x, here.z + z, speed=4.0)
            except (Blocked, TimedOut):
                continue  # the next corner, then
            except Interrupted:
                return  # it came in anew meanwhile, and walks already

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Painter")
    parser.add_argument("--file", type=Path, default=Path("map.png"), help="what it writes (%(default)s)")
    parser.add_argument("--walk", type=float, default=0.0, help="metres; 0: it stays where it is")
    options = parser.parse_args()
    telling(make_bot(options.url, file=options.file, walk_m=options.walk, **who(options))).run()


if __name__ == "__main__":
    main()
