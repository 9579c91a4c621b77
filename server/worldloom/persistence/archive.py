"""Archive: one file that holds the rows of a world, checksummed: its manifest, its limits, its errors. Knows no SQL.

A zip: ``tables/NAME.msgpack`` holds a table's rows, a MessagePack array each, one after the other; ``files/NAME`` is a
file of the server, such as its secrets; ``manifest.json``, written last, tells what the others must be.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from worldloom.errors import WorldloomError

__all__ = [
    "FORMAT",
    "MANIFEST",
    "MAX_FILE_BYTES",
    "MAX_ROW_BYTES",
    "TOLD_EVERY_ROWS",
    "About",
    "ArchiveError",
    "FileEntry",
    "Manifest",
    "Progress",
    "Row",
    "TableEntry",
    "file_member",
    "no_progress",
    "sync_folder",
    "table_member",
    "utc_stamp",
]

FORMAT = 1
"""Rises when an older program can no longer read what is written."""
MANIFEST = "manifest.json"
MAX_ROW_BYTES = 64 << 20
"""Of one row, packed; a larger one is neither written nor read."""
MAX_FILE_BYTES = 1 << 20
TOLD_EVERY_ROWS = 256
"""Rows between two reports of progress."""

Row = tuple[int | str | bytes | float | None, ...]
Progress = Callable[[str, int, int], None]
"""Told a table, its rows done and its rows in all."""

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Plain = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,100}$")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**48)]
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class ArchiveError(WorldloomError):
    """A file is no archive, a damaged one, or one of a newer program; or it cannot be written."""


class About(msgspec.Struct, frozen=True):
    """Whose rows they are."""

    world_id: _Text
    world_name: _Text
    revision: _Name
    """Of the tables, as Alembic calls it."""


class TableEntry(msgspec.Struct, frozen=True):
    """What a table's member must be."""

    name: _Name
    columns: Annotated[tuple[_Name, ...], msgspec.Meta(min_length=1, max_length=500)]
    rows: _Size
    bytes: _Size
    """Unpacked from the zip."""
    sha256: _Sha256
    last_id: _Id | None = None
    """The highest id that was ever given, to rows that are gone included; None where ids are not counted."""


class FileEntry(msgspec.Struct, frozen=True):
    """What a file's member must be."""

    name: _Name
    bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: _Sha256


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds."""

    format: int
    worldloom: _Plain
    """The version that wrote it."""
    made: _Plain
    """When reading began; UTC, as 20261122T111830Z."""
    about: About
    tables: Annotated[tuple[TableEntry, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    files: Annotated[tuple[FileEntry, ...], msgspec.Meta(max_length=100)] = ()

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        """Bytes of all rows, unpacked."""
        return sum(table.bytes for table in self.tables)

    def rows_of(self, name: str) -> int:
        """Rows of one table; 0 if it is not there."""
        return next((table.rows for table in self.tables if table.name == name), 0)


def no_progress(_table: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def utc_stamp(unix_s: float) -> str:
    """A moment as it stands in names and manifests: 20261122T111830Z."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(unix_s))


def table_member(name: str) -> str:
    """Where a table's rows are."""
    return f"tables/{name}.msgpack"


def file_member(name: str) -> str:
    """Where a file is."""
    return f"files/{name}"


def sync_folder(folder: Path) -> None:
    """Make a rename durable; only POSIX lets a folder be opened for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
