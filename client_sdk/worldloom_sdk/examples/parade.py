"""A parade: many bots in one process that march round a square in rows, in step.

python -m worldloom_sdk.examples.parade 127.0.0.1:8420 --bots 200

A world allows 64 connections from one address: for more than that, its server.connections_per_address must be raised.
"""

import contextlib
from typing import Any

from worldloom_sdk import Blocked, Bot, Client, Interrupted, Joined, Resumed, TimedOut, run_many
from worldloom_sdk.examples.starting import options_for, start_log, telling

ABREAST = 10
APART_M = 1.5
HALT_S = 20.0


class Parade:
    """What all bots of a parade go by: where it is at, and whose place is where.

    Args:
        x: Of the first in the first row, in metres.
        z: Likewise.
        side: Of the square that they march round, in metres.
        speed: m/s.
        halt_s: Seconds from one march to the next.
    """

    def __init__(
        self, x: float = 0.0, z: float = 0.0, side: float = 24.0, speed: float = 2.0, halt_s: float = HALT_S
    ) -> None:
        self.speed, self.halt_s = speed, halt_s
        self.march = 0
        self._corners = [(x, z), (x + side, z), (x + side, z + side), (x, z + side)]

    def place(self, number: int) -> tuple[float, float]:
        """Where bot ``number``, counted from 0, stands now."""
        x, z = self._corners[self.march % 4]
        row, file = divmod(number, ABREAST)
        return x + file * APART_M, z + row * APART_M

    def make_bot(self, where: str | Client, number: int, **who: Any) -> Bot:
        """Bot ``number``; number 0 is the drum major, who gives the sign to march."""
        bot = Bot(where, name=f"Piper {number + 1}", **who)

        async def keep_in_step() -> None:
            arrived = -1
            with contextlib.suppress(Interrupted):  # it was resumed meanwhile, and is in step already
                while bot.client.in_world:
                    if arrived != self.march:
                        arrived = self.march
                        await self._take_place(bot, number)
                    await bot.client.clock.sleep(0.25)

        @bot.on(Joined)
        async def begin(event: Joined) -> None:
            await keep_in_step()

        @bot.on(Resumed)
        async def return_to_step(event: Resumed) -> None:
            await keep_in_step()

        if number == 0:
            bot.every(self.halt_s)(self.go_on)
        return bot

    async def _take_place(self, bot: Bot, number: int) -> None:
        with contextlib.suppress(Blocked, TimedOut):  # it falls in again at the next march
            await bot.walk_to(*self.place(number), speed=self.speed)
            await bot.face(0.0)

    def go_on(self) -> None:
        """To the next corner."""
        self.march += 1


def main() -> None:
    """Run the bots until Ctrl-C."""
    parser = options_for(__doc__)
    parser.add_argument("--bots", type=int, default=50, help="how many (%(default)s)")
    parser.add_argument("--at", type=float, nargs=2, default=(0.0, 0.0), metavar=("X", "Z"), help="metres")
    options = parser.parse_args()
    start_log()
    parade = Parade(*options.at)
    run_many(
        telling(parade.make_bot(options.url, number, access=options.access)) for number in range(options.bots)
    )


if __name__ == "__main__":
    main()
