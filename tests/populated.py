"""A populated world in a database, and all rows of a database, to compare."""

import hashlib
import os
import random
import sys
from typing import Any

from sqlalchemy import create_engine, inspect, text

from worldloom.persistence.migrate import migrate

WORLD = {"id": 1, "world_id": "0123456789abcdef" * 2, "name": "Höhe 7", "seed": 2**63 - 1, "created_ms": 5}
ERASED = 2_000
"""An id that was given to an account that is gone."""


def populate(url: str, tiles: int = 12, accounts: int = 9, tile_bytes: int = 300) -> None:
    """Migrate a database and fill it: bots before their owners, ids that are gone, land, an audit log."""
    migrate(url)
    fill(url, tiles, accounts, tile_bytes)


def fill(url: str, tiles: int, accounts: int, tile_bytes: int) -> None:
    """Fill the tables of the first revision, and what later ones brought where they are there."""
    engine = create_engine(url)
    with engine.begin() as connection:
        put(connection, "world", [WORLD])
        put(connection, "account", [account(number) for number in range(1, accounts + 1)])
        put(connection, "token", [token(number) for number in range(1, accounts + 1)])
        land = [piece(number, tile_bytes) for number in range(tiles)]
        put(connection, "content", [content for content, _ in land])
        put(connection, "tile", [placed for _, placed in land])
        put(connection, "account", [account(ERASED)])
        connection.execute(text(f"DELETE FROM account WHERE id = {ERASED}"))
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT setval('account_id_seq', {ERASED})"))
        there = inspect(connection).get_table_names()
        if "style" in there:
            put(connection, "style", [styled(number) for number in range(tiles)])
        if "overlay" in there:
            put(connection, "overlay", [edited(number) for number in range(3)])
        if "audit" in there:
            acts = [
                {"at_ms": n, "by_name": "Ann", "act": "ban", "about": "Bob", "detail": "é"} for n in range(5)
            ]
            put(connection, "audit", acts)
            connection.execute(text("UPDATE account SET owner_id = :last WHERE id = 1"), {"last": accounts})
    engine.dispose()


def account(number: int) -> dict[str, Any]:
    place = (-(2**31), 2**31 - 1, -32768, 255) if number % 2 else (None,) * 4
    x, z, y, yaw = place
    named = {
        "id": number,
        "name": f"Ann {number} \N{SNOWMAN}",
        "skeleton": f"ann {number}",
        "created_ms": 10 * number,
    }
    return named | {"place_x": x, "place_z": z, "place_y": y, "place_yaw": yaw}


def token(number: int) -> dict[str, Any]:
    return {
        "token_sha256": hashlib.sha256(str(number).encode()).digest(),
        "account_id": number,
        "created_ms": 7,
    }


def piece(number: int, size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    data = random.Random(number).randbytes(size)
    sha256 = hashlib.sha256(data).hexdigest()
    content = {"sha256": sha256, "media_type": "application/octet-stream", "data": data, "made_ms": number}
    return content, {"rx": number, "rz": -number, "sha256": sha256, "source": "noise", "made_ms": number}


def styled(number: int) -> dict[str, Any]:
    chosen = {"style": random.Random(-number).randbytes(1 + number % 1_024), "words": "fjörd" * (number % 3)}
    return {"rx": 32_767 - number, "rz": number - 32_767, "made_ms": number} | chosen


def edited(number: int) -> dict[str, Any]:
    data = random.Random(-number).randbytes(200)
    return {"rx": number, "rz": -7, "version": 2**32 - 1 - number, "data": data, "edited_ms": 2**53 + number}


def put(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    values = ", ".join(f":{name}" for name in names)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), rows)


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows by table, in one order on every engine."""
    engine = create_engine(url)
    with engine.begin() as connection:
        found = {
            name: sorted((tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))), key=repr)
            for name in inspect(connection).get_table_names()
        }
    engine.dispose()
    return found


def next_account(url: str) -> int:
    """The id that the database gives to the next account."""
    engine = create_engine(url)
    with engine.begin() as connection:
        added = "INSERT INTO account (name, skeleton, created_ms) VALUES ('new', 'new', 1) RETURNING id"
        number: int = connection.execute(text(added)).scalar_one()
        connection.rollback()
    engine.dispose()
    return number


def environment() -> dict[str, str]:
    """For a process of its own that imports what the tests import."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
