"""Keeps a place quiet: warns who repeats a line or shouts too much, and mutes for some minutes who goes on.

python -m worldloom_sdk.examples.moderator 127.0.0.1:8420 --key-file marshal.key

It takes a key with the scopes talk and order, of a bot that was given the role moderator; docs/bots.md shows how to
make it. It judges what it hears where it stands, and never staff. It bans nobody: that is for a person, who finds the
mutes and their reasons in the audit log.
"""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from worldloom_sdk import Bot, Client, Joined, Refused, Role, SayKind, Scope, Spoke
from worldloom_sdk.examples.starting import options_for, telling, who

WINDOW_S = 60.0
SAME_LINES = 3
SHOUTS = 4
FEW_LETTERS = 12
WARNED_FOR_S = 600.0
WATCHED = 1000

_log = logging.getLogger(__name__)


@dataclass
class Heard:
    """What one avatar said of late, and when it was warned."""

    lines: deque[tuple[float, str, bool]] = field(default_factory=lambda: deque(maxlen=20))
    warned: float = float("-inf")


def is_shouted(line: Spoke) -> bool:
    """Whether a line carries far, or is nearly all capitals."""
    letters = [letter for letter in line.text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    return line.kind is not SayKind.SAY or (len(letters) >= FEW_LETTERS and capitals > 0.7 * len(letters))


def fault_of(heard: Heard, line: Spoke, now: float) -> str:
    """Note a line; what is wrong with it and those before, or nothing."""
    plain = " ".join(line.text.casefold().split())
    heard.lines.append((now, plain, is_shouted(line)))
    fresh = [entry for entry in heard.lines if entry[0] > now - WINDOW_S]
    if sum(text == plain for _, text, _ in fresh) >= SAME_LINES:
        return "saying the same again and again"
    if fresh[-1][2] and sum(shouted for _, _, shouted in fresh) >= SHOUTS:
        return "shouting too much"
    return ""


def make_bot(where: str | Client, name: str = "Marshal", minutes: int = 5, **who: Any) -> Bot:
    """A bot that warns, then mutes."""
    bot = Bot(where, name=name, **who)
    everybody: dict[int, Heard] = {}

    @bot.on(Joined)
    def look_at_key(event: Joined) -> None:
        scopes = bot.client.scopes
        if bot.client.role not in (Role.MODERATOR, Role.OWNER) or (scopes and Scope.ORDER not in scopes):
            _log.warning(
                "%s: expected the role moderator and a key with the scope order, got %s and %s: it warns, but cannot "
                "mute", bot.name, bot.client.role, ", ".join(sorted(scopes)) if scopes else "no key",
            )  # fmt: skip

    @bot.on(Spoke)
    async def judge(line: Spoke) -> None:
        heard = everybody.pop(line.avatar, None) or Heard()
        everybody[line.avatar] = heard  # who spoke last is forgotten last
        while len(everybody) > WATCHED:
            del everybody[next(iter(everybody))]
        now = bot.client.clock.monotonic()
        fault = fault_of(heard, line, now)
        if not fault or await is_staff(bot, line.avatar):
            return
        heard.lines.clear()
        if now - heard.warned > WARNED_FOR_S:
            heard.warned = now
            return await bot.whisper(line.avatar, f"Please stop {fault}, or I have to mute you.")
        await mute(bot, line, fault, minutes)

    return bot


async def is_staff(bot: Bot, avatar: int) -> bool:
    """Whether somebody keeps order here."""
    await bot.name_of(avatar)
    known = bot.client.view.name_of(avatar)
    return known is not None and known.kind in (Role.MODERATOR, Role.OWNER)


async def mute(bot: Bot, line: Spoke, fault: str, minutes: int) -> None:
    """Have somebody be quiet for some minutes; the reason is told to them, and is in the audit log."""
    try:
        await bot.staff.mute(line.avatar, fault, minutes=minutes)
    except Refused as refusal:
        _log.warning("%s: %s was not muted: %s", bot.name, line.name, refusal)
    else:
        _log.info("%s: muted %s for %d minutes: %s", bot.name, line.name, minutes, fault)


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Marshal")
    parser.add_argument("--minutes", type=int, default=5, help="how long a mute lasts (%(default)s)")
    options = parser.parse_args()
    telling(make_bot(options.url, minutes=options.minutes, **who(options))).run()


if __name__ == "__main__":
    main()
