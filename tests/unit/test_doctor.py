"""The doctor: each check finds what is wrong, and says what to do."""

import contextlib
import shutil
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from databases import postgres_database, psql
from worldloom.app.secrets import open_secrets
from worldloom.cli.database import check_database
from worldloom.cli.doctor import (
    check_backup,
    check_clock,
    check_data,
    check_disk,
    check_door,
    check_environment,
    check_files,
    check_packages,
    check_python,
    check_secrets,
    check_sqlite,
    check_tls,
    checks,
)
from worldloom.cli.generator import check_generator
from worldloom.cli.main import main
from worldloom.cli.port import check_port
from worldloom.cli.verdict import State
from worldloom.config import ServerConfig, WorldgenConfig, load
from worldloom.persistence.backups import backup_name
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import open_store

NOWHERE = Path("no-such-folder")


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
    taken = check_port(ServerConfig(host="127.0.0.1", port=taken_port), NOWHERE)
    assert (taken.state, "Address already in use" in taken.found) == (State.FAIL, True)
    assert check_port(ServerConfig(host="127.0.0.1", port=0), NOWHERE).state is State.OK


def test_an_address_of_another_machine_fails_with_what_to_name_instead():
    check = check_port(ServerConfig(host="192.0.2.1", port=0), NOWHERE)
    assert (check.state, "choose another --host" in check.advice) == (State.FAIL, True)


def test_a_low_port_without_the_right_tells_of_that_right(monkeypatch, taken_port):
    def refuse(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        "worldloom.cli.port.socket.socket", type("Socket", (socket.socket,), {"bind": refuse})
    )
    # Nothing answers there: a port of the system's choice is never 0.
    check = check_port(ServerConfig(host="127.0.0.1", port=0), NOWHERE)
    assert (check.state, check.found) == (State.FAIL, "127.0.0.1:0: Permission denied")
    assert "CAP_NET_BIND_SERVICE" in check.advice
    assert "your world" not in check.advice


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


def test_a_database_to_be_made_is_fine(tmp_path):
    assert check_database(f"sqlite:///{tmp_path / 'world.db'}").state is State.OK
    assert list(tmp_path.iterdir()) == []


def test_a_postgresql_that_does_not_answer_fails_without_its_password():
    check = check_database("postgresql+psycopg://me:hunter2@127.0.0.1:9/x")
    assert (check.state, "hunter2" in check.found) == (State.FAIL, False)
    assert "cannot be reached" in check.found


def test_a_postgresql_is_asked_for_its_tables():
    with postgres_database() as url:
        assert "will be made at first start" in check_database(url).found
        migrate(url)
        check = check_database(url)
        assert (check.state, check.found) == (State.OK, "PostgreSQL answers")
        psql(url, "UPDATE alembic_version SET version_num = 'later'")
        assert check_database(url).state is State.FAIL


