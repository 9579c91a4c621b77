"""Secrets: made once, closed to others, never printed, never half-written."""

import pytest

from worldloom.app.secrets import (
    METRICS_TOKEN_FILE,
    SECRETS_FILE,
    metrics_token,
    open_secrets,
    read_secret_file,
    write_atomically,
)
from worldloom.errors import ConfigError


def test_first_start_makes_a_secret_that_only_its_owner_can_read(tmp_path):
    data = tmp_path / "world" / "data"
    made = open_secrets(data)
    assert len(made.server) == 32
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / SECRETS_FILE).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in data.iterdir()} == {SECRETS_FILE, METRICS_TOKEN_FILE}


def test_the_metrics_token_lies_beside_the_secret_for_its_owner_alone(tmp_path):
    made = open_secrets(tmp_path)
    path = tmp_path / METRICS_TOKEN_FILE
    assert path.read_text() == f"{metrics_token(made)}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(metrics_token(made)) == 64
    assert made.server.hex() not in path.read_text()


@pytest.mark.parametrize("left", [None, b"another\n"])
def test_a_metrics_token_that_was_lost_or_changed_is_written_again(tmp_path, left):
    path, made = tmp_path / METRICS_TOKEN_FILE, open_secrets(tmp_path)
    path.unlink()
    for content in filter(None, [left]):
        write_atomically(path, content)
    open_secrets(tmp_path)
    assert path.read_text().strip() == metrics_token(made)


def test_the_secret_stays_and_every_world_has_its_own(tmp_path):
    assert open_secrets(tmp_path / "a") == open_secrets(tmp_path / "a")
    assert open_secrets(tmp_path / "a") != open_secrets(tmp_path / "b")


def test_a_secret_is_never_printed(tmp_path):
    made = open_secrets(tmp_path)
    assert made.server.hex() not in repr(made)
    assert repr(made.server) not in repr(made)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_can_read_is_refused_with_what_to_do(tmp_path, mode):
    open_secrets(tmp_path)
    (tmp_path / SECRETS_FILE).chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_secrets(tmp_path)


@pytest.mark.parametrize("text", ["", "server = 5", 'server = "change-me"', 'server = "abcd"', "[", "\x00"])
def test_a_secret_that_is_none_is_refused_and_not_replaced(tmp_path, text):
    write_atomically(tmp_path / SECRETS_FILE, text.encode())
    with pytest.raises(ConfigError, match="64 hex digits"):
        open_secrets(tmp_path)
    assert (tmp_path / SECRETS_FILE).read_text() == text


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "x"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_data_folder_that_is_a_file_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="expected a folder"):
        open_secrets(tmp_path / "file")


def test_a_secret_file_that_is_missing_is_told_of(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_secret_file(tmp_path / "none")
