"""The archive: what is written is read, whatever else is refused by name, and nothing is left half done."""

import contextlib
import json
import os
import re
import shutil
import stat
import struct
import time
import tracemalloc
import zipfile
import zlib

import msgpack
import pytest
from sqlalchemy import Boolean, DateTime, Numeric

from populated import ERASED, everything, next_account, populate
from worldloom.app.secrets import open_secrets, restore_secrets, secrets_to_keep
from worldloom.cli.doctor import check_secrets
from worldloom.cli.main import main
from worldloom.cli.verdict import State
from worldloom.config import load as load_config
from worldloom.errors import ConfigError, StoreUnavailable, WorldloomError
from worldloom.persistence import archive_read, archive_write
from worldloom.persistence import load as loading
from worldloom.persistence import lock as locking
from worldloom.persistence.archive import About, ArchiveError
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.archive_write import TableRows, write_archive
from worldloom.persistence.backups import backup_name, before_name, newest, prune
from worldloom.persistence.dump import KINDS, dump
from worldloom.persistence.load import load
from worldloom.persistence.lock import FileLock, lock_path
from worldloom.persistence.migrate import migrate
from worldloom.persistence.revisions import head_revision
from worldloom.persistence.tables import metadata

ABOUT = About("w" * 32, "Testland", "20261122_foundation")
ROWS = [
    (1, "plain", b"bytes", 0.5, None),
    (-(2**63), "", b"", -0.0, None),
    (2**63 - 1, "\N{SNOWMAN}" * 100, bytes(range(256)) * 40, 1e308, None),
]
COLUMNS = ("a", "b", "c", "d", "e")
FILES = {"secrets.toml": b'server = "00"\n'}


def table(rows=ROWS, name="thing", columns=COLUMNS, last_id=None):
    return TableRows(name, columns, rows, 1, last_id)


def read(path):
    """Everything in an archive: about, rows by table, files."""
    with open_archive(path) as archive:
        tables = {entry.name: list(archive.rows(entry)) for entry in archive.manifest.tables}
        files = {entry.name: archive.file(entry.name) for entry in archive.manifest.files}
        return archive.manifest.about, tables, files


def check(path):
    with open_archive(path) as archive:
        archive.check()


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "w.worldloom"
    write_archive(path, ABOUT, [table(), table([], "empty")], FILES)
    return path


@pytest.fixture
def rewritten(written):
    """Writes the archive anew with other members; those that are not named stay."""

    def rewrite(changed, extra=(), compression=zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(written) as source:
            members = [(name, changed.get(name, source.read(name))) for name in source.namelist()]
        with zipfile.ZipFile(written, "w", compression) as target:
            for name, content in [*members, *extra]:
                target.writestr(name, content)
        return written

    return rewrite


@pytest.fixture
def manifest(written):
    with zipfile.ZipFile(written) as source:
        return json.loads(source.read("manifest.json"))


# ---- what is written is read


def test_what_is_written_is_read(written):
    assert read(written) == (ABOUT, {"thing": ROWS, "empty": []}, FILES)


def test_an_archive_is_for_its_owner_alone_and_no_part_is_left(written):
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_the_manifest_tells_what_is_in_it(written):
    with open_archive(written) as archive:
        found = archive.manifest
        assert archive.file("other") is None
    assert (found.format, found.rows, found.rows_of("thing"), found.rows_of("none")) == (1, 3, 3, 0)
    assert re.fullmatch(r"\d{8}T\d{6}Z", found.made)


def test_an_archive_that_is_there_is_not_overwritten(written):
    before = written.read_bytes()
    with pytest.raises(ArchiveError, match="expected a new file"):
        write_archive(written, ABOUT, [table()], {})
    assert written.read_bytes() == before


def test_whoever_fails_while_writing_leaves_nothing(tmp_path):
    def rows():
        yield ROWS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "w", ABOUT, [table(rows())], {})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_written_over(tmp_path):
    (tmp_path / "w.part").write_bytes(b"half" * 10_000)
    write_archive(tmp_path / "w", ABOUT, [table()], {})
    assert [path.name for path in tmp_path.iterdir()] == ["w"]
    check(tmp_path / "w")


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="expected to write it; got: Not a directory"):
        write_archive(tmp_path / "file" / "w", ABOUT, [table()], {})


