"""Walks outward in a spiral and tells of each region that it had not seen before.

python -m worldloom_sdk.examples.explorer 127.0.0.1:8420 --speed 8

It does not get stuck: where the way is barred it goes round, and where no land comes it goes elsewhere. Land that it
discovers is stored for ever (about 15 kB a region): do not leave it running in a world that is not yours.
"""

import logging
from collections.abc import Iterator
from typing import Any

from worldloom_sdk import (
    Blocked,
    Bot,
    Client,
    Interrupted,
    Joined,
    Position,
    RegionWoven,
    Resumed,
    TimedOut,
)
from worldloom_sdk.examples.starting import options_for, telling, who
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M

LEG_M = 256.0
ASIDE_M = 12.0
PATIENCE_S = 20.0
"""How long it waits on a leg for land that does not come, over the time of the walk."""
REMEMBERED = 1024

_log = logging.getLogger(__name__)


def spiral(home: Position, leg_m: float) -> Iterator[tuple[float, float]]:
    """Corners of a square spiral without end, outward from a place."""
    x, z, length = home.x, home.z, 1
    while True:
        for dx, dz in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            for _ in range(length):
                x, z = x + dx * leg_m, z + dz * leg_m
                yield x, z
            length += dz != 0  # longer after every second turn


def make_bot(
    where: str | Client,
    name: str = "Explorer",
    leg_m: float = LEG_M,
    speed: float = 4.0,
    patience_s: float = PATIENCE_S,
    **who: Any,
) -> Bot:
    """A bot that explores."""
    bot = Bot(where, name=name, **who)
    ways: list[Iterator[tuple[float, float]]] = []
    seen: dict[tuple[int, int], None] = {}

    async def explore() -> None:
        for x, z in ways[0]:
            try:
                await go(bot, x, z, speed, patience_s)
            except Interrupted:
                return  # it was resumed meanwhile, and explores already
            if not bot.client.in_world:
                return

    @bot.on(Joined)
    async def begin(event: Joined) -> None:
        ways[:] = ways or [spiral(event.me.position, leg_m)]
        await explore()

    @bot.on(Resumed)
    async def go_on(event: Resumed) -> None:
        await explore()

    @bot.on(RegionWoven, check=lambda region: (region.rx, region.rz) not in seen)
    async def tell(region: RegionWoven) -> None:
        seen[region.rx, region.rz] = None
        while len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        middle = [(index + 0.5) * REGION_M for index in (region.rx, region.rz)]
        await bot.terrain.wait(*middle)
        tile = bot.terrain.tile(region.rx, region.rz)
        if tile is not None:
            low, high = tile.heights.min() / HEIGHTS_PER_M, tile.heights.max() / HEIGHTS_PER_M
            print(
                f"region {region.rx},{region.rz}: {low:.0f} to {high:.0f} m, by {region.source}", flush=True
            )

    return bot


async def go(bot: Bot, x: float, z: float, speed: float, patience_s: float) -> None:
    """Towards a place; round what bars the way, once on either side, and else let it be."""
    here = bot.position
    away = max(here.distance_to(x, z), 1.0)
    east, south = (x - here.x) / away * ASIDE_M, (z - here.z) / away * ASIDE_M
    for aside in ((0.0, 0.0), (-south, east), (south, -east)):
        try:
            if any(aside):
                await bot.walk_to(bot.position.x + aside[0], bot.position.z + aside[1], speed, patience_s)
            await bot.walk_to(x, z, speed, away / speed + patience_s)
            return
        except (Blocked, TimedOut) as wall:
            _log.info("%s: %s", bot.name, wall)


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Explorer")
    parser.add_argument("--leg", type=float, default=LEG_M, help="metres between two turns (%(default)s)")
    parser.add_argument("--speed", type=float, default=4.0, help="m/s (%(default)s)")
    options = parser.parse_args()
    telling(make_bot(options.url, leg_m=options.leg, speed=options.speed, **who(options))).run()


if __name__ == "__main__":
    main()