def test_a_database_newer_than_the_program_fails(tmp_path):
    path = tmp_path / "world.db"
    migrate(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE alembic_version SET version_num = 'later'")
        base.commit()
    check = check_database(f"sqlite:///{path}")
    assert (check.state, "newer than this program" in check.found) == (State.FAIL, True)


def test_a_world_whose_secrets_are_gone_is_warned_of(tmp_path):
    data = tmp_path / "d"
    config = load(None, {}, {"server.data": str(data)})
    open_secrets(data)
    migrate(config.storage_url)
    assert check_secrets(config).state is State.OK
    (data / "secrets.toml").unlink()
    check = check_secrets(config)
    assert (check.state, "Reports sealed before" in check.found) == (State.WARN, True)


def test_a_password_that_newcomers_need_and_that_is_not_there_fails(tmp_path):
    file = tmp_path / "door"
    environ = {"WORLDLOOM_ACCESS__MODE": "password", "WORLDLOOM_ACCESS__PASSWORD_FILE": str(file)}
    config = load(None, environ, {})
    assert check_door(config).state is State.FAIL
    file.write_text("sesame\n")
    assert "chmod 600" in check_door(config).found
    file.chmod(0o600)
    assert check_door(config).state is State.OK


def test_a_check_that_may_not_look_is_a_line_and_not_a_fault(tmp_path, monkeypatch):
    def closed(_data):
        raise PermissionError(13, "Permission denied", str(tmp_path / "world.db"))

    monkeypatch.setattr("worldloom.cli.doctor.check_disk", closed)
    found = {check.name: check for check in checks(load(None, {}, {"server.data": str(tmp_path)}))}
    assert found["disk"].state is State.FAIL
    assert f"{tmp_path / 'world.db'}: Permission denied" in found["disk"].found


def test_a_whole_database_is_read_and_left_as_it_is(tmp_path):
    url = f"sqlite:///{tmp_path / 'world.db'}"
    migrate(url)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    check = check_database(url)
    assert (check.state, "is whole" in check.found) == (State.OK, True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_database_with_a_log_left_by_a_crash_is_read_with_it(tmp_path):
    path, copy = tmp_path / "world.db", tmp_path / "copy.db"
    migrate(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE later (x)")
        base.commit()
        for suffix in ("", "-wal"):
            copy.with_name(f"copy.db{suffix}").write_bytes(path.with_name(f"world.db{suffix}").read_bytes())
    assert "is whole" in check_database(f"sqlite:///{copy}").found
    with contextlib.closing(sqlite3.connect(copy)) as base:
        assert base.execute("SELECT count(*) FROM later").fetchone() == (0,)


async def test_a_database_that_a_server_holds_is_not_looked_into(tmp_path):
    url = f"sqlite:///{tmp_path / 'world.db'}"
    migrate(url)
    store = open_store(url)
    found = check_database(url).found
    await store.close()
    assert "in use by a server" in found
    assert "is whole" in check_database(url).found


def test_a_file_that_is_no_database_fails_with_what_to_do(tmp_path):
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    check = check_database(f"sqlite:///{tmp_path / 'world.db'}")
    assert check.state is State.FAIL
    assert "world.db: file is not a database" in check.found
    assert "restore a backup" in check.advice
    assert [path.name for path in tmp_path.iterdir()] == ["world.db"]


def test_a_database_damaged_within_fails(tmp_path):
    path = tmp_path / "world.db"
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as base:
        page_bytes = base.execute("PRAGMA page_size").fetchone()[0]
    base.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * page_bytes] + b"\xa5" * (len(whole) - 2 * page_bytes))
    assert check_database(f"sqlite:///{path}").state is State.FAIL


def test_a_variable_that_sets_nothing_is_warned_of():
    check = check_environment({"WORLDLOOM_SERVER_PORT": "1", "WORLDLOOM_TEST_MQTT": "x"})
    assert check.state is State.WARN
    assert "did you mean WORLDLOOM_SERVER__PORT?" in check.found
    assert check_environment({"WORLDLOOM_SERVER__PORT": "1", "WORLDLOOM_TEST_MQTT": "x"}).state is State.OK


def test_secrets_open_to_others_fail(tmp_path):
    config = load(None, {}, {"server.data": str(tmp_path / "d")})
    assert check_secrets(config).state is State.OK
    open_secrets(tmp_path / "d")
    assert check_secrets(config).state is State.OK
    (tmp_path / "d" / "secrets.toml").chmod(0o644)
    assert check_secrets(config).state is State.FAIL


def test_a_served_world_without_a_new_backup_is_warned_of(tmp_path):
    now = time.time()
    assert check_backup(tmp_path, now).state is State.OK
    open_secrets(tmp_path)
    assert check_backup(tmp_path, now).state is State.WARN
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / backup_name("a", now)).touch()
    assert check_backup(tmp_path, now).state is State.OK
    late = check_backup(tmp_path, now + 9 * 86_400)
    assert (late.state, "9.0 days old" in late.found) == (State.WARN, True)


def test_more_files_than_the_hard_limit_fail_with_the_command():
    check = check_files(2**62)
    assert check.state is State.FAIL
    assert "LimitNOFILE" in check.advice


def test_a_clock_that_was_never_set_fails():
    assert check_clock(0).state is State.FAIL


def test_missing_certificates_fail_by_name():
    check = check_tls("no.pem", "no.key", 0.0)
    assert (check.state, "no.pem: No such file" in check.found) == (State.FAIL, True)
    assert check_tls("", "", 0.0).state is State.OK