def test_a_row_too_large_to_be_read_again_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_write, "MAX_ROW_BYTES", 1_000)
    with pytest.raises(ArchiveError, match="rows of at most 1000 bytes, got 1014"):
        write_archive(tmp_path / "w", ABOUT, [table([(bytes(1_010),)], columns=("a",))], {})


@pytest.mark.slow
def test_a_large_world_is_never_in_memory_as_a_whole(tmp_path):
    tile = zlib.compress(bytes(25_000)) * 500
    tile = tile[:25_000]
    tracemalloc.start()
    try:
        write_archive(
            tmp_path / "w", ABOUT, [table(((n, tile) for n in range(2_000)), columns=("n", "data"))], {}
        )
        check(tmp_path / "w")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8e6


# ---- whatever else is refused


@pytest.mark.parametrize("content", [b"", b"PK", b"SQLite format 3\0" * 9, b"PK\x03\x04"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"/w: expected (an archive|the end of an archive)"):
        check(tmp_path / "w")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    for path, what in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ArchiveError, match=f"expected an archive; got: {what}"):
            check(path)


def test_a_zip_of_somebody_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "w", "w") as other:
        other.writestr("holiday.jpg", b"1")
    with pytest.raises(ArchiveError, match=r"manifest\.json is damaged"):
        check(tmp_path / "w")


def test_an_archive_cut_off_anywhere_is_refused(written):
    whole = written.read_bytes()
    for length in range(0, len(whole), 13):
        written.write_bytes(whole[:length])
        with pytest.raises(ArchiveError):
            check(written)


@pytest.mark.parametrize("junk", [b"\n", b"junk" * 100, b"PK\x05\x06" + bytes(18)])
def test_what_is_put_before_or_after_is_refused(written, junk):
    whole = written.read_bytes()
    for content in (junk + whole, whole + junk, whole + whole):
        written.write_bytes(content)
        with pytest.raises(ArchiveError):
            check(written)


def test_a_changed_byte_is_refused_or_changes_nothing(written):
    whole, truth, refused = written.read_bytes(), read(written), 0
    for at in range(0, len(whole), 3):
        written.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            found = read(written)
        except ArchiveError:
            refused += 1
        else:
            # What is said of version and time has no bearing on the rows.
            assert found == truth
    assert refused > len(whole) / 3 * 0.75


