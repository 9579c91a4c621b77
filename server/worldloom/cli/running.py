"""Running: whether a world is up where the settings say, and whether it is this data folder's. Needs no extra."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worldloom.app.secrets import METRICS_TOKEN_FILE, data_mark, read_secret_file
from worldloom.config import ServerConfig
from worldloom.errors import ConfigError

__all__ = ["health_of", "is_of", "own_url", "trusting", "warnings_of"]

TIMEOUT_S = 3.0
MAX_BYTES = 64 * 1024


def own_url(server: ServerConfig) -> str:
    """Where the server of these settings is reached from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(server.host, server.host)
    scheme = "https" if server.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"


def trusting() -> ssl.SSLContext:
    """A context that takes any certificate: for a server's own, whose name is another on this machine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def health_of(server: ServerConfig) -> Mapping[str, Any] | None:
    """What ``/healthz`` tells where these settings say that the server is; None if no world answers."""
    context = trusting() if server.tls_cert else None
    try:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"{own_url(server)}/healthz", timeout=TIMEOUT_S) as answer:
            text = answer.read(MAX_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(MAX_BYTES) if error.code == http.client.SERVICE_UNAVAILABLE else b""
    except (OSError, ValueError, http.client.HTTPException):
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"ok", "world"} <= told.keys() else None


def is_of(health: Mapping[str, Any], data: Path) -> bool | None:
    """Whether the world that told its health has this data folder; None if that cannot be told."""
    try:
        own = data_mark(read_secret_file(data / METRICS_TOKEN_FILE).strip())
    except (ConfigError, PermissionError):
        return None
    return health["mark"] == own if "mark" in health else None


def warnings_of(health: Mapping[str, Any]) -> list[str]:
    """What a world that is well wants looked at; it tells that to its own machine alone."""
    told = health.get("warnings")
    return [str(warning) for warning in told] if isinstance(told, list) else []
