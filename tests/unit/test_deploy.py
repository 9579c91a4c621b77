"""Files for operators: the page shows them as they are, and they agree with the program."""

import argparse
import configparser
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from worldloom.app.node import STOP_WITHIN_S
from worldloom.app.telemetry import PULLED, Telemetry
from worldloom.cli.settings import SPARE_FILES
from worldloom.config import Config, load
from worldloom.gateway.serving import _KEEP_ALIVE_S
from worldloom.gateway.sockets import SocketSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir())
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
UNITS = ["worldloom.service", "worldloom-backup.service"]


def unit(name):
    """The sections of a unit of systemd."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str
    parsed.read_string((DEPLOY / name).read_text(encoding="utf-8"))
    return parsed


def seconds(text):
    """A span such as ``2m`` or ``20``."""
    return int(text.rstrip("sm")) * {"m": 60}.get(text[-1], 1)


def instructions():
    """Of the last stage of the Dockerfile: instruction to the texts that follow it."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    last = text[text.rindex("\nFROM ") :]
    found = {}
    for name, rest in re.findall(r"^([A-Z]+) (.+)$", last, re.M):
        found.setdefault(name, []).append(rest.strip())
    return found


# ---- the page


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_each_file_as_it_is(name):
    text = (DEPLOY / name).read_text(encoding="utf-8").rstrip("\n")
    shown = re.search(
        rf"^\[`deploy/{name}`\]\(\.\./deploy/{name}\):\n\n```\w+\n(.*?)\n```$", PAGE, re.M | re.S
    )
    assert shown, f"docs/operating.md does not show deploy/{name}"
    assert shown[1] == text, f"copy deploy/{name} into docs/operating.md"


def test_settings_on_the_page_are_settings(tmp_path):
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(blocks) >= 3
    for block in blocks:
        (tmp_path / "config.toml").write_text(block, encoding="utf-8")
        assert load(tmp_path / "config.toml", {}, {}) != Config()


def test_what_the_page_says_to_keep_order_can_be_said():
    lines = [line for line in PAGE.splitlines() if line.startswith("loom people ")]
    lines += [f"loom people {words}" for words in re.findall(r"`loom people ([^`]+)`", PAGE)]
    parser = argparse.ArgumentParser()
    importlib.import_module("worldloom.cli.people").add_arguments(parser)
    assert len(lines) >= 15
    for line in lines:
        words = shlex.split(line.replace("report N", "report 1"), comments=True)
        assert parser.parse_args(words[2:]).people_command in line


def test_links_on_the_page_lead_somewhere():
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", PAGE, re.M)
    }
    targets = re.findall(r"\]\(([^)\s]+)\)", PAGE)
    inside = [target for target in targets if target.startswith("#") and target[1:] not in headings]
    outside = [target for target in targets if not re.match(r"#|https?:", target)]
    gone = [target for target in outside if not (ROOT / "docs" / target.partition("#")[0]).exists()]
    assert inside + gone == []


# ---- systemd


@pytest.mark.parametrize("name", UNITS)
def test_what_a_unit_starts_is_a_command_with_its_options(name):
    program, command, *words = unit(name)["Service"]["ExecStart"].split()
    assert program == "/opt/worldloom/bin/worldloom"
    parser = argparse.ArgumentParser()
    importlib.import_module(f"worldloom.cli.{command}").add_arguments(parser)
    assert parser.parse_args(words).config == Path("/etc/worldloom/config.toml")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_nobody_special_and_can_write_its_own_folder_alone(name):
    service = unit(name)["Service"]
    assert service["User"] == service["StateDirectory"] == "worldloom"
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    assert (service["StateDirectoryMode"], service["CapabilityBoundingSet"]) == ("0700", "")


def test_the_service_leaves_time_to_stop_and_a_file_for_every_connection():
    service = unit("worldloom.service")["Service"]
    assert service["KillSignal"] == "SIGTERM"
    assert service["Restart"] == "on-failure"
    assert float(service["TimeoutStopSec"]) >= 2 * STOP_WITHIN_S
    assert int(service["LimitNOFILE"]) >= Config().server.max_connections + SPARE_FILES


