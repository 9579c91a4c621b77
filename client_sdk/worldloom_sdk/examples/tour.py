"""Shows people around: walks from sight to sight, waits for who follows, and tells about each.

python -m worldloom_sdk.examples.tour 127.0.0.1:8420 --sights sights.json

Say "tour" beside it. The file is a list of sights, [x, z, "what to tell"], in metres; without it, it shows the four
points of the compass around the place where it came in.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from worldloom_sdk import Blocked, Bot, Client, Interrupted, Position, Spoke, TimedOut
from worldloom_sdk.examples.starting import options_for, telling, who

TOGETHER_M = 8.0
WAIT_S = 30.0


class Sight(NamedTuple):
    """Somewhere to go, and what there is to tell."""

    x: float
    z: float
    text: str


def around(home: Position, far: float = 30.0) -> list[Sight]:
    """Sights for a place that nobody has written about."""
    ways = {"east": (far, 0.0), "south": (0.0, far), "west": (-far, 0.0), "north": (0.0, -far)}
    return [Sight(home.x + x, home.z + z, f"This is the {name} side.") for name, (x, z) in ways.items()]


def make_bot(
    where: str | Client, name: str = "Guide", sights: Sequence[Sight] = (), wait_s: float = WAIT_S, **who: Any
) -> Bot:
    """A bot that leads one tour at a time."""
    bot = Bot(where, name=name, **who)
    touring = False

    @bot.on(Spoke, check=lambda line: "tour" in line.text.lower())
    async def begin(line: Spoke) -> None:
        nonlocal touring
        if touring:
            return await bot.say(f"The next tour comes soon, {line.name}.")
        touring, home = True, bot.position
        try:
            await bot.say(f"Come along, {line.name}! Say nothing, just walk with me.")
            for sight in sights or around(home):
                await show(bot, sight, line, wait_s)
            await bot.say("That was the tour. Thank you!")
            await bot.walk_to(home.x, home.z, speed=3.0)
        except Interrupted:
            pass  # somebody sent it elsewhere
        finally:
            touring = False

    return bot


async def show(bot: Bot, sight: Sight, guest: Spoke, wait_s: float) -> None:
    """Walk to a sight, wait for the guest, tell."""
    try:
        await bot.walk_to(sight.x, sight.z, speed=2.0)
    except (Blocked, TimedOut) as wall:
        return await bot.say(f"We cannot go there today: {wall}.")
    if not await came(bot, guest.avatar, wait_s):
        await bot.say(f"{guest.name} is not with us any more. I go on.")
    ground = await bot.terrain.wait(sight.x, sight.z)
    await bot.say(f"{sight.text} We stand {max(ground, 0.0):.0f} m above the sea.")
    await bot.client.clock.sleep(3.0)


async def came(bot: Bot, guest: int, wait_s: float) -> bool:
    """Wait until the guest is near, but not for ever."""
    end = bot.client.clock.monotonic() + wait_s
    while not any(avatar.id == guest for avatar in bot.nearby(TOGETHER_M)):
        if bot.client.clock.monotonic() >= end:
            return False
        await bot.client.clock.sleep(0.5)
    return True


def read_sights(path: Path) -> list[Sight]:
    """Sights from a file; a ValueError says which one is none."""
    sights = [Sight(*entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    for sight in sights:
        if not (isinstance(sight.x, int | float) and isinstance(sight.z, int | float) and sight.text):
            raise ValueError(f'expected [x, z, "what to tell"], got {list(sight)}')
    return sights


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Guide")
    parser.add_argument("--sights", type=read_sights_of, default=[], metavar="FILE", help="where it goes")
    options = parser.parse_args()
    telling(make_bot(options.url, sights=options.sights, **who(options))).run()


def read_sights_of(name: str) -> list[Sight]:
    """As ``read_sights``; whatever is wrong with the file is a ValueError, which argparse tells."""
    try:
        return read_sights(Path(name))
    except (OSError, TypeError) as fault:
        raise ValueError(str(fault)) from fault


if __name__ == "__main__":
    main()
