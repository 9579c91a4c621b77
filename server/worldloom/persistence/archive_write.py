"""Writing an archive: rows as they come, never all in memory; the file appears when it is whole. Knows no SQL."""

import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

import msgpack
import msgspec

from worldloom.persistence.archive import (
    FORMAT,
    MANIFEST,
    MAX_FILE_BYTES,
    MAX_ROW_BYTES,
    TOLD_EVERY_ROWS,
    About,
    ArchiveError,
    FileEntry,
    Manifest,
    Progress,
    Row,
    TableEntry,
    file_member,
    no_progress,
    sync_folder,
    table_member,
    utc_stamp,
)
from worldloom.persistence.rights import owner_hint

__all__ = ["TableRows", "write_archive"]

_LEVEL = 1
"""Most bytes are tiles, which are compressed already: a higher level costs time and saves nothing."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table to be written."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]
    expected: int
    """Rows, for the progress alone."""
    last_id: int | None = None


def write_archive(
    path: Path,
    about: About,
    tables: Iterable[TableRows],
    files: Mapping[str, bytes],
    progress: Progress = no_progress,
) -> Manifest:
    """Write an archive for its owner alone: ``PATH.part``, flushed to the disk, then renamed.

    Raises:
        ArchiveError: The file is there, or cannot be written; nothing is left behind.
    """
    began_s = time.time()
    with (
        _whole_file(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as out,
    ):
        written = tuple(_write_table(out, table, progress) for table in tables)
        kept = tuple(_write_file(out, name, content) for name, content in files.items())
        manifest = Manifest(FORMAT, _version(), utc_stamp(began_s), about, written, kept)
        out.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


def _write_table(out: zipfile.ZipFile, table: TableRows, progress: Progress) -> TableEntry:
    packer, digest, rows, size = msgpack.Packer(), hashlib.sha256(), 0, 0
    with out.open(table_member(table.name), "w", force_zip64=True) as member:
        for row in table.rows:
            packed = packer.pack(row)
            if len(packed) > MAX_ROW_BYTES:
                raise ArchiveError(
                    f"table {table.name}: expected rows of at most {MAX_ROW_BYTES} bytes, got {len(packed)}"
                )
            member.write(packed)
            digest.update(packed)
            rows, size = rows + 1, size + len(packed)
            if rows % TOLD_EVERY_ROWS == 0:
                progress(table.name, rows, max(rows, table.expected))
    progress(table.name, rows, rows)
    return TableEntry(table.name, table.columns, rows, size, digest.hexdigest(), table.last_id)


def _write_file(out: zipfile.ZipFile, name: str, content: bytes) -> FileEntry:
    if len(content) > MAX_FILE_BYTES:
        raise ArchiveError(f"{name}: expected at most {MAX_FILE_BYTES} bytes, got {len(content)}")
    out.writestr(file_member(name), content)
    return FileEntry(name, len(content), hashlib.sha256(content).hexdigest())


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all of it is on the disk."""
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise ArchiveError(f"{path}: expected a new file, got one that is there; choose another name")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except PermissionError as error:
        raise ArchiveError(
            f"{path}: expected to write it; got: {error.strerror}; {owner_hint(path)}"
        ) from None
    except OSError as error:
        raise ArchiveError(
            f"{path}: expected to write it; got: {error.strerror or error}. Make room, or choose another place"
        ) from None


def _version() -> str:
    try:
        return version("worldloom")
    except PackageNotFoundError:
        return "source"