def test_the_hook_hands_the_renewed_certificate_to_the_world_and_restarts_nothing(tmp_path):
    for name in ("install", "systemctl"):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        stub.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RENEWED_LINEAGE": "/live/world.example"}
    ran = subprocess.run(
        [DEPLOY / "certbot-hook"], env=environ, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "-m 0600 /live/world.example/fullchain.pem /live/world.example/privkey.pem" in ran[1]
    assert len(ran) == 2


# ---- proxies


def test_proxies_keep_silent_sockets_longer_than_the_server_does():
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    settings = SocketSettings()
    spans = re.findall(r"proxy_(?:read|send)_timeout (\w+);", text)
    assert len(spans) == 2
    assert min(map(seconds, spans)) > settings.ping_after_s + settings.pong_within_s


def test_proxies_give_idle_connections_up_before_the_server_does():
    nginx = re.findall(r"keepalive_timeout (\w+);", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))
    caddy = re.findall(r"keepalive (\w+)$", (DEPLOY / "Caddyfile").read_text(encoding="utf-8"), re.M)
    assert len(nginx) == len(caddy) == 1
    assert max(map(seconds, nginx + caddy)) < _KEEP_ALIVE_S


def test_nginx_takes_two_connections_for_each_that_the_server_takes():
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    limits = re.findall(r"worker_(?:connections|rlimit_nofile) (\d+);", text)
    assert min(map(int, limits)) >= 2 * Config().server.max_connections


# ---- Prometheus


def test_alerts_ask_for_metrics_that_there_are():
    telemetry = Telemetry()
    for name, pulled in PULLED.items():
        telemetry.pull(name, (lambda: {"one": 1.0}) if pulled.label else (lambda: 1.0))
    known = set(re.findall(r"^(worldloom_\w+)", telemetry.render().decode(), re.M))
    asked = set(re.findall(r"worldloom_\w+", (DEPLOY / "alerts.yml").read_text(encoding="utf-8")))
    assert len(asked) >= 8
    assert asked - known == set()


def test_every_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_do():
    rules = (DEPLOY / "alerts.yml").read_text(encoding="utf-8").split("- alert: ")[1:]
    parts = ["expr: ", "severity: ", "summary: ", "action: "]
    assert [rule for rule in rules if any(part not in rule for part in parts)] == []


# ---- containers


def test_the_image_runs_as_somebody_without_rights_and_stops_in_order():
    found = instructions()
    assert found["USER"][-1].isdecimal()
    assert int(found["USER"][-1]) > 0
    assert json.loads(found["CMD"][-1]) == ["worldloom", "serve"]
    assert found["STOPSIGNAL"] == ["SIGTERM"]
    assert found["VOLUME"] == ["/data"]
    assert found["EXPOSE"] == [str(Config().server.port)]
    assert any("WORLDLOOM_SERVER__DATA=/data" in text for text in found["ENV"])


def test_the_image_is_built_from_all_that_the_wheel_needs():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = build["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {path.split("/")[0] for path in [*wheel["packages"], *wheel["force-include"]]}
    needed |= {"pyproject.toml", build["project"]["readme"], *build["project"]["license-files"]}
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M) for word in line.split()}
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in allowed
    assert needed - copied == set()
    assert {f"!{name}" for name in copied} - set(allowed) == set()


def check_of_health(port):
    """Run the image's health check against a port; its exit code."""
    command = instructions()["HEALTHCHECK"][-1].partition("CMD ")[2]
    words = [word.replace(":8420", f":{port}") for word in json.loads(command)]
    assert words[0] == "python"
    return subprocess.run([sys.executable, *words[1:]], capture_output=True, check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_a_world_that_is_well_from_one_that_is_not(status, code):
    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status * (self.path == "/healthz"))
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        got = check_of_health(server.server_port)
        server.shutdown()
        thread.join()
    assert got == code


def test_the_health_check_fails_where_nobody_listens():
    assert check_of_health(9) == 1


def test_compose_publishes_to_this_machine_alone_and_takes_rights_away():
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^    ports: (.+)$", text, re.M) == ['["127.0.0.1:8420:8420"]']
    world = text[text.index("  world:") : text.index("  postgres:\n    image")]
    assert "read_only: true" in world
    assert "cap_drop: [ALL]" in world
    assert seconds(re.findall(r"stop_grace_period: (\w+)", world)[0]) >= 2 * STOP_WITHIN_S


def test_variables_of_compose_are_settings(tmp_path):
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    pairs = re.findall(r"^      (WORLDLOOM_\w+): (\S+)$", text, re.M)
    config = load(None, {name: value for name, value in pairs if "$" not in value}, {})
    gateway = config.server.trusted_proxies[0].rpartition(".")[0]
    assert f"subnet: {gateway}.0/24" in text


def test_no_short_word_of_the_guide_hides_a_command_of_the_system():
    words = re.findall(r"(?m)^(\w+)\(\) \{", PAGE)
    assert words == ["loom"]
    assert not shutil.which(words[0])
    assert not re.search(r"(?m)^w |`w[ `]", PAGE)
