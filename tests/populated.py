"""A populated world in a database, and all rows of a database, to compare."""

import hashlib
import os
import random
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

from databases import sqlite_database
from worldloom.persistence.migrate import migrate

WORLD = {"id": 1, "world_id": "0123456789abcdef" * 2, "name": "Höhe 7", "seed": 2**63 - 1, "created_ms": 5}
ERASED = 2_000
"""An id that was given to an account that is gone."""


def populate(url: str, tiles: int = 12, accounts: int = 9, tile_bytes: int = 300) -> None:
    """Migrate a database and fill it: bots before their owners, ids that are gone, land, an audit log."""
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not file.exists():
        sqlite_database(file)
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
        if "purse" in there:
            fill_money(connection)
        if "deed" in there:
            fill_land(connection)
        if "overlay" in there:
            put(connection, "overlay", [edited(number) for number in range(3)])
        if "audit" in there:
            acts = [
                {"at_ms": n, "by_name": "Ann", "act": "ban", "about": "Bob", "detail": "é"} for n in range(5)
            ]
            put(connection, "audit", acts)
            connection.execute(text("UPDATE account SET owner_id = :last WHERE id = 1"), {"last": accounts})
        if "listing" in there:
            fill_market(connection)
    engine.dispose()


def fill_money(connection: Any) -> None:
    """Transfers as the database accepts them: three to account 1, of which one rests, and a receipt for each."""
    is_postgres = connection.dialect.name == "postgresql"
    added = "INSERT INTO purse (kind, account_id, balance) VALUES ('person', 1, 900) RETURNING id"
    purse = connection.execute(text(added)).scalar_one()
    for n in range(1, 4):
        drawn = (
            connection.execute(text("SELECT nextval('transfer_id_seq')")).scalar_one() if is_postgres else n
        )
        legs = f"({drawn}, 1, -300), ({drawn}, {purse}, 300)"
        connection.execute(text(f"INSERT INTO posting (transfer_id, purse_id, amount) VALUES {legs}"))
        put(
            connection, "transfer", [{"id": drawn, "at_ms": 2**53 + n, "kind": "mint", "memo": "é", "ref": n}]
        )
        told = {"key": bytes([n] * 16), "request": bytes(32), "answer": bytes([0, 255, n]), "refused": n % 2}
        put(connection, "receipt", [{"account_id": 1, "at_ms": n, **told}])
    connection.execute(text("UPDATE purse SET balance = -600 WHERE id = 1"))
    put(connection, "pending", [{"transfer_id": drawn, "purse_id": 1, "amount": -300}])
    put(connection, "granted", [{"account_id": 2, "network": "2001:db8::/64", "at_ms": 7}])


def fill_market(connection: Any) -> None:
    """On the two estates: an auction with a bid, an offer to one account, a lease and its offer; two notices."""
    where = {"shape": 2, "parcels": 3, "px": -524_272, "pz": 524_287, "name": "é", "fee": 250}
    offered = {**where, "fingerprint": "f" * 32, "created_ms": 2**53}
    sold = {"kind": "auction", "seller_id": 1, "price": 5, "asked": 17, "step": 7, "ends_ms": 2**53 - 2}
    put(connection, "listing", [{**offered, **sold, "estate_id": 1, "top_id": 2, "top_bid": 10}])
    sold = {"kind": "sale", "seller_id": 2, "price": 10**15, "asked": 10**15, "step": 0, "ends_ms": 2**53 - 1}
    put(connection, "listing", [{**offered, **sold, "estate_id": 2, "only_id": 1}])
    terms = {"rent": 10**15, "period_ms": 60_000, "renewable": 1, "estate_id": 2}
    put(
        connection,
        "lease_offer",
        [{**offered, **terms, "owner_id": 2, "max_periods": 1_000, "free_ms": 2**53}],
    )
    times = {"from_ms": 2**53, "until_ms": 2**53 + 60_000, "latest_ms": 2**53 + 120_000, "tell_ms": 2**53 + 6}
    put(connection, "lease", [{**terms, **times, "tenant_id": 1, "fee": 0}])
    put(connection, "closed_listing", [{"id": 700, "estate_id": 5, "how": "sold", "at_ms": 7}])
    told = [{"account_id": 2, "kind": "bid", "at_ms": 2**53, "detail": bytes([129, 0, 255])}]
    put(connection, "notice", [{**told[0], "read": 1}, {**told[0], "read": 0}])


def fill_land(connection: Any) -> None:
    """Two estates at the ends of the world, one that is gone, an open region, and a register of which one row waits."""
    rows = [
        {"owner_id": min(n, 2), "name": "é", "description": "", "shape": 2**31 - 1, "parcels": 1}
        | {"locked_until_ms": 2**53, "created_ms": n, "landing_x": -(2**31), "landing_z": 2**31 - 1}
        | {"landing_y": -32_768, "landing_yaw": 255}
        for n in (1, 2, 3)
    ]
    put(connection, "estate", rows)
    connection.execute(text("DELETE FROM estate WHERE id = 3"))
    put(connection, "deed", [{"px": 524_287, "pz": -524_272, "estate_id": 1, "since_ms": 2**53}])
    put(connection, "zone", [{"rx": -32_767, "rz": 32_767, "price": 10**11, "by_id": 1, "since_ms": 7}])
    told = {"kind": "claim", "estate_id": 3, "account_id": 1, "transfer_id": 2**53, "detail": '{"é":1}'}
    put(connection, "register", [{"at_ms": 2**53 + n, **told} for n in range(3)])
    put(connection, "seal", [{"number": n, "register_id": n, "hash": bytes([n] * 32)} for n in (1, 2)])
    put(connection, "unsealed", [{"register_id": 3}])


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
