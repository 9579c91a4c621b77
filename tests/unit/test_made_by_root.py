"""What root makes by mistake in the data folder of another user, and what that user is told of what is root's."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from populated import populate
from worldloom.app.secrets import open_secrets
from worldloom.cli.doctor import check_backup
from worldloom.cli.main import main
from worldloom.cli.verdict import State
from worldloom.persistence.migrate import migrate
from worldloom.persistence.rights import owner_hint

pytestmark = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="only root makes files that are others'"
)

NOBODY = 65_534
AS_NOBODY = """
import contextlib, glob, io, os, shutil, sys
from worldloom.cli.main import main

words = sys.argv[2:]
# Once as root: whoever comes after may not be allowed to read the libraries.
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(words)
for path in glob.glob("data/backups/*"):
    os.unlink(path)  # Two of one second have one name.
if sys.argv[1]:
    shutil.rmtree(sys.argv[1])
    os.mkdir(sys.argv[1], 0o700)
os.setuid(65534)
sys.exit(main(words))
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """The data folder of a world that belongs to nobody, where they get to: pytest's own folders are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        open_secrets(data)
        migrate(f"sqlite:///{data / 'world.db'}")
        populate(f"sqlite:///{data / 'world.db'}")
        for path in (data, *data.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        yield data


def as_nobody(data: Path, *words: str, made_by_root: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, made_by_root, *words],
        cwd=data.parent,
        env={**os.environ, "WORLDLOOM_SERVER__DATA": "data"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_root_makes_there_is_that_users(data: Path) -> None:
    assert main(["backup", "--data", str(data)]) == 0
    (data / "metrics.token").unlink()
    open_secrets(data)
    (data / "new").mkdir()
    os.chown(data / "new", NOBODY, NOBODY)
    migrate(f"sqlite:///{data / 'new' / 'world.db'}")
    made = [data, *data.rglob("*")]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(NOBODY, NOBODY)}
    assert len(made) > 8


def test_what_root_makes_elsewhere_is_roots(data: Path, tmp_path: Path) -> None:
    assert main(["backup", "--data", str(data), "-o", str(tmp_path / "kept")]) == 0
    assert (tmp_path / "kept").stat().st_uid == 0


@pytest.mark.slow
def test_after_a_backup_by_root_that_user_makes_the_next(data: Path) -> None:
    done = as_nobody(data, "backup", "--keep", "1")
    assert (done.returncode, done.stderr) == (0, "")
    [kept] = (data / "backups").iterdir()
    assert kept.stat().st_uid == NOBODY


@pytest.mark.slow
def test_a_folder_for_backups_that_is_roots_is_named_with_the_command_that_mends_it(data: Path) -> None:
    done = as_nobody(data, "backup", made_by_root="data/backups")
    hint = f"it belongs to root: sudo chown -R nobody: {data / 'backups'}"
    told = f"data/backups: expected a folder to write backups to; got: Permission denied; {hint}"
    assert (done.returncode, done.stderr) == (2, f"worldloom: {told}\n")


def test_the_doctor_fails_a_folder_for_backups_that_is_roots(data: Path) -> None:
    (data / "backups").mkdir(mode=0o700)
    check = check_backup(data, 0.0)
    assert (check.state, check.found) == (
        State.FAIL,
        f"{data / 'backups'} belongs to root, the world to nobody",
    )
    assert check.advice == f"sudo chown -R nobody: {data / 'backups'}"
    os.chown(data / "backups", NOBODY, NOBODY)
    assert check_backup(data, 0.0).state is State.WARN


def test_what_is_somebody_elses_in_ones_own_folder_is_taken_back(data: Path) -> None:
    os.chown(data.parent, 0, 0)
    assert owner_hint(data / "world.db") == "it belongs to nobody: run it as that user: sudo -u nobody ..."
    assert owner_hint(data) == f"it belongs to nobody: sudo chown -R root: {data}"
