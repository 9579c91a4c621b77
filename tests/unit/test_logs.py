"""Logs: their two forms, what is left out when lines repeat, and what is never written."""

import io
import json
import logging
import re
import secrets

import pytest

from worldloom.app.logs import REPEATS, JsonFormatter, RepeatLimit, TextFormatter, blot, setup_logs
from worldloom.config import LogConfig
from worldloom.persistence.migrate import migrate
from worldloom.persistence.revisions import known_revisions


@pytest.fixture
def root_logger():
    """The root logger, left as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def record(text="it is %s", args=("so",), **extra):
    made = logging.makeLogRecord({"name": "worldloom.x", "levelno": logging.INFO, "levelname": "INFO"})
    made.msg, made.args = text, args
    vars(made).update(extra)
    return made


def test_json_is_one_object_a_line_with_extra_fields():
    line = JsonFormatter().format(record(text="a\nb", args=(), region=[1, 2], took_ms=3))
    told = json.loads(line)
    assert "\n" not in line
    assert told["msg"] == "a\nb"
    assert told["logger"] == "worldloom.x"
    assert told["level"] == "info"
    assert told["took_ms"] == 3
    assert told["region"] == "[1, 2]"


def test_text_has_time_level_logger_message_and_fields():
    line = TextFormatter().format(record(took_ms=3))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO    worldloom\.x  it is so  took_ms=3", line
    )


def test_text_cannot_be_forged_by_control_characters():
    line = TextFormatter().format(record(text="%s", args=("a\nERROR fake \x1b[31m",)))
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_traceback_is_written_in_both_forms():
    try:
        raise RuntimeError("broken")
    except RuntimeError as error:
        failed = record(exc_info=(RuntimeError, error, error.__traceback__))
    assert "RuntimeError: broken" in TextFormatter().format(failed)
    assert "RuntimeError: broken" in json.loads(JsonFormatter().format(failed))["traceback"]


def test_colour_only_where_it_was_asked_for():
    warning = record(levelname="WARNING")
    assert "\x1b[33m" in TextFormatter(coloured=True).format(warning)
    assert "\x1b" not in TextFormatter().format(warning)


def test_of_alembic_only_migrations_that_run_are_told(root_logger):
    stream = io.StringIO()
    setup_logs(LogConfig(), stream)
    alembic = logging.getLogger("alembic.runtime.migration")
    alembic.info("Context impl %s.", "SQLiteImpl")
    alembic.info("Running %s %s -> %s", "upgrade", "none", "first")
    alembic.warning("something is wrong")
    assert [line.rpartition("  ")[2] for line in stream.getvalue().splitlines()] == [
        "Running upgrade none -> first",
        "something is wrong",
    ]


def test_repeated_lines_are_limited_and_counted():
    now = [0.0]
    limit = RepeatLimit(repeats=2, window_s=10, clock=lambda: now[0])
    assert [limit.filter(record(args=(n,))) for n in range(5)] == [True, True, False, False, False]
    assert limit.filter(record(text="another")) is True
    now[0] = 10.0
    later = record()
    assert limit.filter(later) is True
    assert later.left_out == 3


def test_critical_lines_are_never_left_out():
    limit = RepeatLimit(repeats=1)
    assert all(limit.filter(record(levelno=logging.CRITICAL)) for _ in range(5))


def test_every_migration_of_a_fresh_database_is_told(root_logger, tmp_path):
    stream = io.StringIO()
    setup_logs(LogConfig(), stream)
    migrate(f"sqlite:///{tmp_path / 'world.db'}")
    assert stream.getvalue().count("  Running upgrade ") == len(known_revisions()) > REPEATS


def test_kinds_of_lines_remembered_are_bounded():
    limit = RepeatLimit(repeats=1)
    passed = [limit.filter(record(text=f"line {n}")) for n in range(5_000)]
    assert all(passed)
    assert len(limit._kinds) <= 1_024


@pytest.mark.parametrize("attempt", range(20))
def test_a_token_is_blotted_out_wherever_it_stands(attempt):
    token = secrets.token_urlsafe(32)
    assert token not in blot(f"Hello({token!r}) from 127.0.0.1")
    assert token not in JsonFormatter().format(record(text="%s", args=(token,), given=token))


TITLE = "Codes stay good until who came with the token that was made from them has been heard."


@pytest.mark.parametrize("form", [TextFormatter(), JsonFormatter()])
def test_the_title_of_a_migration_is_told_whole_and_nothing_else_of_its_logger(form):
    step = f"upgrade 20261122_order -> 20261122_codes_heard, {TITLE}"
    migration = {"name": "alembic.runtime.migration", "levelno": logging.INFO}
    assert TITLE in form.format(record("Running %s", (step,), **migration))
    others = [
        record("Running %s", (step,), name="worldloom.app", levelno=logging.INFO),
        record("Running %s", (step,), name="alembic.runtime.migration", levelno=logging.WARNING),
        record("Context %s", (step,), **migration),
        record("Running %s", (step,), url="postgresql://ada:hunter2@db/hills", **migration),
    ]
    for other in others:
        line = form.format(other)
        assert "the token *** was made" in line
        assert "hunter2" not in line


@pytest.mark.parametrize(
    "text",
    ["password=hunter2", "token: hunter2", "postgresql+psycopg://me:hunter2@db/x", "Authorization: hunter2"],
)
def test_passwords_are_blotted_out(text):
    assert "hunter2" not in blot(text)


def test_hashes_and_plain_words_stay():
    text = f"tile {'0a' * 32} of region (3, -4) stored by noise"
    assert blot(text) == text


@pytest.mark.parametrize("form", ["text", "json"])
def test_setup_sends_everything_to_one_stream_at_the_level_asked_for(root_logger, form):
    stream = io.StringIO()
    setup_logs(LogConfig(level="info", format=form), stream)
    logging.getLogger("worldloom.y").info("seen")
    logging.getLogger("worldloom.y").debug("unseen")
    logging.getLogger("uvicorn.access").info("unseen")
    assert len(root_logger.handlers) == 1
    assert stream.getvalue().count("\n") == 1
    assert "seen" in stream.getvalue()
