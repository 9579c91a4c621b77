"""Reading an archive: nothing that it says is believed, each size has a limit, damage is named. Knows no SQL."""

import contextlib
import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgpack
import msgspec

from worldloom.persistence.archive import (
    FORMAT,
    MANIFEST,
    MAX_ROW_BYTES,
    TOLD_EVERY_ROWS,
    ArchiveError,
    Manifest,
    Progress,
    Row,
    TableEntry,
    file_member,
    no_progress,
    table_member,
)

__all__ = ["Archive", "open_archive"]

MAX_MANIFEST_BYTES = 1 << 20
_CHUNK_BYTES = 256 << 10
_END = struct.Struct("<4s16xH")
_SIGNATURE, _END_SIGNATURE = b"PK\x03\x04", b"PK\x05\x06"
_ENCRYPTED = 0x1
_KINDS = frozenset({int, str, bytes, float, type(None)})
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    msgpack.UnpackException,
    msgspec.MsgspecError,
)
"""What zipfile, zlib, msgpack and msgspec raise over bytes that nobody wrote so."""


class _Origin(msgspec.Struct):
    """What every format's manifest says."""

    format: int
    worldloom: str = "a newer version"


class Archive:
    """An open archive. ``open_archive`` makes it.

    Attributes:
        path: The file.
        manifest: What it says that it holds; its members have the names and sizes that it says.
    """

    def __init__(self, path: Path, source: zipfile.ZipFile) -> None:
        self.path, self._zip = path, source
        self.manifest = self._read_manifest()
        self._check_members()

    def rows(self, table: TableEntry) -> Iterator[Row]:
        """The rows of a table, one by one. What was yielded counts only once the last one came.

        Raises:
            ArchiveError: They are not those that were written; perhaps after the last one.
        """
        with _naming(self.path, table.name):
            unpacker = msgpack.Unpacker(
                use_list=False,
                max_buffer_size=MAX_ROW_BYTES + _CHUNK_BYTES,
                max_array_len=len(table.columns),
                max_map_len=0,
                max_ext_len=0,
            )
            digest, size, rows = hashlib.sha256(), 0, 0
            for chunk in self._chunks(table_member(table.name)):
                digest.update(chunk)
                size += len(chunk)
                unpacker.feed(chunk)
                for row in unpacker:
                    rows += 1
                    yield _checked(row, len(table.columns), rows)
            _expect("bytes of whole rows", size, unpacker.tell())
            _expect("rows", table.rows, rows)
            _expect("sha256", table.sha256, digest.hexdigest())

    def file(self, name: str) -> bytes | None:
        """A file that was put in; None if it was not.

        Raises:
            ArchiveError: It is not the one that was written.
        """
        entry = next((entry for entry in self.manifest.files if entry.name == name), None)
        if entry is None:
            return None
        with _naming(self.path, name):
            content = b"".join(self._chunks(file_member(name)))
            _expect("sha256", entry.sha256, hashlib.sha256(content).hexdigest())
        return content

    def check(self, progress: Progress = no_progress) -> None:
        """Read all of it.

        Raises:
            ArchiveError: Something is not as it was written.
        """
        for entry in self.manifest.files:
            self.file(entry.name)
        for table in self.manifest.tables:
            for number, _ in enumerate(self.rows(table), 1):
                if number % TOLD_EVERY_ROWS == 0:
                    progress(table.name, number, table.rows)
            progress(table.name, table.rows, table.rows)

    def _chunks(self, member: str) -> Iterator[bytes]:
        """The bytes of a member; zipfile gives no more than the size that was checked, and looks at the CRC."""
        with self._zip.open(member) as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk

    def _read_manifest(self) -> Manifest:
        with _naming(self.path, MANIFEST):
            _expect_at_most("bytes", MAX_MANIFEST_BYTES, self._zip.getinfo(MANIFEST).file_size)
            text = b"".join(self._chunks(MANIFEST))
            origin = msgspec.json.decode(text, type=_Origin)
            if origin.format <= FORMAT:
                return msgspec.json.decode(text, type=Manifest)
        raise ArchiveError(
            f"{self.path}: expected an archive of format {FORMAT} or older, got {origin.format}; "
            f"it was written by Worldloom {origin.worldloom[:40]!r}: install that version"
        )

    def _check_members(self) -> None:
        sizes = {table_member(table.name): table.bytes for table in self.manifest.tables}
        sizes |= {file_member(entry.name): entry.bytes for entry in self.manifest.files}
        found = [info for info in self._zip.infolist() if info.filename != MANIFEST]
        with _naming(self.path, "the list of members"):
            _expect("members", sorted(sizes), sorted(info.filename for info in found))
            _expect("the first at", 0, min(info.header_offset for info in found))
            for info in self._zip.infolist():
                _expect("kind of compression", zipfile.ZIP_DEFLATED, info.compress_type)
                _expect("encryption", 0, info.flag_bits & _ENCRYPTED)
            for info in found:
                _expect(f"bytes in {info.filename}", sizes[info.filename], info.file_size)


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive and look at its manifest; its rows are checked as they are read.

    Raises:
        ArchiveError: It is no archive, is cut off or longer than it was written, or is of a newer program.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise ArchiveError(f"{path}: expected an archive; got: {error.strerror or error}") from None
        _check_ends(path, file)
        with _naming(path, "the list of members"):
            source = stack.enter_context(zipfile.ZipFile(file))
        yield Archive(path, source)


def _check_ends(path: Path, file: IO[bytes]) -> None:
    """Zip readers forgive what comes before and after; here it is damage."""
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        raise ArchiveError(f"{path}: expected an archive of a world, got another kind of file")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size))
    last = file.read()
    if len(last) < _END.size or _END.unpack(last) != (_END_SIGNATURE, 0):
        raise ArchiveError(
            f"{path}: expected the end of an archive, got {size} bytes that end otherwise: it was cut off, "
            "or something was appended. Use another backup"
        )
    file.seek(0)


def _checked(row: Any, columns: int, number: int) -> Row:
    if type(row) is not tuple or len(row) != columns or not _KINDS.issuperset(map(type, row)):
        raise ValueError(f"row {number}: expected {columns} plain values, got something else")
    return row


def _expect(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise ValueError(f"{what}: expected {_short(expected)}, got {_short(got)}")


def _expect_at_most(what: str, limit: int, got: int) -> None:
    if got > limit:
        raise ValueError(f"{what}: expected at most {limit}, got {got}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else f"{text[:300]}..."


@contextlib.contextmanager
def _naming(path: Path, part: str) -> Iterator[None]:
    """Say which part of which archive is damaged."""
    try:
        yield
    except _DAMAGE as error:
        raise ArchiveError(
            f"{path}: {part} is damaged: {str(error) or type(error).__name__}. Use another backup"
        ) from error
