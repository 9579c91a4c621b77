"""What the contract suites run on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from databases import empty, postgres_database, sqlite_database
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import SqlStore, open_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        migrate(url)
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    empty(postgres)
    return postgres


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return sqlite_database(tmp_path / "world.db")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    opened = open_store(store_url)
    yield opened
    await opened.close()
