"""The doctor: each check finds what is wrong, and says what to do."""

import socket

import pytest

from worldloom.app.secrets import open_secrets
from worldloom.cli.doctor import (
    State,
    check_clock,
    check_data,
    check_disk,
    check_files,
    check_packages,
    check_port,
    check_python,
    check_secrets,
    check_sqlite,
    check_tls,
    checks,
)
from worldloom.cli.main import main
from worldloom.config import load


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 6, 23), "ok"), ((3, 7, 0), "warn"), ((3, 40, 1), "warn"), ((3, 51, 2), "warn"), ((3, 51, 3), "ok")],
)
def test_sqlite_with_the_wal_fault_is_warned_of(version, state):
    assert check_sqlite(version).state == state


def test_the_warning_says_why_the_server_is_safe_and_what_mends_it():
    advice = check_sqlite((3, 40, 1)).advice
    assert "one connection" in advice
    assert "3.51.3" in advice


def test_with_postgresql_the_wal_fault_does_not_matter():
    assert check_sqlite((3, 40, 1), uses_sqlite=False).state is State.OK


def test_an_old_python_fails():
    assert check_python((3, 10, 9)).state is State.FAIL


def test_a_missing_package_fails_with_the_command_that_installs_it():
    check = check_packages({"no_such_module": "no-such-thing"})
    assert check.state is State.FAIL
    assert "no-such-thing" in check.found
    assert "worldloom[server]" in check.advice


def test_a_taken_port_fails(taken_port):
    assert check_port("127.0.0.1", taken_port).state is State.FAIL
    assert check_port("127.0.0.1", 0).state is State.OK


def test_an_address_of_another_machine_fails():
    assert check_port("192.0.2.1", 0).state is State.FAIL


def test_a_data_folder_open_to_others_is_warned_of(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    assert check_data(data).state is State.WARN
    data.chmod(0o700)
    assert check_data(data).state is State.OK
    assert list(data.iterdir()) == []


def test_a_data_folder_to_be_made_is_fine(tmp_path):
    assert check_data(tmp_path / "not" / "yet").state is State.OK


def test_a_data_folder_below_a_file_fails_or_is_made_elsewhere(tmp_path):
    (tmp_path / "file").touch()
    assert check_data(tmp_path / "file").found


def test_secrets_open_to_others_fail(tmp_path):
    config = load(None, {}, {"server.data": str(tmp_path / "d")})
    assert check_secrets(config).state is State.OK
    open_secrets(tmp_path / "d")
    assert check_secrets(config).state is State.OK
    (tmp_path / "d" / "secrets.toml").chmod(0o644)
    assert check_secrets(config).state is State.FAIL


def test_more_files_than_the_hard_limit_fail_with_the_command():
    check = check_files(2**62)
    assert check.state is State.FAIL
    assert "LimitNOFILE" in check.advice


def test_a_clock_that_was_never_set_fails():
    assert check_clock(0).state is State.FAIL


def test_missing_certificates_fail(tmp_path):
    assert check_tls("no.pem", "no.key").state is State.FAIL
    assert check_tls("", "").state is State.OK


def test_free_disk_is_told_in_gib(tmp_path):
    assert "GiB free" in check_disk(tmp_path).found


def test_doctor_runs_every_check_and_its_exit_code_tells_of_failures(capsys, monkeypatch, taken_port):
    monkeypatch.setenv("WORLDLOOM_SERVER__HOST", "127.0.0.1")
    monkeypatch.setenv("WORLDLOOM_SERVER__PORT", "0")
    assert main(["doctor"]) == 0
    assert "Ready" in capsys.readouterr().out
    monkeypatch.setenv("WORLDLOOM_SERVER__PORT", str(taken_port))
    assert main(["doctor"]) == 1
    assert "worldloom status" in capsys.readouterr().out


def test_checks_have_names_of_their_own():
    names = [check.name for check in checks(load(None, {}, {}))]
    assert len(names) == len(set(names)) >= 12
