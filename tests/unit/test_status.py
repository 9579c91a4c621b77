"""``worldloom status`` of a server on another machine, which wants the token of its metrics."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from worldloom.app.telemetry import Telemetry
from worldloom.cli.main import main

TOKEN = "5f" * 32


@contextlib.contextmanager
def answering(pages):
    """A server of these pages: path to a function of the Authorization header that gives status, headers and body."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = pages[self.path](self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def far_url(monkeypatch):
    """A world that takes everybody for somebody from elsewhere."""
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    render = Telemetry().render

    def numbers(authorization):
        known = authorization == f"Bearer {TOKEN}"
        return (200, {}, render()) if known else (401, {"WWW-Authenticate": "Bearer"}, b"{}")

    with answering({"/healthz": lambda _: (200, {}, b'{"ok": true}'), "/metrics": numbers}) as url:
        yield url


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "metrics.token"
    path.touch(mode=0o600)
    path.write_text(f"{TOKEN}\n")
    return path


def test_with_its_token_a_server_elsewhere_tells_its_numbers(far_url, token_file, capsys):
    assert main(["status", "--url", far_url, "--token-file", str(token_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sessions"] == 0


def test_without_a_token_it_is_said_where_the_token_is_and_how_to_give_it(far_url, capsys):
    assert main(["status", "--url", far_url, "--once"]) == 2
    err = capsys.readouterr().err
    assert "copy metrics.token from its data folder and give --token-file FILE" in err


def test_the_token_of_another_server_is_told_apart_from_none(far_url, token_file, capsys):
    token_file.write_text("ab" * 32)
    assert main(["status", "--url", far_url, "--token-file", str(token_file), "--once"]) == 2
    err = capsys.readouterr().err
    assert "the token is not this server's" in err
    assert "abab" not in err


def test_a_token_file_that_others_can_read_is_not_used(far_url, token_file, capsys):
    token_file.chmod(0o644)
    assert main(["status", "--url", far_url, "--token-file", str(token_file), "--once"]) == 2
    assert "expected mode 0600" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "two words", "a\r\nX-Other: b", "prüfung"])
def test_a_file_that_holds_no_token_is_told_of_and_not_shown(far_url, token_file, capsys, text):
    token_file.write_text(text)
    assert main(["status", "--url", far_url, "--token-file", str(token_file), "--once"]) == 2
    err = capsys.readouterr().err
    assert err == f"worldloom: {token_file}: expected one line with the metrics' token; got something else\n"


def test_a_token_file_that_is_not_there_is_one_line(capsys, tmp_path):
    assert main(["status", "--token-file", str(tmp_path / "none"), "--once"]) == 2
    assert (
        capsys.readouterr().err
        == f"worldloom: {tmp_path}/none: expected a readable file; got: No such file or directory\n"
    )


def test_the_token_goes_to_nobody_whom_a_redirection_names(far_url, token_file, capsys):
    seen = []

    def listen(authorization):
        seen.append(authorization)
        return 200, {}, b"{}"

    with answering({"/": listen}) as other:
        moved = {name: lambda _: (302, {"Location": f"{other}/"}, b"") for name in ("/healthz", "/metrics")}
        with answering(moved) as url:
            assert main(["status", "--url", url, "--token-file", str(token_file), "--once"]) == 2
    assert seen == [None]


def test_numbers_that_a_proxy_keeps_back_are_told_of(capsys):
    pages = {"/healthz": lambda _: (200, {}, b'{"ok": true}'), "/metrics": lambda _: (404, {}, b"")}
    with answering(pages) as url:
        assert main(["status", "--url", url, "--once"]) == 2
    assert "a proxy may keep the numbers back" in capsys.readouterr().err