def test_a_newer_format_is_refused_with_the_version_to_install(rewritten, manifest):
    path = rewritten({"manifest.json": json.dumps({"format": 2, "worldloom": "9.8", "news": [1]})})
    with pytest.raises(ArchiveError, match=r"format 1 or older, got 2.*Worldloom '9\.8'"):
        check(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", 4),
        ("rows", -1),
        ("rows", 2**60),
        ("sha256", "0" * 64),
        ("sha256", "short"),
        ("bytes", 1),
        ("columns", ["a"]),
        ("columns", []),
        ("name", "../thing"),
        ("name", "other"),
        ("last_id", "1"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(rewritten, manifest, key, value):
    manifest["tables"][0][key] = value
    with pytest.raises(ArchiveError, match="is damaged: "):
        check(rewritten({"manifest.json": json.dumps(manifest)}))


def packed(*rows):
    return b"".join(msgpack.packb(row) for row in rows)


@pytest.mark.parametrize(
    "content",
    [
        packed([1, 2], 3),
        packed([1, 2, 3]),
        packed([1, [2]]),
        packed([1, {}]),
        packed([1, True]),
        packed([1, msgpack.ExtType(1, b"x")]),
        packed([1, 2])[:-1],
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\x92\x01\xc6\xff\xff\xff\xff",
        b"\x92\x01\xa1\xff",
        b"\x91" * 3_000,
    ],
)
def test_members_that_hold_no_plain_rows_are_refused_though_their_checksum_is_right(
    tmp_path, monkeypatch, content
):
    class Bare:
        def pack(self, row):
            return row

    path = tmp_path / "w"
    monkeypatch.setattr(archive_write.msgpack, "Packer", Bare)
    write_archive(path, ABOUT, [table([content], columns=("a", "b"))], {})
    with pytest.raises(ArchiveError, match="thing is damaged"):
        check(path)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused_before_it_is_unpacked(rewritten):
    path = rewritten({"tables/thing.msgpack": bytes(50_000_000)})
    tracemalloc.start()
    with pytest.raises(ArchiveError, match=r"bytes in tables/thing\.msgpack: expected \d+, got 50000000"):
        check(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_a_member_whose_sizes_lie_together_gives_no_more_than_they_say(written, rewritten):
    """The zip's own list says the right size, too; the stream behind it goes on."""
    with zipfile.ZipFile(written) as source:
        right = source.getinfo("tables/thing.msgpack").file_size
    path = rewritten({"tables/thing.msgpack": bytes(5_000_000)})
    forged = path.read_bytes().replace(struct.pack("<L", 5_000_000), struct.pack("<L", right))
    path.write_bytes(forged)
    with pytest.raises(ArchiveError, match="thing is damaged"):
        check(path)


def test_a_row_over_the_limit_is_refused(written, monkeypatch):
    monkeypatch.setattr(archive_read, "MAX_ROW_BYTES", 1_000)
    monkeypatch.setattr(archive_read, "_CHUNK_BYTES", 1_000)
    with pytest.raises(ArchiveError, match="thing is damaged"):
        check(written)


def test_a_huge_manifest_is_refused_unread(rewritten):
    with pytest.raises(
        ArchiveError, match=r"manifest\.json is damaged: bytes: expected at most 1048576, got 2000000"
    ):
        check(rewritten({"manifest.json": b" " * 2_000_000}))


def test_a_member_more_than_the_manifest_names_is_refused(rewritten):
    with pytest.raises(ArchiveError, match="members: expected"):
        check(rewritten({}, extra=[("tables/more.msgpack", b"")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(rewritten):
    with pytest.raises(ArchiveError, match="members: expected"):
        check(rewritten({}, extra=[("tables/thing.msgpack", b"")]))


def test_another_compression_is_refused(rewritten):
    with pytest.raises(ArchiveError, match="kind of compression: expected 8, got 14"):
        check(rewritten({}, compression=zipfile.ZIP_LZMA))


# ---- a world into an archive and out of it


@pytest.fixture
def url(tmp_path):
    made = f"sqlite:///{tmp_path / 'from' / 'world.db'}"
    populate(made)
    return made


@pytest.fixture
def exported(tmp_path, url):
    dump(url, lambda about: tmp_path / "exported", {})
    return tmp_path / "exported"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "to" / "world.db"


def load_into(target, path, **options):
    with open_archive(path) as archive:
        load(f"sqlite:///{target}", archive, **options)


def test_every_table_and_column_is_in_an_archive(exported):
    with open_archive(exported) as archive:
        found = {entry.name: set(entry.columns) for entry in archive.manifest.tables}
    assert found == {
        name: {column.name for column in table.columns} for name, table in metadata.tables.items()
    }


def test_every_column_has_a_type_that_means_the_same_on_every_engine():
    kinds = {f"{column}": column.type for table in metadata.tables.values() for column in table.columns}
    assert [name for name, kind in kinds.items() if not isinstance(kind, KINDS)] == []
    assert not any(isinstance(kind, KINDS) for kind in (Boolean(), DateTime(), Numeric()))


def test_a_world_comes_out_as_it_went_in(url, exported, target):
    told = []
    load_into(target, exported, progress=lambda *step: told.append(step))
    assert everything(f"sqlite:///{target}") == everything(url)
    assert ("tile", 12, 12) in told
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {path.name for path in target.parent.iterdir()} == {"world.db", "world.db.lock"}
    migrate(f"sqlite:///{target}")


def test_an_id_that_was_given_once_is_not_given_again(exported, target):
    load_into(target, exported)
    assert next_account(f"sqlite:///{target}") == ERASED + 1


def test_a_database_without_a_world_is_not_dumped(tmp_path):
    url = f"sqlite:///{tmp_path / 'world.db'}"
    with pytest.raises(WorldloomError, match="expected the database of a world, got no file"):
        dump(url, lambda about: tmp_path / "w", {})
    assert list(tmp_path.iterdir()) == []
    migrate(url)
    with pytest.raises(WorldloomError, match="got one without; start the server once"):
        dump(url, lambda about: tmp_path / "w", {})
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    with pytest.raises(WorldloomError, match="expected the database of a world; got: file is not"):
        dump(url, lambda about: tmp_path / "w", {})


def test_a_database_that_is_there_is_left_as_it_is(exported, target):
    url = f"sqlite:///{target}"
    populate(url, tiles=1)
    before = everything(url)
    with pytest.raises(WorldloomError, match=r"expected no database in .*, got world\.db.* --data"):
        load_into(target, exported)
    assert everything(url) == before


def test_the_log_of_a_database_that_was_taken_away_is_in_the_way(exported, target):
    target.parent.mkdir()
    target.with_name("world.db-wal").write_bytes(b"of another")
    with pytest.raises(WorldloomError, match=r"got world\.db-wal"):
        load_into(target, exported)
    assert not target.exists()


def test_a_folder_that_a_server_uses_is_refused(exported, target):
    lock = FileLock(lock_path(target))
    with pytest.raises(WorldloomError, match="another server is using the world"):
        load_into(target, exported)
    lock.close()
    load_into(target, exported)


def test_little_room_is_told_before_anything_is_written(exported, target, monkeypatch):
    monkeypatch.setattr(loading.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(WorldloomError, match="expected 0 MB of free disk for the world, got 0 MB; make room"):
        load_into(target, exported)
    assert not target.exists()


def test_a_disk_that_fills_up_meanwhile_leaves_no_database(exported, target, monkeypatch):
    monkeypatch.setattr(loading, "_BULK", loading._BULK | {"max_page_count": 30})
    with pytest.raises(StoreUnavailable, match=r"the world was not loaded: .* is full"):
        load_into(target, exported)
    assert not target.parent.exists()


def test_a_load_that_fails_leaves_a_folder_that_was_there_as_it_was(tmp_path, target):
    write_archive(tmp_path / "w", ABOUT, [table()], {})
    target.parent.mkdir()
    for _ in range(2):
        with pytest.raises(ArchiveError):
            load_into(target, tmp_path / "w")
    assert list(target.parent.iterdir()) == []
    lock_path(target).touch()
    with pytest.raises(ArchiveError):
        load_into(target, tmp_path / "w")
    assert list(target.parent.iterdir()) == [lock_path(target)]


def test_a_lock_whose_file_is_taken_away_at_that_moment_is_taken_anew(tmp_path, monkeypatch):
    path, lock_it = tmp_path / "lock", locking._lock
    then = iter([path.unlink, lambda: None])

    def lock(descriptor):
        lock_it(descriptor)
        next(then)()

    monkeypatch.setattr(locking, "_lock", lock)
    with contextlib.closing(FileLock(path)):
        assert path.exists()
        with pytest.raises(WorldloomError, match="another server is using the world"):
            FileLock(path)


def test_a_dump_leaves_the_folder_of_a_world_as_it_was(tmp_path, url):
    before = {path.name for path in (tmp_path / "from").iterdir()}
    dump(url, lambda about: tmp_path / "w", {})
    assert {path.name for path in (tmp_path / "from").iterdir()} == before


def test_an_unknown_revision_is_refused_with_the_version_to_install(tmp_path, target):
    write_archive(tmp_path / "w", About("w", "W", "20990101_future"), [table()], {})
    with pytest.raises(ArchiveError, match=rf"revision {head_revision()} or older, got 20990101_future"):
        load_into(target, tmp_path / "w")
    assert not target.parent.exists()


def test_tables_that_the_revision_does_not_have_are_refused(tmp_path, target):
    write_archive(tmp_path / "w", ABOUT, [table()], {})
    with pytest.raises(ArchiveError, match="missing: account, content, tile, token, world; unknown: thing"):
        load_into(target, tmp_path / "w")
    assert not target.parent.exists()


def test_damage_that_is_found_at_the_very_end_leaves_no_database(exported, target):
    with zipfile.ZipFile(exported) as source:
        last = source.getinfo("tables/tile.msgpack")
    whole = bytearray(exported.read_bytes())
    whole[last.header_offset + 30 + len(last.filename) + last.compress_size // 2] ^= 0xFF
    exported.write_bytes(whole)
    with pytest.raises(ArchiveError, match="is damaged"):
        load_into(target, exported)
    assert not target.exists()
    assert not target.with_name("world.db.part").exists()


def rows_of(path):
    """An archive as it can be written anew: about, tables with their rows."""
    with open_archive(path) as archive:
        entries = archive.manifest.tables
        made = {
            e.name: TableRows(e.name, e.columns, list(archive.rows(e)), e.rows, e.last_id) for e in entries
        }
        return archive.manifest.about, made


@pytest.mark.parametrize("change", ["account", "token"])
def test_rows_that_break_a_rule_of_the_database_leave_none(tmp_path, exported, target, change):
    about, tables = rows_of(exported)
    tables[change].rows.append(tables[change].rows[0])
    write_archive(tmp_path / "w", about, tables.values(), {})
    with pytest.raises(ArchiveError, match=f"expected rows that fit the table {change}, got some .* UNIQUE"):
        load_into(target, tmp_path / "w")
    assert not target.exists()


def test_references_to_rows_that_are_not_there_leave_no_database(tmp_path, exported, target):
    about, tables = rows_of(exported)
    tables["content"].rows.pop()
    write_archive(tmp_path / "w", about, tables.values(), {})
    with pytest.raises(WorldloomError, match="expected whole references"):
        load_into(target, tmp_path / "w")
    assert not target.exists()


def test_what_is_refused_at_the_last_step_undoes_all(exported, target):
    def refuse():
        assert not target.exists()
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        load_into(target, exported, before_commit=refuse)
    assert not target.parent.exists()


# ---- the folder of backups, and the secrets


def test_backups_are_named_by_world_and_time():
    assert backup_name("Höhe 7 / Süd!", 0.0) == "h-he-7-s-d.19700101T000000Z.worldloom"
    assert backup_name("世界", 0.0) == "world.19700101T000000Z.worldloom"
    assert backup_name("Before", 0.0) == "before.19700101T000000Z.worldloom"
    assert backup_name("Before dawn", 0.0) == "world-before-dawn.19700101T000000Z.worldloom"
    assert before_name("20261122_order", 0.0) == "before-20261122_order.19700101T000000Z.worldloom"


def test_only_old_backups_by_hand_are_removed(tmp_path):
    names = [backup_name(world, when) for world, when in (("b", 0.0), ("a", 60.0), ("c", 120.0))]
    kept = [before_name("20261122_order", 0.0), "mine.worldloom", "notes.txt", "fresh.worldloom.part"]
    for name in [*names, *kept, "old.worldloom.part"]:
        (tmp_path / name).touch()
    day_ago = time.time() - 100_000
    os.utime(tmp_path / "old.worldloom.part", (day_ago, day_ago))
    removed = prune(tmp_path, 2)
    assert {path.name for path in removed} == {names[0], "old.worldloom.part"}
    assert {path.name for path in tmp_path.iterdir()} == {*names[1:], *kept}


def test_the_newest_backup_is_known(tmp_path):
    assert newest(tmp_path / "none") is None
    (tmp_path / backup_name("a", 0.0)).touch()
    assert abs(newest(tmp_path) - time.time()) < 60


def test_secrets_go_into_a_backup_and_come_back(tmp_path):
    made = open_secrets(tmp_path / "a")
    kept = secrets_to_keep(tmp_path / "a")
    restore_secrets(tmp_path / "b", kept["secrets.toml"])
    restore_secrets(tmp_path / "b", kept["secrets.toml"])
    assert open_secrets(tmp_path / "b") == made
    assert stat.S_IMODE((tmp_path / "b" / "secrets.toml").stat().st_mode) == 0o600
    open_secrets(tmp_path / "c")
    with pytest.raises(ConfigError, match="got others, of another world"):
        restore_secrets(tmp_path / "c", kept["secrets.toml"])
    with pytest.raises(ConfigError, match="expected the secrets of a world that was served"):
        secrets_to_keep(tmp_path / "d")


# ---- the commands


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The data folder of a world that was served."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "world"
    populate(f"sqlite:///{data / 'world.db'}")
    open_secrets(data)
    return data


def test_a_backup_is_made_verified_and_restored_by_its_commands(world, tmp_path, capsys):
    assert main(["backup", "--data", str(world)]) == 0
    told = capsys.readouterr().out
    [made] = (world / "backups").iterdir()
    assert re.search(r"rows, 12 tiles, 9 accounts, 0\.0 MB, \d+\.\d s", told)
    assert f"worldloom restore {made}" in told
    assert main(["backup", "--check", str(made)]) == 0
    assert "a backup, with the server's secrets" in capsys.readouterr().out
    assert main(["restore", str(made), "--data", str(tmp_path / "new")]) == 0
    assert f"worldloom serve --data {tmp_path / 'new'}" in capsys.readouterr().out
    assert everything(f"sqlite:///{tmp_path / 'new' / 'world.db'}") == everything(
        f"sqlite:///{world / 'world.db'}"
    )
    assert open_secrets(tmp_path / "new") == open_secrets(world)
    assert main(["restore", str(made), "--data", str(tmp_path / "new")]) == 2
    assert "got world.db" in capsys.readouterr().err


def test_old_backups_go_when_asked(world, capsys):
    folder = world / "backups"
    folder.mkdir(mode=0o700)
    for when in range(5):
        (folder / backup_name("a", when)).touch()
    assert main(["backup", "--data", str(world), "--keep", "2"]) == 0
    assert "removed: 4 older" in capsys.readouterr().out
    assert len(list(folder.iterdir())) == 2


def test_an_export_is_imported_and_is_no_backup(world, tmp_path, capsys):
    assert main(["export", "--data", str(world), "-o", "w"]) == 0
    assert main(["backup", "--check", "w"]) == 0
    assert "an export, without secrets" in capsys.readouterr().out
    assert main(["restore", "w", "--data", "new"]) == 2
    assert "worldloom import takes it" in capsys.readouterr().err
    assert main(["import", "w", "--data", "new"]) == 0
    assert "New secrets are in new: keep them" in capsys.readouterr().out
    config = load_config(None, {}, {"server.data": str(tmp_path / "new")})
    assert (check_secrets(config).state, check_secrets(config).found) == (State.OK, "closed to others")


def test_an_import_keeps_the_secrets_that_are_there_and_makes_none_when_it_is_refused(
    world, tmp_path, capsys
):
    assert main(["export", "--data", str(world), "-o", "w"]) == 0
    own = open_secrets(tmp_path / "own")
    assert main(["import", "w", "--data", "own"]) == 0
    assert "New secrets" not in capsys.readouterr().out
    assert open_secrets(tmp_path / "own") == own
    write_archive(tmp_path / "bad", ABOUT, [table()], {})
    assert main(["import", "bad", "--data", "new"]) == 2
    assert not (tmp_path / "new").exists()


def test_a_backup_is_imported_without_its_secrets(world, tmp_path, capsys):
    assert main(["backup", "--data", str(world), "-o", "w"]) == 0
    assert main(["import", "w", "--data", "new"]) == 0
    assert "its secrets were left out" in capsys.readouterr().out
    assert open_secrets(tmp_path / "new") != open_secrets(world)


def test_a_restore_beside_other_secrets_is_refused_before_anything_is_done(world, tmp_path, capsys):
    main(["backup", "--data", str(world), "-o", "w"])
    before = open_secrets(tmp_path / "new")
    assert main(["restore", "w", "--data", "new"]) == 2
    assert "got others, of another world" in capsys.readouterr().err
    assert open_secrets(tmp_path / "new") == before
    assert not (tmp_path / "new" / "world.db").exists()


def test_a_restore_that_was_interrupted_after_the_secrets_is_said_again(world, tmp_path):
    main(["backup", "--data", str(world), "-o", "w"])
    restore_secrets(tmp_path / "new", secrets_to_keep(world)["secrets.toml"])
    assert main(["restore", "w", "--data", "new"]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["backup", "--data", "nowhere"], "nowhere: expected the data folder of a world"),
        (["backup", "--check", "nowhere"], "nowhere: expected an archive; got: No such file"),
        (["restore", "nowhere"], "nowhere: expected an archive"),
        (["import", "nowhere"], "nowhere: expected an archive"),
        (["export", "--data", "nowhere", "-o", "w"], "expected the database of a world, got no file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", ["0", "-1", "many"])
def test_keeping_none_is_wrong_use(keep, capsys):
    with pytest.raises(SystemExit):
        main(["backup", f"--keep={keep}"])
    assert "expected an integer of at least 1" in capsys.readouterr().err
