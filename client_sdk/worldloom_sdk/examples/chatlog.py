"""Writes down what is said near it, as JSON lines, and says so: a bot that records must not do it in secret.

python -m worldloom_sdk.examples.chatlog 127.0.0.1:8420 --file chat.jsonl

It tells whoever comes near, and leaves out whoever says "off the record" to it, until it is started again. A file that
is full (--kilobytes) becomes chat.jsonl.1, and the oldest is deleted (--files): what is said is not kept for ever.
"""

import contextlib
import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from worldloom_sdk import Bot, Client, Refused, Spoke, Whispered
from worldloom_sdk.examples.starting import options_for, telling, who

NOTE = 'I write down what is said here. Say "off the record", and your lines are left out.'
HEARS_M = 20.0
REMEMBERED = 1000


def write_down(text: str, file: Path, kilobytes: int, files: int) -> None:
    """Add a line to a file of at most so many kB; a full one becomes ``.1``, and that ``.2``, up to ``files``."""
    with contextlib.closing(
        RotatingFileHandler(file, "a", kilobytes * 1000, max(files - 1, 1), encoding="utf-8")
    ) as book:
        book.handle(logging.makeLogRecord({"msg": text}))


def make_bot(
    where: str | Client,
    name: str = "Chronicler",
    file: Path = Path("chat.jsonl"),
    kilobytes: int = 1000,
    files: int = 3,
    **who: Any,
) -> Bot:
    """A bot that writes down what it hears."""
    bot = Bot(where, name=name, **who)
    told: dict[int, None] = {}
    left_out: set[int] = set()

    @bot.every(2.0)
    async def tell() -> None:
        newcomers = [other.id for other in bot.nearby(HEARS_M) if other.id not in told]
        if not newcomers:
            return
        try:
            await bot.say(NOTE)
        except Refused:
            return  # too many lines: it tells them in two seconds, and writes nothing of theirs until then
        told.update(dict.fromkeys(newcomers))
        while len(told) > REMEMBERED:
            del told[next(iter(told))]

    @bot.on(Spoke, check=lambda line: "off the record" in line.text.lower())
    async def leave_out(line: Spoke) -> None:
        left_out.add(line.avatar)
        await bot.say(f"{line.name}, I leave you out.")

    @bot.on(Whispered, check=lambda line: "off the record" in line.text.lower())
    async def leave_out_quietly(line: Whispered) -> None:
        left_out.add(line.avatar)
        await bot.whisper(line.avatar, "I leave you out.")

    @bot.on(Spoke, check=lambda line: line.avatar in told and line.avatar not in left_out)
    def write(line: Spoke) -> None:
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "name": line.name,
            "how": line.kind.name.lower(),
            "text": line.text,
        }
        write_down(json.dumps(entry, ensure_ascii=False), file, kilobytes, files)

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Chronicler")
    parser.add_argument("--file", type=Path, default=Path("chat.jsonl"), help="(%(default)s)")
    parser.add_argument("--kilobytes", type=int, default=1000, help="of each file (%(default)s)")
    parser.add_argument("--files", type=int, default=3, help="how many are kept, at least 2 (%(default)s)")
    options = parser.parse_args()
    os.umask(0o077)  # what people said is nobody else's business on this machine
    print(f"This bot records what people near it say, in {options.file}, and tells them so.", flush=True)
    bot = make_bot(
        options.url, file=options.file, kilobytes=options.kilobytes, files=options.files, **who(options)
    )
    telling(bot).run()


if __name__ == "__main__":
    main()
