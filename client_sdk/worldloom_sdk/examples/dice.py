"""A game of dice over Signal, in which the house cannot cheat: over seven, under seven, or seven itself.

python -m worldloom_sdk.examples.dice 127.0.0.1:8420

The rules, for a player's program; everything is JSON on the channel "dice", to the house's avatar and back:

{"play": true}      the house has rolled, and seals it: {"seal": sha256 of "SALT FIRST SECOND"}
{"bet": "over"}     or "under", or "seven": {"rolled": [4, 6], "salt": SALT, "won": 1, "score": 3}
anything else       {"error": "..."}

Over and under win 1 or lose 1, seven wins 4 or loses 1. Whoever hashes salt and dice sees that the roll was made before
the bet. Say "dice" beside it to be told of the game.
"""

import hashlib
import json
import random
import secrets
from dataclasses import dataclass
from typing import Any

from worldloom_sdk import Bot, Client, Signalled, Spoke
from worldloom_sdk.examples.starting import options_for, telling, who

CHANNEL = "dice"
BETS = {"over": 1, "under": 1, "seven": 4}
MOST_PLAYERS = 1000


@dataclass
class Table:
    """One player's game."""

    score: int = 0
    sealed: tuple[str, int, int] | None = None
    """Salt and the two dice, while a bet is awaited."""


def answer(table: Table, asked: object, dice: random.Random) -> dict[str, object]:
    """What the house answers; the rules of the game, and all of them."""
    match asked:
        case {"play": True}:
            if table.sealed is None:
                table.sealed = (f"{dice.getrandbits(128):032x}", dice.randint(1, 6), dice.randint(1, 6))
            sealed = " ".join(map(str, table.sealed))
            return {"seal": hashlib.sha256(sealed.encode()).hexdigest()}
        case {"bet": ("over" | "under" | "seven") as bet}:
            if table.sealed is None:
                return {"error": 'expected {"play": true} first'}
            salt, one, two = table.sealed
            fell = "seven" if one + two == 7 else "over" if one + two > 7 else "under"
            won = BETS[bet] if bet == fell else -1
            table.score, table.sealed = table.score + won, None
            return {"rolled": [one, two], "salt": salt, "won": won, "score": table.score}
    return {"error": 'expected {"play": true} or {"bet": "over", "under" or "seven"}'}


def read(data: bytes) -> object:
    """JSON, or ``None`` for what is none. Whatever players send must not stop the house."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def make_bot(where: str | Client, name: str = "House", dice: random.Random | None = None, **who: Any) -> Bot:
    """The house."""
    bot = Bot(where, name=name, **who)
    tables: dict[int, Table] = {}
    rolls = dice or secrets.SystemRandom()

    @bot.on(Signalled, check=lambda signal: signal.channel == CHANNEL)
    async def play(signal: Signalled) -> None:
        table = tables[signal.avatar] = tables.pop(signal.avatar, Table())
        while len(tables) > MOST_PLAYERS:
            del tables[next(iter(tables))]  # who played longest ago
        told = answer(table, read(signal.data), rolls)
        await bot.signal(CHANNEL, json.dumps(told).encode(), to=signal.avatar)
        if table.score > 0 and told.get("won") == BETS["seven"]:
            await bot.say(f"Seven! {await bot.name_of(signal.avatar) or 'Somebody'} has {table.score}.")

    @bot.on(Spoke, check=lambda line: "dice" in line.text.lower())
    async def tell(line: Spoke) -> None:
        await bot.whisper(line.avatar, f'Over, under or seven? Signal me on "{CHANNEL}": {{"play": true}}.')

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    options = options_for(__doc__, "House").parse_args()
    telling(make_bot(options.url, **who(options))).run()


if __name__ == "__main__":
    main()
