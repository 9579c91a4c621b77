"""The command line: its commands, its exit codes, and what it imports."""

import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
from argparse import Namespace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from databases import sqlite_database
from worldloom.app.secrets import open_secrets
from worldloom.app.telemetry import Telemetry, TickReport
from worldloom.cli.config import key_table, shown_toml
from worldloom.cli.keeping import where_options
from worldloom.cli.main import COMMANDS, main
from worldloom.cli.running import own_url
from worldloom.cli.serve import announcement
from worldloom.config import load
from worldloom.persistence.rights import owner_hint

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bare_logs():
    """Serving sets up the logs of the whole process; this puts them back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def health():
    """What the world says of itself; a test may change it."""
    return {"ok": True}


@pytest.fixture
def world_url(health):
    """A server that answers as a world does: health, and the metrics of real telemetry after one tick."""
    telemetry = Telemetry()
    telemetry.pull("emerge", lambda: {"generated": 7.0})
    telemetry.tick(
        TickReport(
            seconds=0.004, late_s=0.0, sessions=3, groups=2, moves=4, words=9, frames=3, bytes_sent=700
        )
    )
    pages = {"/healthz": lambda: json.dumps(health).encode(), "/metrics": telemetry.render}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if health["ok"] else 503)
            self.end_headers()
            self.wfile.write(pages[self.path]())

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in out] == []


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom worldloom.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('asyncio','numpy','msgspec','rich','sqlalchemy','torch') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


HEAVY = (
    "PIL", "alembic", "fastapi", "numpy", "psycopg", "rich.console", "scipy", "sqlalchemy.dialects.postgresql",
    "starlette", "torch", "uvicorn", "worldloom.bus", "worldloom.gateway", "worldloom.shard", "worldloom.world",
)  # fmt: skip
"""What a command beside the server has no use for before it knows what it was asked for."""


@pytest.mark.parametrize("name", ["land", "market", "money", "people"])
def test_a_command_beside_the_server_imports_nothing_heavy(name):
    code = (
        "import sys\nfrom worldloom.cli.main import main\n"
        f"try: main([{name!r}, '--help'])\nexcept SystemExit: pass\n"
        f"print('worldloom.cli.{name}' in sys.modules, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "True []"


def test_an_unknown_command_is_wrong_use(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sevre"])
    assert ended.value.code == 2
    assert "sevre" in capsys.readouterr().err


def test_a_configuration_error_is_one_line_and_exit_code_2(capsys):
    assert main(["serve", "--port", "99999"]) == 2
    err = capsys.readouterr().err
    assert err == "worldloom: option --port: server.port: expected an integer from 0 to 65535; got 99999\n"


def test_a_generator_that_is_not_installed_is_refused_with_what_to_do(capsys, monkeypatch):
    monkeypatch.setattr("worldloom.worldgen.sources.importlib.util.find_spec", lambda name: None)
    assert main(["serve", "--generator", "gan"]) == 2
    err = capsys.readouterr().err
    assert "--generator noise" in err
    assert "Traceback" not in err


def test_a_command_without_its_extra_says_what_to_install():
    code = "import sys\nsys.modules['rich'] = None\nfrom worldloom.cli.main import main\nsys.exit(main(['status']))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "worldloom[server] is needed for this command" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_config_prints_what_check_accepts(capsys, tmp_path):
    assert main(["config"]) == 0
    (tmp_path / "mine.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["config", "--check", "mine.toml"]) == 0


def test_config_in_the_working_directory_is_read(capsys, tmp_path):
    (tmp_path / "config.toml").write_text("[server]\nport = 9321\n", encoding="utf-8")
    assert main(["config", "--show"]) == 0
    assert "port = 9321" in capsys.readouterr().out


def test_shown_configuration_hides_secrets():
    config = load(None, {}, {"storage.url": "postgresql+psycopg://me:hunter2@db/x"})
    assert "hunter2" not in shown_toml(config)
    assert "(set; not shown)" in shown_toml(config)


def test_the_operating_guide_lists_every_key():
    assert key_table() in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"), "copy in key_table()"


def test_version_can_be_asked_for_as_an_option(capsys):
    assert main(["--version"]) == 0
    asked = capsys.readouterr().out
    assert main(["version"]) == 0
    assert asked == capsys.readouterr().out


def test_a_port_that_is_no_number_is_told_with_expected_and_got(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "abc"])
    assert ended.value.code == 2
    assert "argument --port: expected an integer from 0 to 65535; got abc" in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_one_line_with_what_to_do(capsys, tmp_path, bare_logs):
    (tmp_path / "file").touch()
    assert main(["serve", "--data", str(tmp_path / "file" / "world")]) == 2
    err = capsys.readouterr().err
    assert f"{tmp_path}/file/world: Not a directory. Choose another with --data" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_a_start_that_fails_leaves_no_empty_folder(capsys, tmp_path, bare_logs, host):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = ["--host", host, "--port", str(taken.getsockname()[1])]
        assert main(["serve", "--data", str(tmp_path / "new" / "world"), *where]) == 2
        (tmp_path / "mine").mkdir()
        assert main(["serve", "--data", str(tmp_path / "mine"), *where]) == 2
    assert "expected to listen on" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_damaged_database_is_one_line_with_what_to_do(capsys, tmp_path, bare_logs):
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    assert main(["serve", "--data", str(tmp_path), "--port", "0"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"worldloom: {tmp_path}/world.db: expected the database of a world; got: file is not" in last
    assert "restore a backup" in last


def test_serve_warns_of_a_variable_that_sets_nothing(capsys, tmp_path, monkeypatch, bare_logs):
    monkeypatch.setenv("WORLDLOOM_SERVER_PORT", "9000")
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    assert main(["serve", "--data", str(tmp_path)]) == 2
    assert "did you mean WORLDLOOM_SERVER__PORT?" in capsys.readouterr().err


def test_version_names_protocol_and_python(capsys):
    assert main(["version"]) == 0
    assert "protocol 1" in capsys.readouterr().out


def test_a_world_open_to_all_is_announced_here_and_on_the_network():
    text = announcement("http://0.0.0.0:8420", network_address="192.168.1.5")
    first, link = re.findall(r"http://\S+", text)
    assert (first, link) == ("http://127.0.0.1:8420/", "http://192.168.1.5:8420/")
    assert "ws://127.0.0.1:8420/ws" in text


def test_the_first_thing_to_do_in_a_new_world_is_to_open_its_link():
    lines = announcement("http://127.0.0.1:8420").splitlines()
    assert "open this link in a browser" in lines[0]
    assert next(filter(None, lines[1:])).strip() == "http://127.0.0.1:8420/"


def test_a_world_behind_tls_on_one_address_is_announced_there_alone():
    text = announcement("https://[::1]:8420", network_address="192.168.1.5")
    assert re.findall(r"https://\S+", text) == ["https://[::1]:8420/"]
    assert "wss://[::1]:8420/ws" in text
    assert "192.168.1.5" not in text


@pytest.mark.slow
def test_status_once_shows_the_world_as_a_table(world_url, capsys, monkeypatch):
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    assert main(["status", "--url", world_url, "--once"]) == 0
    out = capsys.readouterr().out
    assert "sessions" in out
    assert "4.0 ms" in out
    assert "regions: generated" in out


def test_status_as_json_is_one_object(world_url, capsys, monkeypatch):
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    assert main(["status", "--url", world_url, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "ok"
    assert told["sessions"] == 3
    assert told["emerge"] == {"generated": 7}
    assert told["bytes_sent_per_s"] == 0


def test_status_tells_what_is_wrong_and_exits_1(world_url, health, capsys, monkeypatch):
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    health.update(ok=False, problems=["the database does not answer"])
    assert main(["status", "--url", world_url, "--once"]) == 1
    assert "the database does not answer" in capsys.readouterr().out


def test_status_takes_host_and_port_without_a_scheme(world_url, capsys, monkeypatch):
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    assert main(["status", "--url", world_url.removeprefix("http://"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sessions"] == 3


def test_status_of_a_server_with_a_certificate_of_its_own_offers_to_take_it(capsys, monkeypatch):
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed")
    fault.verify_message = "self-signed certificate"

    def refuse(url, timeout, context):
        raise urllib.error.URLError(fault)

    monkeypatch.setattr("worldloom.cli.status.urllib.request.urlopen", refuse)
    assert main(["status", "--url", "https://127.0.0.1:8420", "--once"]) == 2
    err = capsys.readouterr().err
    assert "self-signed certificate" in err
    assert "add --insecure" in err


def test_status_asks_the_server_of_the_settings(tmp_path, capsys):
    (tmp_path / "w.toml").write_text('[server]\nhost = "0.0.0.0"\nport = 9\n')
    assert main(["status", "--config", "w.toml", "--once"]) == 2
    assert "http://127.0.0.1:9/healthz: no answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"server.host": "::", "server.port": 9}, "http://[::1]:9"),
        ({"server.host": "192.0.2.1"}, "http://192.0.2.1:8420"),
        ({"server.tls_cert": "a", "server.tls_key": "b"}, "https://127.0.0.1:8420"),
    ],
)
def test_a_server_is_reached_on_its_own_machine_where_it_listens(options, expected):
    assert own_url(load(None, {}, options).server) == expected


def test_status_of_nothing_is_one_line(capsys):
    assert main(["status", "--url", "http://127.0.0.1:9", "--once"]) == 2
    assert "Is the server running?" in capsys.readouterr().err


def test_status_takes_no_other_scheme(capsys):
    assert main(["status", "--url", "file:///etc", "--once"]) == 2
    assert "http://HOST:PORT" in capsys.readouterr().err


def test_the_command_that_is_proposed_next_has_the_options_of_place_that_were_given():
    given = Namespace(config=Path("my world.toml"), data="/srv/new")
    assert where_options(given) == " --config 'my world.toml' --data /srv/new"
    assert where_options(Namespace(config=None, data=None)) == ""


# ---- what goes wrong around the commands


def test_who_reads_only_the_head_of_the_output_ends_the_command_quietly(tmp_path):
    command = [sys.executable, "-m", "worldloom", "config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


def test_a_file_of_another_user_is_named_with_its_owner_in_one_line(tmp_path, capsys, monkeypatch):
    file = tmp_path / "world.db"
    file.touch()
    owner = file.owner()

    def closed(args):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr("worldloom.cli.version.run", closed)
    monkeypatch.setattr("os.geteuid", lambda: file.stat().st_uid + 1)
    assert main(["version"]) == 2
    hint = f"it belongs to {owner}: run it as that user: sudo -u {owner} ..."
    assert capsys.readouterr().err == f"worldloom: {file}: Permission denied; {hint}\n"


def test_a_file_of_ones_own_needs_other_rights_and_no_other_user(tmp_path):
    assert owner_hint(tmp_path / "not" / "there") == "mend its rights, or choose another"


AS_ANOTHER_USER = """
import contextlib, io, os, sys
from worldloom.cli.main import main

# Once as root: whoever comes after may not be allowed to read the libraries.
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(sys.argv[1:])
os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["people", "list"],
        ["backup"],
        ["export", "-o", "x"],
        ["worldgen", "map"],
        ["doctor"],
        ["status", "--token-file", "data/metrics.token"],
    ],
)
def test_another_user_is_told_whose_the_world_is(tmp_path, words):
    data = tmp_path / "data"
    open_secrets(data)
    sqlite_database(data / "world.db")
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, *words],
        cwd=tmp_path,
        env={**os.environ, "WORLDLOOM_SERVER__DATA": "data"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "belongs to root: run it as that user: sudo -u root ..." in done.stdout + done.stderr
