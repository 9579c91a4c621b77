"""Logs: lines for people or JSON for machines, on standard error. Knows no part that logs.

A line that repeats is limited, and what looks like a token or password is blotted out, should one slip in.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

from worldloom.config import LogConfig

__all__ = ["JsonFormatter", "RepeatLimit", "TextFormatter", "blot", "setup_logs"]

REPEATS = 5
"""Lines of one kind within ``WINDOW_S`` that are written; more are counted."""
WINDOW_S = 10.0
_MAX_KINDS = 1_024
"""Kinds of lines remembered; the one longest quiet is forgotten first."""

_NAMED_SECRET = re.compile(r"(?i)\b(token|resume|password|secret|authorization)(\W{1,3})([^\s,;&\"']{4,})")
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s/@]+(@)")
_RANDOM_TEXT = re.compile(r"(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{40,}")
_MIGRATIONS = "alembic.runtime.migration"
_COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31;1m"}
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
"""Attributes that every record has; any other was given as ``extra``."""


def setup_logs(config: LogConfig, stream: TextIO | None = None) -> None:
    """Send all logs of the process to one stream; call once, at start.

    Args:
        config: Level and format.
        stream: Standard error by default; coloured only if it is a terminal.
    """
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        JsonFormatter() if config.format == "json" else TextFormatter(coloured=target.isatty())
    )
    handler.addFilter(RepeatLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.level.upper())
    logging.captureWarnings(True)
    # Libraries tell of each connection or statement at INFO; here that is a metric.
    for name in ("uvicorn", "uvicorn.access", "asyncio", "sqlalchemy", "alembic", "mqtt"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    migrations = logging.getLogger(_MIGRATIONS)
    migrations.setLevel(root.level)
    migrations.addFilter(_is_of_a_migration)


def _is_of_a_migration(record: logging.LogRecord) -> bool:
    """Whether a line of Alembic tells of a migration that runs, or of something wrong; not of its own set-up."""
    return record.levelno >= logging.WARNING or str(record.msg).startswith("Running ")


def _names_a_migration(record: logging.LogRecord) -> bool:
    """Whether a line has the names and title of a migration of ours and nothing else: no secret, however it looks."""
    told = (record.name, record.levelno, record.msg)
    return told == (_MIGRATIONS, logging.INFO, "Running %s") and not record.exc_info and not _extras(record)


class RepeatLimit(logging.Filter):
    """Lets a kind of line (logger, level, text before its arguments) through ``repeats`` times a window.

    The first line after the window tells how many were left out. Memory is bounded.
    """

    def __init__(
        self,
        repeats: int = REPEATS,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._repeats, self._window_s, self._clock = repeats, window_s, clock
        self._kinds: dict[tuple[str, int, str], tuple[float, int]] = {}
        """Start of the window, in seconds of the clock, and lines in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; marks it when others were left out before."""
        # Migrations have one template, and each is another fact: there are as many as a release has, and no more.
        if record.levelno >= logging.CRITICAL or record.name == _MIGRATIONS:
            return True
        kind, now = (record.name, record.levelno, str(record.msg)), self._clock()
        start, count = self._kinds.pop(kind, (now, 0))
        if now - start >= self._window_s:
            if count > self._repeats:
                record.left_out = count - self._repeats
            start, count = now, 0
        self._kinds[kind] = (start, count + 1)
        if len(self._kinds) > _MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        return count < self._repeats


class TextFormatter(logging.Formatter):
    """``2026-01-31 12:00:00.123 INFO  worldloom.shard  text  key=value``, and tracebacks below."""

    def __init__(self, *, coloured: bool = False) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """One line, more with a traceback."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        fields = "".join(f"  {name}={value}" for name, value in _extras(record).items())
        line = (
            f"{moment}.{int(record.msecs):03d} {record.levelname:7} {record.name}  "
            f"{one_line(record.getMessage())}{one_line(fields)}"
        )
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        line = line if _names_a_migration(record) else blot(line)
        colour = _COLOURS.get(record.levelname, "") if self._coloured else ""
        return f"{colour}{line}\x1b[0m" if colour else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts (Unix seconds), level, logger, msg, traceback if any, and extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "ts": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage() if _names_a_migration(record) else blot(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = blot(self.formatException(record.exc_info))
        for name, value in _extras(record).items():
            plain = isinstance(value, bool | int | float) or value is None
            entry.setdefault(name, value if plain else blot(str(value)))
        return json.dumps(entry, ensure_ascii=False)


def blot(text: str) -> str:
    """The text with passwords and anything that looks like a token replaced by ``***``; hex stays."""
    text = _NAMED_SECRET.sub(r"\1\2***", text)
    return _RANDOM_TEXT.sub("***", _URL_PASSWORD.sub(r"\1***\2", text))


def one_line(text: str) -> str:
    """The text with control characters escaped, so that nobody can forge a line or colour a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