def certificate(folder, name, *options):
    openssl = shutil.which("openssl") or pytest.skip("needs openssl to make a certificate")
    cert, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    making = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 90 -subj /CN=localhost"
    files = ["-keyout", key, "-out", cert, *options]
    subprocess.run([openssl, *making.split(), *files], check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize(
    ("days", "state", "told"),
    [
        (-1, "fail", "is not valid before"),
        (1, "ok", ""),
        (68, "ok", ""),
        (70, "warn", "20.0 days from now"),
        (91, "fail", "expired on"),
    ],
)
def test_a_certificate_is_good_from_its_first_day_to_three_weeks_before_its_last(tmp_path, days, state, told):
    check = check_tls(*certificate(tmp_path, "a", "-nodes"), time.time() + 86_400 * days)
    assert (check.state, told in check.found) == (state, True)


def test_the_key_of_another_certificate_and_one_with_a_password_fail(tmp_path):
    cert, key = certificate(tmp_path, "a", "-nodes")
    other, _ = certificate(tmp_path, "b", "-nodes")
    locked = certificate(tmp_path, "c", "-passout", "pass:word")
    now = time.time()
    assert "the key of another one" in check_tls(other, key, now).found
    assert "a key without a password is needed" in check_tls(*locked, now).found
    assert check_tls(cert, key, now).state is State.OK


@pytest.fixture
def without_weights(monkeypatch, tmp_path):
    """An installation with all that the trained generator needs but its weights."""
    monkeypatch.setattr("worldloom.worldgen.sources._NEEDED", ())
    monkeypatch.setattr("worldloom.worldgen.sources._WEIGHTS", tmp_path / "none")


def test_auto_says_what_it_comes_to_and_why(without_weights):
    check = check_generator(WorldgenConfig())
    assert check.state is State.OK
    assert check.found.startswith("auto: noise, for the trained generator needs its weights (")
    assert "worldgen.weights names them" in check.found
    assert check_generator(WorldgenConfig(generator="noise")).found == "noise"


def test_doctor_is_not_ready_with_a_generator_that_serve_refuses(without_weights, monkeypatch, capsys):
    monkeypatch.setenv("WORLDLOOM_WORLDGEN__GENERATOR", "gan")
    assert main(["serve"]) == 2
    refused = capsys.readouterr().err.removeprefix("worldloom: ").strip()
    assert main(["doctor", "--host", "127.0.0.1", "--port", "0"]) == 1
    assert refused in capsys.readouterr().out


@pytest.mark.parametrize("generator", ["auto", "gan"])
def test_weights_that_are_named_and_not_there_or_damaged_fail(without_weights, tmp_path, generator):
    pytest.importorskip("safetensors")
    weights = tmp_path / "mine.safetensors"
    config = WorldgenConfig(generator=generator, weights=str(weights))
    assert (
        f"{weights}: expected the weights of a generator; got: No such file" in check_generator(config).found
    )
    weights.write_bytes(b"no weights at all")
    damaged = check_generator(config)
    assert (damaged.state, "expected the weights of a generator (" in damaged.found) == (State.FAIL, True)


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


def test_doctor_takes_where_the_server_shall_listen(capsys, taken_port):
    assert main(["doctor", "--host", "127.0.0.1", "--port", str(taken_port)]) == 1
    assert f"127.0.0.1:{taken_port}" in capsys.readouterr().out
    assert main(["doctor", "--host", "127.0.0.1", "--port", "0", "--tls-cert", "a", "--tls-key", "b"]) == 1
    assert "expected a readable PEM file; got a:" in capsys.readouterr().out


def test_doctor_is_not_ready_with_a_damaged_database(capsys, tmp_path):
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    assert main(["doctor", "--host", "127.0.0.1", "--port", "0", "--data", str(tmp_path)]) == 1
    assert "file is not a database" in capsys.readouterr().out


def test_checks_have_names_of_their_own():
    names = [check.name for check in checks(load(None, {}, {}))]
    assert len(names) == len(set(names)) >= 12
